import { refused } from '../../src/order/refused.ts';
import type { StepInput, UndoInput } from '../../src/order/step.ts';
import type { Process } from '../../src/testing/simulation/process.ts';
import type { VirtualSystem } from '../../src/testing/virtual-system.ts';

/**
 * How the services treat one call. `down`: nothing happened and the caller is told so. `lost`: done, and the reply is lost.
 * `hang`: done, never answered. `late`: arrives after the caller has given up. `wrong`: done, and the reply speaks of another amount.
 * `kill`: done, and the caller's process dies; `killBefore`: dies before anything left it. `secret`: fails with words nobody may keep.
 */
export type CallFate = 'ok' | 'slow' | 'down' | 'lost' | 'hang' | 'late' | 'decline' | 'wrong' | 'kill' | 'killBefore' | 'secret';

export const CALL_TIMEOUT_MS = 300;
export const CARD = '4111 1111 1111 1111';
export const PASSWORD = 'hunter2hunter2';

/** What one customer's order meets, by step and direction (`payment`, `payment:undo`), call after call; then all is well. */
export type Fates = Readonly<Record<string, readonly CallFate[]>>;

interface Effect {
  readonly orderId: string;
  readonly amountMinor: number;
  readonly at: number;
}

type Details = { readonly customerId: string; readonly totalMinor: number; readonly currency: string };

/** Payment, stock and post outside of everything: idempotent by key, unreliable as told. */
export interface Shop {
  /** Successful effects by key: charges, refunds, reservations, releases and letters. */
  readonly effects: ReadonlyMap<string, Effect>;
  readonly refusals: ReadonlyMap<string, string>;
  readonly calls: number;
  /** What no service should have been asked. */
  readonly faults: readonly string[];
  run(process: Process, step: string, input: StepInput): Promise<unknown>;
  undo(process: Process, step: string, input: UndoInput): Promise<void>;
  query(process: Process, step: string, input: StepInput): Promise<unknown>;
  heal(): void;
}

const lostReply = (): Error => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

export const createShop = (system: VirtualSystem, fatesOf: (customerId: string) => Fates): Shop => {
  const effects = new Map<string, Effect>();
  const refusals = new Map<string, string>();
  const counts = new Map<string, number>();
  const faults: string[] = [];
  let calls = 0;
  let healed = false;

  const later = (delayMs: number): Promise<void> => new Promise((resolve) => void system.setTimer(delayMs, resolve));

  /**
   * Well after the caller's patience ended, but no more than a call's time after that. Who hangs up for another reason takes
   * the request with him.
   */
  const arrivesLate = async (signal: AbortSignal): Promise<boolean> => {
    await Promise.race([later(2 * CALL_TIMEOUT_MS + 200), new Promise((resolve) => signal.addEventListener('abort', resolve))]);
    if (signal.aborted && (signal.reason as { readonly code?: string }).code !== 'HANDLER_TIMEOUT') return false;
    if (signal.aborted) await later(CALL_TIMEOUT_MS - 50);
    return true;
  };

  /** One call over the network: the effect is the server's, and happens whatever becomes of the caller. */
  const call = (process: Process, name: string, input: StepInput, effect: (fate: CallFate) => unknown): Promise<unknown> =>
    process.inside(async () => {
      calls += 1;
      const { customerId } = input.order as unknown as Details;
      const nth = counts.get(`${customerId}/${name}`) ?? 0;
      counts.set(`${customerId}/${name}`, nth + 1);
      const fate = healed ? 'ok' : (fatesOf(customerId)[name]?.[nth] ?? 'ok');
      if (fate === 'killBefore') process.crash();
      if (fate === 'killBefore') return new Promise(() => {});
      if (fate === 'down') throw Object.assign(new Error('503'), { code: 'UNAVAILABLE' });
      if (fate === 'secret') throw new Error(`card ${CARD} refused at https://shop:${PASSWORD}@bank.example, password=${PASSWORD}`);
      if (fate === 'late' && !(await arrivesLate(input.signal))) return new Promise(() => {});
      await later(Math.floor(system.random() * 8));
      const answer = effect(fate);
      if (fate === 'kill') process.crash();
      if (fate === 'kill' || fate === 'hang' || fate === 'late') return new Promise(() => {});
      if (fate === 'lost') throw lostReply();
      await later(fate === 'slow' ? 150 : Math.floor(system.random() * 8));
      return answer;
    });

  const perform = (key: string, { orderId, order }: StepInput, fate: CallFate): unknown => {
    const { totalMinor: amountMinor, currency } = order as unknown as Details;
    const refusal = refusals.get(key);
    if (refusal === undefined && !effects.has(key)) {
      if (fate === 'decline') refusals.set(key, 'declined');
      else effects.set(key, { orderId, amountMinor, at: system.monotonic() });
    }
    if (refusals.has(key)) return refused('declined');
    return { id: key, orderId, amountMinor: fate === 'wrong' ? amountMinor + 1 : amountMinor, currency };
  };

  return {
    effects,
    refusals,
    get calls() {
      return calls;
    },
    faults,
    run: (process, step, input) => call(process, step, input, (fate) => perform(input.effectKey, input, fate)),
    async undo(process, step, input) {
      await call(process, `${step}:undo`, input, () => {
        const doneKey = `${input.orderId}:${step}`;
        const { id } = (input.result ?? {}) as { readonly id?: string };
        if (id !== doneKey || !effects.has(doneKey)) faults.push(`S3 ${input.effectKey} takes back what never happened`);
        if (input.effectKey !== `${doneKey}:undo`) faults.push(`S20 undo under the key ${input.effectKey}`);
        const { totalMinor: amountMinor } = input.order as unknown as Details;
        if (!effects.has(input.effectKey)) effects.set(input.effectKey, { orderId: input.orderId, amountMinor, at: system.monotonic() });
      });
    },
    query: (process, step, input) =>
      call(process, `${step}:query`, input, () => {
        const { totalMinor: amountMinor, currency } = input.order as unknown as Details;
        if (refusals.has(input.effectKey)) return refused('declined');
        return effects.has(input.effectKey) ? { id: input.effectKey, orderId: input.orderId, amountMinor, currency } : undefined;
      }),
    heal() {
      healed = true;
    },
  };
};
