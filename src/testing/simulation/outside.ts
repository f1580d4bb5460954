import { AsyncLocalStorage } from 'node:async_hooks';
import { seeded } from '../../core/seeded.ts';
import type { Effect } from '../recorded-run.ts';
import type { VirtualSystem } from '../virtual-system.ts';
import type { Tell } from './act.ts';
import type { CallFate, Fates, RunFate } from './plan.ts';
import type { Process } from './process.ts';

/** Planted where a fault may speak, and looked for wherever anything is kept. */
export const SECRETS = { card: '4111 1111 1111 1111', digits: '4111111111111111', password: 'hunter2hunter2' } as const;

/**
 * The world beyond the processes, in which a simulated run's services live: it survives every crash, and its clock is the run's. What
 * services remember in their closures they remember for one run only.
 */
export interface Outside {
  now(): number;
  /** In [0, 1), by the seed, call after call. */
  random(): number;
  sleep(durationMs: number): Promise<void>;
  /** Whether something of this name comes true, decided by seed and name alone: `chance('declined:' + orderId, 0.1)`. */
  chance(name: string, probability: number): boolean;
  /**
   * Does something to the world, under an idempotency key at most once: the same key again gives the first answer. Without a key it is done
   * again and again. What is done is what the invariants of money and stock are judged by.
   * @param effect.amountMinor what it moves, in minor units. @default none
   */
  once<Answer>(key: string | undefined, effect: { readonly amountMinor?: number } | undefined, make: () => Answer): Answer;
  /** What `once` answered under this key; undefined if nothing was done under it. */
  find(key: string): unknown;
}

/** What is running when a service is called. */
export interface RunContext {
  readonly process: Process;
  readonly orderId: string;
  readonly step: string;
  readonly direction: 'do' | 'undo';
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Is told when the run itself ends its process. */
  readonly kills: () => void;
}

const hash = (text: string): number => {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
};

const never = <T>(): Promise<T> => new Promise<T>(() => {});

/** How deep services may lie in one another. */
const DEPTH = 4;

/** An object of the user's own, and not a Map, an array or the like. */
const isService = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Object]';

/** Beyond a lease of a second; a process that blocks for ten would only be a crash. */
const BLOCK_MS = 1500;

/**
 * The outside of one run.
 * @param fatesOf what the order with this id meets
 */
export const createOutside = (
  system: VirtualSystem,
  seed: number,
  fatesOf: (orderId: string) => Fates,
  { tell, strike }: { readonly tell: Tell; readonly strike: Tell },
) => {
  const running = new AsyncLocalStorage<RunContext>();
  const effects: Effect[] = [];
  const answers = new Map<string, { readonly answer: unknown }>();
  const counts = new Map<string, number>();
  let healed = false;

  const later = (delayMs: number): Promise<void> => new Promise((resolve) => void system.setTimer(delayMs, resolve));
  const onTheWay = (): Promise<void> => later(Math.floor(system.random() * 8));

  const fateOf = (orderId: string, name: string): CallFate | RunFate => {
    const fates = healed ? undefined : fatesOf(orderId)[name];
    if (fates === undefined) return 'ok';
    const key = `${orderId}/${name}`;
    const nth = counts.get(key) ?? 0;
    counts.set(key, nth + 1);
    const fate = fates[nth] ?? 'ok';
    if (fate !== 'ok') strike(fate, () => `${name} of ${orderId}`);
    return fate;
  };

  const killedBy = <T>({ process, kills }: RunContext): Promise<T> => {
    if (process.alive) kills();
    process.crash();
    return never();
  };

  const lost = (name: string): Error => Object.assign(new Error(`${name}: socket hang up`), { code: 'ECONNRESET' });

  /**
   * After the caller's patience ended, or its process, but no more than a call's time after that. Who hangs up for another reason takes the
   * request with him.
   */
  const arrivesLate = async ({ process, signal, timeoutMs }: RunContext): Promise<boolean> => {
    const stallsBefore = process.stalls;
    const hungUp = new Promise((resolve) => signal.addEventListener('abort', resolve));
    await Promise.race([later(timeoutMs * 0.8), hungUp]);
    // Whoever takes its place may ask from now on what became of it.
    if (!process.alive || process.stalled) return true;
    await Promise.race([later(5 * timeoutMs), hungUp]);
    if (process.stalls !== stallsBefore) return false;
    if (!signal.aborted || (signal.reason as { readonly code?: string }).code !== 'HANDLER_TIMEOUT') return false;
    await later(timeoutMs * 0.8);
    return true;
  };

  /** One call over the network: what it does is done out there, whatever becomes of the caller. */
  const call = <Answer>(name: string, carryOut: () => Answer | Promise<Answer>): Promise<Answer> => {
    const context = running.getStore();
    if (context === undefined) return (async () => carryOut())();
    const { process, orderId, timeoutMs } = context;
    return process.inside(async (): Promise<Answer> => {
      const fate = fateOf(orderId, name);
      if (fate === 'killBefore') return killedBy(context);
      if (fate === 'down') throw Object.assign(new Error(`${name}: 503`), { code: 'UNAVAILABLE' });
      if (fate === 'secret')
        throw new Error(`card ${SECRETS.card} refused at https://shop:${SECRETS.password}@bank.example, password=${SECRETS.password}`);
      if (fate === 'late' && !(await arrivesLate(context))) return never();
      await onTheWay();
      const answer = await carryOut();
      if (fate === 'twice')
        void later(1 + Math.floor(system.random() * 50))
          .then(carryOut)
          .catch(() => {});
      if (fate === 'kill') return killedBy(context);
      if (fate === 'hang' || fate === 'late') return never();
      if (fate === 'lost') throw lost(name);
      if (fate === 'slow') await later(Math.min(timeoutMs / 2, 500));
      return answer;
    });
  };

  const wrapped = <T extends object>(target: T, path: string, depth: number): T => {
    const known = new Map<PropertyKey, unknown>();
    // Not over the target itself: a frozen one would not let its methods be wrapped.
    return new Proxy({} as T, {
      get(_, key) {
        const value = Reflect.get(target, key) as unknown;
        if (typeof key === 'symbol') return value;
        const name = path === '' ? key : `${path}.${key}`;
        const nested = depth > 1 && isService(value);
        if (typeof value !== 'function' && !nested) return value;
        const before = known.get(key);
        if (before !== undefined) return before;
        const made = nested
          ? wrapped(value as object, name, depth - 1)
          : (...given: unknown[]) => call(name, () => (value as (...args: unknown[]) => unknown).apply(target, given));
        known.set(key, made);
        return made;
      },
    });
  };

  /** A run of a handler inside its process, and what becomes of it. */
  const run = <Answer>(
    context: RunContext,
    name: string,
    handler: () => Answer | Promise<Answer>,
    permanently: () => Error,
  ): Promise<Answer> =>
    context.process.inside(async (): Promise<Answer> => {
      const fate = fateOf(context.orderId, name);
      if (fate === 'killBefore') return killedBy(context);
      if (fate === 'hang') return never();
      if (fate === 'throw') throw new Error(`${name}: not now`);
      if (fate === 'permanent') throw permanently();
      if (fate === 'block') context.process.stall(BLOCK_MS);
      const answer = await running.run(context, handler);
      if (fate === 'kill') return killedBy(context);
      if (fate === 'lost') throw lost(name);
      return answer;
    });

  const outside: Outside = {
    now: system.now,
    random: system.random,
    sleep: later,
    chance: (name, probability) => seeded(seed ^ hash(name))() < probability,
    once(key, effect, make) {
      const before = key === undefined ? undefined : answers.get(key);
      if (before !== undefined) return before.answer as ReturnType<typeof make>;
      const answer = make();
      if (key !== undefined) answers.set(key, { answer });
      const context = running.getStore();
      if (context !== undefined) {
        const { orderId, step, direction } = context;
        effects.push({ orderId, step, direction, key, amountMinor: effect?.amountMinor ?? null, at: system.monotonic() });
        tell('effect', () => `${direction === 'do' ? '' : 'undo of '}${step} of ${orderId} under ${key ?? 'no key'}`);
      }
      return answer;
    },
    find: (key) => answers.get(key)?.answer,
  };

  return {
    outside,
    /** In the order of time. */
    effects: effects as readonly Effect[],
    /** The services as one process sees them: every call travels, and may come to grief. */
    servicesFor: <Services extends object>(services: Services): Services => wrapped(services, '', DEPTH),
    run,
    /** From now on all is well. */
    heal(): void {
      healed = true;
    },
  };
};

/** The names of a service object's methods: `payments.charge`, or `charge` where they lie on top. Sorted. */
export const methodNames = (services: object): readonly string[] => {
  const found = new Set<string>();
  const visit = (target: object, path: string, depth: number): void => {
    for (let at: object | null = target; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null) {
      for (const key of Object.getOwnPropertyNames(at)) {
        const value = key === 'constructor' ? undefined : (Reflect.get(target, key) as unknown);
        if (typeof value === 'function') found.add(path + key);
        else if (depth > 1 && isService(value)) visit(value, `${path}${key}.`, depth - 1);
      }
    }
  };
  visit(services, '', DEPTH);
  return [...found].sort();
};
