import { isLeft } from 'fp-ts/lib/Either.js';
import { isOrderfoldError } from '../../core/errors.ts';
import type { Timer } from '../../core/system.ts';
import type { VirtualSystem } from '../virtual-system.ts';
import type { Tell, Wrong } from './act.ts';
import type { Member } from './members.ts';
import type { Witness } from './witness.ts';

export interface Clients {
  /** Places the n-th order and asks again, with its key and at whichever process answers, until it is told what became of it. */
  place(index: number, input: unknown): void;
  orderIdOf(index: number): string | undefined;
  /** Somebody was told that this is their order. */
  know(orderId: string): boolean;
  /** Every client knows what became of its order. */
  readonly answered: boolean;
  /** Why the first order that was refused was. */
  readonly refused: string | undefined;
  /** Nobody asks any more. */
  stop(): void;
}

const PATIENCE_MS = 400;

/** The n-th client's idempotency key. */
export const clientKey = (index: number): string => `order-${index}`;

/** The customers: they stand outside of every process. */
export const createClients = (system: VirtualSystem, witness: Witness, api: (by: number) => Member, wrong: Wrong, tell: Tell): Clients => {
  const answers = new Map<number, string | null>();
  let refused: string | undefined;
  const known = new Set<string>();
  const waiting = new Set<number>();
  const timers = new Map<object, Timer>();

  const ask = (index: number, input: unknown, nth: number, by: object): void => {
    if (answers.has(index)) return void timers.delete(by);
    timers.set(
      by,
      system.setTimer(PATIENCE_MS, () => ask(index, input, nth + 1, by)),
    );
    const { orders, process } = api(index + nth);
    orders.place(input as never, { idempotencyKey: clientKey(index) }).then(
      (either) => {
        waiting.delete(index);
        timers.get(by)?.cancel();
        const before = answers.get(index);
        if (isLeft(either)) {
          if (typeof before === 'string' || either.left.code === 'KEY_REUSED') wrong('S25', `order ${index} was refused when asked again`);
          answers.set(index, null);
          refused ??= either.left.message;
          return tell('refused', () => `order ${index}: ${either.left.message}`);
        }
        const { orderId } = either.right as { readonly orderId: string };
        tell('placed', () => `order ${index} is ${orderId}, says ${process.name}`);
        if (before !== undefined && before !== orderId) wrong('S25', `order ${index} is both ${before} and ${orderId}`, orderId);
        if (witness.events.get(orderId) === undefined) wrong('R26', `order ${index} was accepted as ${orderId} and never written`, orderId);
        answers.set(index, orderId);
        known.add(orderId);
      },
      (error: unknown) => {
        if (!isOrderfoldError(error)) wrong('R26', `placing order ${index} threw ${String(error)}`);
        tell('unanswered', () => `order ${index}: ${String(error)}`);
      },
    );
  };

  return {
    place(index, input) {
      waiting.add(index);
      ask(index, input, 0, {});
    },
    orderIdOf: (index) => answers.get(index) ?? witness.streamOf(clientKey(index)),
    know: (orderId) => known.has(orderId),
    get answered() {
      return waiting.size === 0;
    },
    get refused() {
      return refused;
    },
    stop() {
      for (const timer of timers.values()) timer.cancel();
    },
  };
};
