import { OrderfoldError } from '../../core/errors.ts';
import type { Store } from '../../core/store.ts';
import type { VirtualSystem } from '../virtual-system.ts';
import type { Surroundings } from './cluster.ts';
import type { ProcessOptions } from './process.ts';
import { REJECTED, REPLY_MS, type Strike } from './store-fault.ts';

/** What a link has to know of the process at its end. */
interface Host {
  readonly name: string;
  readonly alive: boolean;
  /** Calls on their way arrive although it is dead. */
  readonly arrives: boolean;
  crash(): void;
  /** What the process does when it hears of something, unless it is dead; later, if it stands still. */
  enter(task: () => void): void;
  /** A result as the process hears of it. */
  heard<T>(promise: Promise<T>): Promise<T>;
}

/** A process's way to the store, on which calls and replies travel, are lost, and may kill it. */
export interface StoreLink {
  readonly store: Store;
  /** Faults and outages that really struck. */
  readonly struck: number;
  /** A call that a fault has struck has not come back yet. */
  readonly ailing: boolean;
  cutOff(durationMs: number): void;
}

const never = <T>(): Promise<T> => new Promise<T>(() => {});

export const linkToStore = (
  system: VirtualSystem,
  shared: Store,
  surroundings: Surroundings,
  host: Host,
  { faults = [], latencyMs = 0, hints = 'others', asked, struck: tellStruck, calls = new Map<string, number>() }: ProcessOptions,
): StoreLink => {
  const ailing = new Set<Promise<unknown>>();
  let struck = 0;
  let cutOffUntil = 0;

  const after = (delayMs: number): Promise<void> =>
    delayMs <= 0 ? Promise.resolve() : new Promise((resolve) => void system.setTimer(delayMs, resolve));
  const oneWay = (): Promise<void> => (latencyMs === 0 ? Promise.resolve() : after(Math.floor(system.random() * (latencyMs + 1))));
  const fault = (retryable = true) => new OrderfoldError('STORE', `the store does not answer ${host.name}`, { retryable });

  const count = (name: string): number => {
    const nth = (calls.get(name) ?? 0) + 1;
    calls.set(name, nth);
    return nth;
  };

  const strikeFor = (member: string): Strike | undefined => {
    const overall = count('any');
    const ofMember = count(member);
    if (surroundings.healed) return undefined;
    const planned = faults.find(({ of, nth }) => (of === 'any' && nth === overall) || (of === member && nth === ofMember));
    const outage = system.monotonic() < cutOffUntil ? 'before' : surroundings.outageFor(member);
    const strike = planned?.kind ?? outage;
    if (strike === undefined) return undefined;
    struck += 1;
    tellStruck?.(member, strike);
    return strike;
  };

  const travel = async <T>(strike: Strike | undefined, carryOut: () => Promise<T>): Promise<T> => {
    await oneWay();
    if (!host.alive && !host.arrives) return never();
    if (strike === 'crashBefore') {
      host.crash();
      return never();
    }
    if (strike !== undefined && REJECTED.has(strike)) throw fault(strike !== 'refuse');
    const result = await carryOut();
    if (strike === 'crashAfter') host.crash();
    if (strike === 'rejectAfter' || strike === 'after') throw fault();
    await (strike !== undefined && strike in REPLY_MS ? after(REPLY_MS[strike as keyof typeof REPLY_MS]) : oneWay());
    return result;
  };

  const call = <T>(member: string, carryOut: () => Promise<T>): Promise<T> => {
    if (!host.alive) return never();
    const strike = strikeFor(member);
    // Most calls by far: nothing lies between the process and its store.
    if (strike === undefined && latencyMs === 0) return host.heard(carryOut());
    const travelled = travel(strike, carryOut);
    if (strike === undefined) return host.heard(travelled);
    const back = (): boolean => ailing.delete(travelled);
    ailing.add(travelled);
    travelled.then(back, back);
    return host.heard(travelled);
  };

  const watch = (changed: () => void): (() => void) =>
    hints === 'none' ? () => {} : surroundings.watch(host.name, () => host.enter(changed));

  const store = new Proxy(shared, {
    get(target, key) {
      if (key === 'watch') return watch;
      const member = target[key as keyof Store];
      if (typeof member !== 'function' || key === 'close') return member;
      return (...given: unknown[]) => {
        if (host.alive) asked?.(key as string, given);
        return call(key as string, async () => {
          const result = await (member as (...args: unknown[]) => Promise<unknown>)(...given);
          if (key === 'commit') surroundings.committed(host.name);
          return result;
        });
      };
    },
  });

  return {
    store,
    get struck() {
      return struck;
    },
    get ailing() {
      return ailing.size > 0;
    },
    cutOff(durationMs) {
      cutOffUntil = system.monotonic() + durationMs;
    },
  };
};
