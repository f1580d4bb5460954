import { OrderfoldError } from '../../core/errors.ts';
import type { Store } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import type { VirtualSystem } from '../virtual-system.ts';

/** What strikes a process at its n-th call of one member of the store, or of any, counted from 1. */
export interface StoreFault {
  readonly of:
    | 'any'
    | 'open'
    | 'register'
    | 'commit'
    | 'lookUp'
    | 'tick'
    | 'heads'
    | 'read'
    | 'due'
    | 'held'
    | 'stream'
    | 'events'
    | 'parked'
    | 'dead'
    | 'causes'
    | 'prune'
    | 'documents'
    | 'documentPage'
    | 'pauses';
  readonly nth: number;
  /**
   * `…Before`: the store never saw the call; `…After`: it did all of it, and the reply was lost. `refuse`: not seen, and
   * asking again is said to be of no use. `slow`: the reply takes a second; `lag`: a fiftieth of one; `stuck`: ten.
   */
  readonly kind: 'rejectBefore' | 'rejectAfter' | 'refuse' | 'crashBefore' | 'crashAfter' | 'slow' | 'lag' | 'stuck';
}

export interface ProcessOptions {
  readonly faults?: readonly StoreFault[];
  /** Each way to the store takes up to this long. @default 0 */
  readonly latencyMs?: number;
  /** Whose commits the process is told of. @default 'others' */
  readonly hints?: 'others' | 'none';
  /** Hears of every call of the store. */
  readonly asked?: (member: string, given: readonly unknown[]) => void;
  /** Hears of every fault and outage that strikes one. */
  readonly struck?: (member: string, how: string) => void;
  /** Calls so far by member, for a fault's `nth`; a process that takes another's place goes on counting. @default none */
  readonly calls?: Map<string, number>;
  /** Is told when it dies. */
  readonly died?: () => void;
}

/** One operating-system process: what it holds of the world dies, stalls or is cut off with it. */
export interface Process {
  readonly name: string;
  readonly system: System;
  readonly store: Store;
  readonly alive: boolean;
  readonly stalled: boolean;
  /** A call of the store that a fault has struck has not come back yet. */
  readonly ailing: boolean;
  /** Timers it has armed that neither fired nor were cancelled. */
  readonly timers: number;
  /** Faults and outages that really struck. */
  readonly struck: number;
  /** Ends at once. Store calls on their way arrive all the same if `arrive`, but nobody hears of them. */
  crash(arrive?: boolean): void;
  /** Does nothing for a while, then everything it missed. */
  stall(durationMs: number): void;
  /** Its calls of the store fail for a while, not seen by it; everything else goes on. */
  cutOff(durationMs: number): void;
  /** Its own wall clock jumps. */
  stepWallClock(byMs: number): void;
  /** What runs inside the process: never begins in a dead one, and what it comes to is not heard by one. */
  inside<T>(work: () => T | Promise<T>): Promise<T>;
  sleep(durationMs: number): Promise<void>;
}

/** Processes over one store and one clock. */
export interface Cluster {
  process(name: string, options?: ProcessOptions): Process;
  /** Until then every store call of every process is refused, before or after it was carried out; `full`: no commit is taken. */
  away(durationMs: number, when: 'before' | 'after' | 'full'): void;
  /** No outage and no fault strikes from now on. */
  heal(): void;
}

interface Watcher {
  readonly of: string;
  readonly changed: () => void;
  /** It hears of it soon. */
  told: boolean;
}

const HINT_MS = 10;
const REPLY_MS = { lag: 20, slow: 1000, stuck: 10_000 } as const;

type Strike = StoreFault['kind'] | 'before' | 'after';

const never = <T>(): Promise<T> => new Promise<T>(() => {});

export const createCluster = (system: VirtualSystem, shared: Store): Cluster => {
  let healed = false;
  let outage: { readonly until: number; readonly when: 'before' | 'after' | 'full' } = { until: 0, when: 'before' };
  const watchers = new Set<Watcher>();
  /** Hints come a little later, several as one, as those of a file system do. */
  const hint = (watcher: Watcher): void => {
    if (watcher.told) return;
    watcher.told = true;
    system.setTimer(Math.floor(system.random() * HINT_MS), () => {
      watcher.told = false;
      watcher.changed();
    });
  };

  const process = (name: string, options: ProcessOptions = {}): Process => {
    const { faults = [], latencyMs = 0, hints = 'others', asked, calls = new Map<string, number>() } = options;
    let alive = true;
    let arrives = false;
    let backlog: (() => void)[] | null = null;
    /** Calls that a fault has struck and that have not come back yet. */
    const ailing = new Set<Promise<unknown>>();
    let struck = 0;
    let cutOffUntil = 0;
    let ids = 0;
    let wallOffsetMs = 0;
    const armed = new Set<() => void>();

    const enter = (task: () => void): void => {
      if (!alive) return;
      if (backlog === null) task();
      else backlog.push(task);
    };
    const heard = <T>(promise: Promise<T>): Promise<T> =>
      new Promise((resolve, reject) =>
        promise.then(
          (value) => enter(() => resolve(value)),
          (error: unknown) => enter(() => reject(error)),
        ),
      );
    const after = (delayMs: number): Promise<void> =>
      delayMs <= 0 ? Promise.resolve() : new Promise((resolve) => void system.setTimer(delayMs, resolve));
    const oneWay = (): Promise<void> => (latencyMs === 0 ? Promise.resolve() : after(Math.floor(system.random() * (latencyMs + 1))));
    const fault = (retryable = true) => new OrderfoldError('STORE', `the store does not answer ${name}`, { retryable });

    const count = (name: string): number => {
      calls.set(name, (calls.get(name) ?? 0) + 1);
      return calls.get(name) ?? 0;
    };

    const crash = (arrive = false): void => {
      if (!alive) return;
      alive = false;
      arrives = arrive;
      backlog = null;
      for (const cancel of armed) cancel();
      armed.clear();
      for (const watcher of watchers) if (watcher.of === name) watchers.delete(watcher);
      options.died?.();
    };

    const outageFor = (member: string): 'before' | 'after' | undefined => {
      const now = system.monotonic();
      if (now < cutOffUntil) return 'before';
      if (now >= outage.until) return undefined;
      return outage.when !== 'full' ? outage.when : member === 'commit' ? 'before' : undefined;
    };

    const strikeFor = (member: string): Strike | undefined => {
      const overall = count('any');
      const ofMember = count(member);
      if (healed) return undefined;
      const planned = faults.find(({ of, nth }) => (of === 'any' && nth === overall) || (of === member && nth === ofMember));
      const strike = planned?.kind ?? outageFor(member);
      if (strike === undefined) return undefined;
      struck += 1;
      options.struck?.(member, strike);
      return strike;
    };

    const travel = async <T>(strike: Strike | undefined, carryOut: () => Promise<T>): Promise<T> => {
      await oneWay();
      if (!alive && !arrives) return never();
      if (strike === 'crashBefore') {
        crash();
        return never();
      }
      if (strike === 'rejectBefore' || strike === 'refuse' || strike === 'before') throw fault(strike !== 'refuse');
      const result = await carryOut();
      if (strike === 'crashAfter') crash();
      if (strike === 'rejectAfter' || strike === 'after') throw fault();
      await (strike !== undefined && strike in REPLY_MS ? after(REPLY_MS[strike as keyof typeof REPLY_MS]) : oneWay());
      return result;
    };

    const call = <T>(member: string, carryOut: () => Promise<T>): Promise<T> => {
      if (!alive) return never();
      const strike = strikeFor(member);
      const travelled = travel(strike, carryOut);
      if (strike === undefined) return heard(travelled);
      const back = (): boolean => ailing.delete(travelled);
      ailing.add(travelled);
      travelled.then(back, back);
      return heard(travelled);
    };

    const store = new Proxy(shared, {
      get(target, key) {
        const member = target[key as keyof Store];
        if (key === 'watch') {
          return (changed: () => void) => {
            const watcher: Watcher = { of: name, changed: () => enter(changed), told: false };
            if (hints !== 'none') watchers.add(watcher);
            return () => watchers.delete(watcher);
          };
        }
        if (typeof member !== 'function' || key === 'close') return member;
        return (...given: unknown[]) => {
          if (alive) asked?.(key as string, given);
          return call(key as string, async () => {
            const result = await (member as (...args: unknown[]) => Promise<unknown>)(...given);
            if (key === 'commit') for (const watcher of watchers) if (watcher.of !== name) hint(watcher);
            return result;
          });
        };
      },
    });

    const own: System = {
      now: () => system.now() + wallOffsetMs,
      monotonic: system.monotonic,
      random: system.random,
      id: () => `${name}-${++ids}`,
      setTimer(delayMs, fire) {
        if (!alive) return { cancel: () => {} };
        let live = true;
        const timer = system.setTimer(delayMs, () => {
          armed.delete(cancel);
          enter(() => live && fire());
        });
        const cancel = (): void => {
          live = false;
          armed.delete(cancel);
          timer.cancel();
        };
        armed.add(cancel);
        return { cancel };
      },
      soon: (task) => system.soon(() => enter(task)),
    };

    return {
      name,
      system: own,
      store,
      get alive() {
        return alive;
      },
      get stalled() {
        return backlog !== null;
      },
      get ailing() {
        return alive && ailing.size > 0;
      },
      get timers() {
        return armed.size;
      },
      get struck() {
        return struck;
      },
      crash,
      cutOff(durationMs) {
        cutOffUntil = system.monotonic() + durationMs;
      },
      stall(durationMs) {
        if (!alive || backlog !== null) return;
        backlog = [];
        system.setTimer(durationMs, () => {
          const missed = backlog ?? [];
          backlog = null;
          for (const task of missed) enter(task);
        });
      },
      stepWallClock(byMs) {
        wallOffsetMs += byMs;
      },
      inside: (work) => (alive ? heard((async () => work())()) : never()),
      sleep: (durationMs) => new Promise((resolve) => void own.setTimer(durationMs, resolve)),
    };
  };

  return {
    process,
    away(durationMs, when) {
      outage = { until: system.monotonic() + durationMs, when };
    },
    heal() {
      healed = true;
    },
  };
};
