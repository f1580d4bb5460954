import { seeded } from '../../core/seeded.ts';
import type { BrokerFault } from './broker.ts';
import type { ResolvedFaults } from './faults.ts';
import type { Action, CallFate, Fates, RunFate, SimulationPlan } from './plan.ts';
import type { StoreFault } from './store-fault.ts';

/** From what plans are drawn. */
export interface PlanSpace {
  /** Least and most. */
  readonly orders: readonly [number, number];
  readonly workers: readonly [number, number];
  readonly apis: readonly [number, number];
  /** Names of the services' methods. */
  readonly calls: readonly string[];
  /** Names of the handlers: `payment`, `payment:undo`, and of subscriptions. */
  readonly handlers: readonly string[];
  readonly deadlineMs: number | undefined;
  readonly faults: ResolvedFaults;
}

export const CALL_FATES: readonly CallFate[] = ['slow', 'down', 'lost', 'hang', 'late', 'twice', 'secret'];
export const DEADLY_FATES: readonly (CallFate & RunFate)[] = ['kill', 'killBefore'];
export const RUN_FATES: readonly RunFate[] = ['throw', 'permanent', 'lost', 'hang', 'block'];
export const STORE_CALLS: readonly StoreFault['of'][] = [
  'any',
  'commit',
  'commit',
  'commit',
  'lookUp',
  'tick',
  'heads',
  'read',
  'due',
  'held',
  'stream',
  'events',
  'parked',
];
const STORE_KINDS: readonly StoreFault['kind'][] = ['rejectBefore', 'rejectAfter', 'slow', 'lag', 'stuck'];
export const PUBLISH_KINDS = ['rejectBefore', 'rejectAfter', 'half', 'slow', 'crashBefore', 'crashAfter'] as const;
export const MESSAGE_KINDS = ['lost', 'twice', 'late'] as const;
const CRASH_KINDS: readonly StoreFault['kind'][] = ['crashBefore', 'crashAfter'];

const HOUR_MS = 3_600_000;

/** Draws the plan of a seed: the same on every machine. About every eighth run is left in peace. */
export const drawPlan = (seed: number, space: PlanSpace): SimulationPlan => {
  const random = seeded(seed);
  const below = (most: number): number => Math.floor(random() * most);
  const between = ([least, most]: readonly [number, number]): number => least + below(most - least + 1);
  const oneOf = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const chance = (probability: number): boolean => random() < probability;
  const { faults } = space;
  const calm = chance(0.12);
  const happens = (name: keyof ResolvedFaults, probability: number): boolean => !calm && faults[name] && chance(probability);

  const shards = oneOf([1, 1, 2, 4]);
  const apis = between(space.apis);
  const workers = between(space.workers);
  const processes = apis + workers;
  const orders = between(space.orders);
  /** Within which actions come: crowded, usual, or long enough for retries to end. */
  const spanMs = oneOf([30, 30, 300, 300, 1500, 10_000]);
  const at = (): number => below(spanMs);

  const callFates: readonly CallFate[] = [...(faults.services ? CALL_FATES : []), ...(faults.poison ? DEADLY_FATES : [])];
  const runFates: readonly RunFate[] = [...(faults.handlers ? RUN_FATES : []), ...(faults.poison ? DEADLY_FATES : [])];
  const series = (from: readonly (CallFate | RunFate)[]): (CallFate | RunFate)[] => {
    // Often enough to use up the attempts of any policy that one would write down.
    if (chance(0.12)) return Array<CallFate | RunFate>(oneOf([8, 25])).fill(oneOf(from));
    return Array.from({ length: 1 + below(3) }, () => (chance(0.25) ? 'ok' : oneOf(from)));
  };
  const fatesFor = (): Fates => {
    const fates: Record<string, readonly (CallFate | RunFate)[]> = {};
    if (callFates.length > 0 && space.calls.length > 0) for (let n = below(3); n > 0; n -= 1) fates[oneOf(space.calls)] = series(callFates);
    if (runFates.length > 0 && chance(0.35)) fates[oneOf(space.handlers)] = series(runFates);
    return fates;
  };

  const actions: Action[] = [];
  for (let n = 0; n < orders; n += 1)
    actions.push({
      at: Math.floor(at() / 2),
      do: 'place',
      order: below(1000),
      fates: calm || chance(0.3) ? {} : fatesFor(),
      times: happens('repeats', 0.15) ? 2 : 1,
    });
  /** So many of a kind for every four orders. */
  const several = (name: keyof ResolvedFaults, rate: number, make: () => Action): void => {
    if (!happens(name, rate)) return;
    for (let n = 1 + below(Math.ceil(orders / 4)); n > 0; n -= 1) actions.push(make());
  };
  const anyOrder = (): number => below(orders);
  const anyProcess = (): number => below(processes);
  several('cancels', 0.5, () => ({ at: at(), do: 'cancel', order: anyOrder(), by: below(apis) }));
  several('cancels', 0.1, () => ({ at: at(), do: 'cancelLater', order: anyOrder(), by: below(apis), inMs: below(3000) }));
  several('operators', 0.4, () => ({
    at: at(),
    do: oneOf(['redrive', 'redrive', 'discard', 'edit']),
    by: anyProcess(),
    times: 1 + below(2),
  }));
  several('operators', 0.15, () => ({
    at: at(),
    do: oneOf(['look', 'pauseOrder', 'pauseOrder', 'resumeOrder']),
    order: anyOrder(),
    by: below(apis),
  }));
  several('operators', 0.2, () => ({ at: at(), do: 'stop', who: anyProcess(), graceMs: oneOf([0, 20, 1000]) }));
  several('crashes', 0.45, () => ({ at: at(), do: 'crash', who: anyProcess(), arrive: chance(0.5) }));
  several('stalls', 0.25, () => ({ at: at(), do: 'stall', who: anyProcess(), forMs: oneOf([200, 1100, 4000, 12_000]) }));
  several('store', 0.2, () => ({ at: at(), do: 'away', forMs: oneOf([20, 300, 3000]), when: oneOf(['before', 'after']) }));
  several('store', 0.2, () => ({ at: at(), do: 'cutOff', who: anyProcess(), forMs: oneOf([300, 1500, 12_000]) }));
  several('fullDisk', 0.12, () => ({ at: at(), do: 'away', forMs: oneOf([200, 3000]), when: 'full' }));
  several('clocks', 0.1, () => ({ at: at(), do: 'storeClock', byMs: oneOf([space.deadlineMs ?? HOUR_MS, HOUR_MS]) }));
  several('clocks', 0.1, () => ({ at: at(), do: 'wallClock', who: anyProcess(), byMs: oneOf([-HOUR_MS, HOUR_MS]) }));

  const kinds = [...(faults.store ? STORE_KINDS : []), ...(faults.crashes ? CRASH_KINDS : [])];
  const storeFaults = Array.from({ length: processes }, (): StoreFault[] =>
    calm || kinds.length === 0 || chance(0.5)
      ? []
      : Array.from({ length: 1 + below(3) }, () => ({ of: oneOf(STORE_CALLS), nth: 1 + below(oneOf([5, 40])), kind: oneOf(kinds) })),
  );
  const concurrency = oneOf([1, 8, 64]);
  const leaseMs = oneOf([1000, 10_000]);
  const latencyMs = oneOf([0, 2, 5]);
  const hints = oneOf(['others', 'others', 'none'] as const);
  // Drawn last, so that the rest of a plan is the same with a broker as without.
  const hasBroker = faults.broker && chance(1 / 3);
  const brokerFault = (): BrokerFault =>
    chance(0.4)
      ? { of: 'publish', nth: 1 + below(12), kind: oneOf(PUBLISH_KINDS) }
      : { of: 'message', nth: 1 + below(oneOf([10, 60])), kind: oneOf(MESSAGE_KINDS) };
  const broker = hasBroker && !calm ? Array.from({ length: below(7) }, brokerFault) : [];
  if (hasBroker) several('broker', 0.3, () => ({ at: at(), do: 'brokerAway', forMs: oneOf([50, 1500, 12_000]) }));
  return {
    seed,
    shards,
    apis,
    workers,
    concurrency,
    leaseMs,
    latencyMs,
    hints,
    storeFaults,
    actions,
    ...(hasBroker && { broker }),
  };
};
