import { isOpen, type ParkedDelivery, type StoredEvent } from '../../core/records.ts';
import type { Batch, BatchResult, Store, Unit } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import { TIMERS } from '../../runtime/parking.ts';

/** What the store was really told, seen from beneath every process. */
export interface Witness {
  readonly store: Store;
  /** By stream, in version order; `writtenAt` by the store's clock. */
  readonly events: ReadonlyMap<string, readonly (StoredEvent & { readonly writtenAt: number })[]>;
  /** As they are now; `dueAt` by the store's clock. */
  readonly parked: ReadonlyMap<string, ParkedDelivery>;
  /** All of them, in the order they were written. */
  readonly written: readonly StoredEvent[];
  /** When the last unit was written that changed anything, by the monotonic clock. */
  readonly changedAt: number;
  isDone(subscription: string, event: StoredEvent): boolean;
  /** Whose the deliveries of a shard are, and under which epoch. */
  ownerOf(subscription: string, shard: number): { readonly owner: string; readonly epoch: number } | undefined;
  /** Owners that have not let go, by what they own. */
  owners(): ReadonlyMap<string, { readonly owner: string; readonly epoch: number }>;
  /** The order an idempotency key was bound to. */
  streamOf(key: string): string | undefined;
  /** What should never have been written, each under the invariant it breaks. */
  readonly faults: readonly { readonly invariant: string; readonly text: string }[];
  /** Is asked whenever a position is marked done without being parked: the handler must have succeeded. */
  onDone(check: (subscription: string, event: StoredEvent) => string | undefined): void;
  /** Is told of every lease that is gained. */
  gained(told: (subscription: string, shard: number) => void): void;
}

export const createWitness = (base: Store, system: System): Witness => {
  const events = new Map<string, (StoredEvent & { readonly writtenAt: number })[]>();
  const log = new Map<number, StoredEvent[]>();
  const parked = new Map<string, ParkedDelivery>();
  const done = new Set<string>();
  const owners = new Map<string, { owner: string; epoch: number }>();
  const faults: { invariant: string; text: string }[] = [];
  const wrong = (invariant: string, text: string): void => void faults.push({ invariant, text });
  const written: StoredEvent[] = [];
  const keys = new Map<string, string>();
  let tellGained: (subscription: string, shard: number) => void = () => {};
  let check: (subscription: string, event: StoredEvent) => string | undefined = () => undefined;

  const mark = (subscription: string, shard: number, position: number, park: Unit['park']): void => {
    done.add(`${subscription}/${shard}/${position}`);
    const event = log.get(shard)?.[position - 1];
    if (event === undefined) wrong('R1', `${subscription}: position ${position} of shard ${shard} is done and was never written`);
    else if (!(park ?? []).some(({ record }) => record.position === position && record.subscription === subscription)) {
      const fault = check(subscription, event);
      if (fault !== undefined) wrong('R1', fault);
    }
  };

  const note = (record: ParkedDelivery): void => {
    const before = parked.get(record.id);
    if (before !== undefined && !isOpen(before.state)) wrong('R2', `${record.id} was ${before.state} and is ${record.state}`);
    if (before !== undefined && before.generation === record.generation && before.attempts > record.attempts)
      wrong('R9', `${record.id} had ${before.attempts} attempts and has ${record.attempts}`);
    parked.set(record.id, record);
  };

  /** S18: what a timer leads to and its end are one unit, and not before it is due. */
  const firing = ({ appends = [], park = [] }: Unit): void => {
    const ended = park.filter(({ record }) => record.kind === 'timer' && record.state === 'done');
    if (appends.length > 0 && ended.length !== 1) wrong('S18', `${appends[0]?.stream}: a timer fires and ${ended.length} timers end`);
    for (const { record } of ended) {
      const early = (parked.get(record.id)?.dueAt ?? record.dueAt) - system.now();
      if (early > 0) wrong('S18', `${record.id} fires ${early} ms early`);
    }
  };

  let changedAt = 0;

  const unitWon = (unit: Unit, result: Extract<BatchResult['units'][number], { won: true }>): void => {
    for (const [index, { stream, shard, firstVersion, firstPosition }] of result.appended.entries()) {
      for (const [offset, event] of (unit.appends?.[index]?.events ?? []).entries()) {
        const stored = {
          ...event,
          stream,
          shard,
          version: firstVersion + offset,
          position: firstPosition + offset,
          writtenAt: system.now(),
        };
        const list = events.get(stream) ?? [];
        events.set(stream, list);
        written.push(stored);
        if (list.push(stored) !== stored.version)
          wrong('S16', `${stream} has version ${stored.version} as its event number ${list.length}`);
        const positions = log.get(shard) ?? [];
        log.set(shard, positions);
        positions.push(stored);
      }
    }
    changedAt = system.monotonic();
    if (unit.key !== undefined) keys.set(unit.key.key, unit.key.stream);
    for (const position of unit.done ?? []) if (unit.lease) mark(unit.lease.subscription, unit.lease.shard, position, unit.park);
    for (const { record, delayMs } of unit.park ?? [])
      note({ ...record, dueAt: delayMs === undefined ? record.dueAt : system.now() + delayMs });
    for (const id of unit.drop ?? []) parked.delete(id);
    for (const id of unit.supersede ?? []) {
      const record = parked.get(id);
      if (record?.state === 'dead') note({ ...record, state: 'superseded' });
    }
    for (const id of unit.wake ?? []) {
      const record = parked.get(id);
      if (record?.state === 'scheduled' && record.startedAt === null) note({ ...record, dueAt: system.now() });
    }
    for (const subscription of unit.rebuild ?? []) forget(subscription);
  };

  /** A subscription that begins anew has done nothing, owes nothing and belongs to nobody. */
  const forget = (subscription: string): void => {
    for (const mark of done) if (mark.startsWith(`${subscription}/`)) done.delete(mark);
    for (const [id, record] of parked) if (record.subscription === subscription) parked.delete(id);
    for (const lease of owners.keys()) if (lease.startsWith(`${subscription}/`)) owners.delete(lease);
  };

  const committed = (batch: Batch, result: BatchResult): BatchResult => {
    for (const [index, unit] of batch.units.entries()) {
      const outcome = result.units[index];
      if (outcome?.won !== true) continue;
      const { lease } = unit;
      if (lease !== undefined && owners.get(`${lease.subscription}/${lease.shard}`)?.epoch !== lease.epoch)
        wrong('R12', `a unit won under epoch ${lease.epoch} of ${lease.subscription}, shard ${lease.shard}, which is over`);
      if (lease?.subscription === TIMERS) firing(unit);
      unitWon(unit, outcome);
    }
    for (const { lease, done: ranges } of batch.progress) {
      if (result.lost.some((gone) => gone.subscription === lease.subscription && gone.shard === lease.shard)) continue;
      for (const [from, to] of ranges)
        for (let position = from; position <= to; position += 1) mark(lease.subscription, lease.shard, position, undefined);
    }
    return result;
  };

  const store: Store = {
    ...base,
    commit: (batch) => base.commit(batch).then((result) => committed(batch, result)),
    tick: (tick) =>
      base.tick(tick).then((result) => {
        for (const { lease } of tick.release) {
          const key = `${lease.subscription}/${lease.shard}`;
          if (owners.get(key)?.epoch === lease.epoch && owners.get(key)?.owner === tick.owner) owners.delete(key);
        }
        for (const { subscription, shard, epoch } of result.gained) {
          owners.set(`${subscription}/${shard}`, { owner: tick.owner, epoch });
          tellGained(subscription, shard);
        }
        return result;
      }),
  };

  return {
    store,
    events,
    parked,
    written,
    get changedAt() {
      return changedAt;
    },
    owners: () => owners,
    streamOf: (key) => keys.get(key),
    isDone: (subscription, { shard, position }) => done.has(`${subscription}/${shard}/${position}`),
    ownerOf: (subscription, shard) => owners.get(`${subscription}/${shard}`),
    faults,
    onDone(next) {
      check = next;
    },
    gained(told) {
      tellGained = told;
    },
  };
};
