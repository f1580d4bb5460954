import assert from 'node:assert/strict';
import type { ParkedDelivery, ParkedWrite } from '../../../core/records.ts';
import { shardOf } from '../../../core/shard.ts';
import type { Append, Batch, BatchResult, Lease, LeaseRef, Store, Unit, UnitResult } from '../../../core/store.ts';
import type { System } from '../../../core/system.ts';

/** A `System` whose time a case moves; `virtualSystem()` is one. */
export interface TestSystem extends System {
  advance(ms: number): Promise<void>;
  stepWallClock(byMs: number): void;
}

/** One empty, opened store, and what the suite needs around it. */
export interface StoreSubject {
  readonly store: Store;
  /** The one the store was made with: it has to take its clock, timers and randomness from there. */
  readonly system: TestSystem;
  /** Another open connection to the same data, as another process would have; left out where data can't be shared. */
  readonly another?: () => Promise<Store>;
  /** Closes `store` and opens the same data again, as after a restart; left out where nothing outlives the process. */
  readonly reopen?: () => Promise<Store>;
  /**
   * For each earlier schema, an open store over what `writeOlderData` left behind under it (of a copy: the case writes to it).
   * Left out while there is but one schema.
   */
  readonly older?: () => Promise<readonly Store[]>;
  /** Closes all that was opened and removes the data. */
  readonly close: () => Promise<void>;
}

/** The parts of a subject that a store may lack. */
export type StorePart = 'another' | 'reopen' | 'older';

/** Registers one case of the suite. `needs` names the optional part of the subject without which it is skipped. */
export interface StoreCase {
  (title: string, body: (subject: StoreSubject) => Promise<void>): void;
  <Part extends StorePart>(
    title: string,
    body: (subject: StoreSubject & Required<Pick<StoreSubject, Part>>) => Promise<void>,
    needs: Part,
  ): void;
}

let batches = 0;

export const batchOf = (units: readonly Unit[], more: Partial<Batch> = {}): Batch => {
  batches += 1;
  return { owner: 'api', id: `batch-${batches}`, units, progress: [], ...more };
};

export const commit = (store: Store, units: readonly Unit[], more: Partial<Batch> = {}): Promise<BatchResult> =>
  store.commit(batchOf(units, more));

/** Commits one unit and gives its result. */
export const commitOne = async (store: Store, unit: Unit, more: Partial<Batch> = {}): Promise<UnitResult> => {
  const { units } = await commit(store, [unit], more);
  assert.equal(units.length, 1);
  return units[0] as UnitResult;
};

/** Commits units that must all win. */
export const mustCommit = async (store: Store, units: readonly Unit[], more: Partial<Batch> = {}): Promise<BatchResult> => {
  const result = await commit(store, units, more);
  for (const unit of result.units) assert.equal(unit.won, true, `expected every unit to win, got ${JSON.stringify(unit)}`);
  return result;
};

/** `howMany` events of type `Happened`, whose payload counts them. */
export const events = (howMany = 1, data: (index: number) => string = (index) => JSON.stringify({ index })): Append['events'] =>
  Array.from({ length: howMany }, (_, index) => ({ type: 'Happened', schema: 1, data: data(index), time: 1_700_000_000_000 + index }));

export const append = (stream: string, expected: Append['expected'] = 'any', howMany = 1): Append => ({
  stream,
  expected,
  events: events(howMany),
});

/** One event and the state after it. */
export const folded = (stream: string, expected: Append['expected'], status: string | null, state = '{}'): Append => ({
  stream,
  expected,
  events: events(1),
  fold: { state, status, fingerprint: 'v1' },
});

/** Names of streams that lie in the given shard. */
export const streamsIn = (store: Store, shard: number, howMany: number): string[] => {
  const found: string[] = [];
  for (let i = 0; found.length < howMany; i += 1) if (shardOf(`s${i}`, store.shards) === shard) found.push(`s${i}`);
  return found;
};

export const tick = (store: Store, owner: string, more: Partial<Parameters<Store['tick']>[0]> = {}) =>
  store.tick({ owner, subscriptions: ['mail'], leaseMs: 10_000, release: [], claim: true, ...more });

/** Registers the subscription and takes all its leases, ascending by shard. */
export const own = async (store: Store, owner = 'worker', subscription = 'mail'): Promise<readonly Lease[]> => {
  await store.register([{ name: subscription, start: 'beginning' }]);
  const { gained } = await tick(store, owner, { subscriptions: [subscription] });
  assert.equal(gained.length, store.shards, 'expected a single owner to gain every shard');
  return [...gained].sort((a, b) => a.shard - b.shard);
};

export const refOf = ({ subscription, shard, epoch }: LeaseRef): LeaseRef => ({ subscription, shard, epoch });

/** Hands everything over from one owner to the next and gives what the next one is told. */
export const handOver = async (
  store: Store,
  leases: readonly LeaseRef[],
  from: string,
  to: string,
  clean = true,
): Promise<readonly Lease[]> => {
  const subscriptions = [...new Set(leases.map(({ subscription }) => subscription))];
  const release = leases.map((lease) => ({ lease: refOf(lease), clean }));
  await tick(store, from, { subscriptions, release, claim: false });
  return [...(await tick(store, to, { subscriptions })).gained].sort((a, b) => a.shard - b.shard);
};

/** A record for version `version` of `stream`, scheduled and due at once. */
export const delivery = (store: Store, stream: string, version: number, more: Partial<ParkedDelivery> = {}): ParkedDelivery => {
  const subscription = more.subscription ?? 'mail';
  return {
    id: `${subscription}:${stream}@${version}`,
    kind: 'delivery',
    subscription,
    shard: shardOf(stream, store.shards),
    stream,
    version,
    position: version,
    type: 'Happened',
    state: 'scheduled',
    dueAt: 0,
    attempts: 0,
    generation: 0,
    startedAt: null,
    lostStarts: 0,
    holds: true,
    cause: null,
    deadAt: null,
    closedAt: null,
    detail: '{}',
    revision: 0,
    ...more,
  };
};

export const timer = (store: Store, stream: string, name: string, more: Partial<ParkedDelivery> = {}): ParkedDelivery =>
  delivery(store, stream, 0, {
    id: `${more.subscription ?? 'mail'}:${stream}#${name}`,
    kind: 'timer',
    position: 0,
    type: name,
    holds: false,
    ...more,
  });

export const absent = (record: ParkedDelivery, more: Partial<ParkedWrite> = {}): ParkedWrite => ({ record, expect: 'absent', ...more });

/** Changes a parked delivery as it stands. */
export const change = async (
  store: Store,
  id: string,
  changes: Partial<ParkedDelivery>,
  more: Partial<ParkedWrite> = {},
): Promise<UnitResult> => {
  const found = await store.parked(id);
  assert.ok(found, `expected ${id} to be parked`);
  return commitOne(store, { park: [{ record: { ...found.parked, ...changes }, expect: found.parked.revision, ...more }] });
};

export const recordOf = async (store: Store, id: string): Promise<ParkedDelivery> => {
  const found = await store.parked(id);
  assert.ok(found, `expected ${id} to be parked`);
  return found.parked;
};

/** Everything in the log, shard by shard. */
export const wholeLog = (store: Store) => Promise.all(Array.from({ length: store.shards }, (_, shard) => store.read(shard, 0, 1_000_000)));

/** Looks again and again, a turn of the event loop apart, while `work` goes on, and once after it. Fails as soon as either fails. */
export const meanwhile = async (look: () => Promise<void>, work: () => Promise<void>): Promise<void> => {
  let working = true;
  const watched = async () => {
    while (working) {
      await look();
      await new Promise(setImmediate);
    }
    await look();
  };
  const worked = work().finally(() => {
    working = false;
  });
  await Promise.all([watched(), worked]);
};
