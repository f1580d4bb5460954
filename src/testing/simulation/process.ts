import type { Store } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import type { VirtualSystem } from '../virtual-system.ts';
import type { Surroundings } from './cluster.ts';
import type { StoreFault } from './store-fault.ts';
import { linkToStore } from './store-link.ts';

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
  /** How often it stood still so far. */
  readonly stalls: number;
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

const never = <T>(): Promise<T> => new Promise<T>(() => {});

export const createProcess = (
  system: VirtualSystem,
  shared: Store,
  surroundings: Surroundings,
  name: string,
  options: ProcessOptions = {},
): Process => {
  let alive = true;
  let arrives = false;
  let backlog: (() => void)[] | null = null;
  let ids = 0;
  let stalls = 0;
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

  const crash = (arrive = false): void => {
    if (!alive) return;
    alive = false;
    arrives = arrive;
    backlog = null;
    for (const cancel of armed) cancel();
    armed.clear();
    options.died?.();
  };

  const host = {
    name,
    get alive() {
      return alive;
    },
    get arrives() {
      return arrives;
    },
    crash,
    enter,
    heard,
  };
  const link = linkToStore(system, shared, surroundings, host, options);

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
    store: link.store,
    get alive() {
      return alive;
    },
    get stalls() {
      return stalls;
    },
    get stalled() {
      return backlog !== null;
    },
    get ailing() {
      return alive && link.ailing;
    },
    get timers() {
      return armed.size;
    },
    get struck() {
      return link.struck;
    },
    crash,
    cutOff: link.cutOff,
    stall(durationMs) {
      if (!alive || backlog !== null) return;
      backlog = [];
      stalls += 1;
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
