import { backlogOf, markDone } from '../../core/checkpoint.ts';
import { OrderfoldError } from '../../core/errors.ts';
import type { KeyClaim, ParkedDelivery, StoredEvent, StreamRow } from '../../core/records.ts';
import { shardOf } from '../../core/shard.ts';
import type { Append, Appended, Batch, BatchResult, Store, Unit, UnitResult } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import { traced } from '../../core/traceparent.ts';
import { memoryDocuments } from './documents.ts';
import { memoryLeases } from './leases.ts';
import { firstDue, memoryParked } from './parked.ts';
import { memoryPauses } from './pauses.ts';

interface Stream {
  row: StreamRow;
  readonly born: number;
  readonly events: StoredEvent[];
}

/** Shared, because most units want most things not at all. */
const NOTHING: readonly never[] = [];

/**
 * The reference store: everything in this process's memory, gone with it. It keeps payloads as JSON text and commits
 * like the durable ones, so it serves as a test double for them. Several buses may share one, at once or one after
 * another: closing it forgets nothing.
 * @param shards fixed for the store's life, 1 to 1024. @default 16
 */
export const createMemoryStore = (system: System, shards = 16): Store => {
  const log: StoredEvent[][] = Array.from({ length: shards }, () => []);
  const streams = new Map<string, Stream>();
  const keys = new Map<string, KeyClaim>();
  const leases = memoryLeases(shards);
  const parked = memoryParked();
  const documents = memoryDocuments();
  const pauses = memoryPauses();
  const replies = new Map<string, { readonly id: string; readonly result: BatchResult }>();
  /** By owner, the batches that were called absent. */
  const absent = new Map<string, Set<string>>();
  const watchers = new Set<() => void>();

  const headOf = (shard: number): number => log[shard]?.length ?? 0;
  const eventOf = (record: ParkedDelivery): StoredEvent | null => log[record.shard]?.[record.position - 1] ?? null;

  /** Why the unit loses, judged over what earlier units of the batch have written. */
  const guard = (unit: Unit): UnitResult | null => {
    if (unit.lease !== undefined && leases.current(unit.lease) === null) return { won: false, why: 'lease' };
    const taken = unit.key === undefined ? undefined : keys.get(unit.key.key);
    if (taken !== undefined) return { won: false, why: 'key', taken };
    const { appends = NOTHING, park = NOTHING, documents: guarded = NOTHING } = unit;
    // One unit may append to a stream several times, each expecting what the one before left.
    const ahead = appends.length > 1 ? new Map<string, number>() : null;
    for (const { stream, expected, events } of appends) {
      const actual = ahead?.get(stream) ?? streams.get(stream)?.row.version ?? 0;
      if (expected !== 'any' && actual !== (expected === 'none' ? 0 : expected)) return { won: false, why: 'version', stream, actual };
      ahead?.set(stream, actual + events.length);
    }
    for (const { record, expect } of park) {
      if ((parked.get(record.id)?.revision ?? 'absent') !== expect) return { won: false, why: 'revision', id: record.id };
    }
    for (const { collection, key, expect } of guarded) {
      if (expect !== 'any' && (documents.get(collection, key)?.revision ?? 'absent') !== expect) {
        return { won: false, why: 'document', collection, key };
      }
    }
    return null;
  };

  const create = (name: string): Stream => {
    const row = { stream: name, version: 0, status: null, state: null, stateVersion: 0, fingerprint: null };
    const stream: Stream = { row, born: streams.size, events: [] };
    streams.set(name, stream);
    return stream;
  };

  const append = ({ stream: name, events, fold }: Append): Appended => {
    const shard = shardOf(name, shards);
    const stream = streams.get(name) ?? create(name);
    const firstVersion = stream.row.version + 1;
    const firstPosition = headOf(shard) + 1;
    let version = stream.row.version;
    let position = firstPosition;
    for (const { type, schema, data, time, cause, traceparent } of events) {
      version += 1;
      const event = { stream: name, version, shard, position, type, schema, time, data };
      const stored = traced(cause === undefined ? event : { ...event, cause }, traceparent);
      position += 1;
      stream.events.push(stored);
      log[shard]?.push(stored);
    }
    const { status, state, stateVersion, fingerprint } = fold === undefined ? stream.row : { ...fold, stateVersion: version };
    stream.row = { stream: name, version, status, state, stateVersion, fingerprint };
    return { stream: name, shard, firstVersion, firstPosition };
  };

  const write = (unit: Unit): UnitResult => {
    const {
      lease: ref,
      done = NOTHING,
      key,
      appends = NOTHING,
      park = NOTHING,
      drop = NOTHING,
      supersede = NOTHING,
      wake = NOTHING,
      documents: kept = NOTHING,
    } = unit;
    const lease = ref === undefined || done.length === 0 ? null : leases.current(ref);
    if (lease !== null)
      lease.checkpoint = markDone(
        lease.checkpoint,
        done.map((position) => [position, position] as const),
      );
    if (key !== undefined) keys.set(key.key, key);
    const appended = appends.map(append);
    for (const change of park) parked.write(change, system.now());
    for (const id of drop) parked.drop(id);
    for (const id of supersede) parked.supersede(id, system.now());
    for (const id of wake) parked.wake(id, system.now());
    for (const document of kept) documents.write(document);
    for (const pause of unit.pause ?? NOTHING) pauses.pause(pause, system.now());
    for (const pause of unit.resume ?? NOTHING) pauses.resume(pause, system.now());
    for (const subscription of unit.rebuild ?? NOTHING) {
      documents.clear(subscription);
      parked.clear(subscription);
      leases.rebuild(subscription);
    }
    return { won: true, appended };
  };

  const commit = (batch: Batch): BatchResult => {
    if (absent.get(batch.owner)?.has(batch.id) === true) {
      throw new OrderfoldError('STORE', `batch ${batch.id} was called absent for good`, { retryable: false });
    }
    const units = batch.units.map((unit) => guard(unit) ?? write(unit));
    const lost = batch.progress.flatMap(({ lease: ref, done, startMark }) => {
      const lease = leases.current(ref);
      if (lease === null) return [ref];
      lease.checkpoint = markDone(lease.checkpoint, done);
      if (startMark !== undefined) lease.startMark = Math.max(lease.startMark, startMark === 'head' ? headOf(ref.shard) : startMark);
      return [];
    });
    const result = { units, lost };
    replies.set(batch.owner, { id: batch.id, result });
    for (const changed of watchers) system.soon(changed);
    return result;
  };

  return {
    shards,
    async open() {},
    async register(subscriptions) {
      for (const { name, start } of subscriptions) leases.register(name, (shard) => (start === 'head' ? headOf(shard) : 0));
    },
    async commit(batch) {
      return commit(batch);
    },
    async lookUp(owner, batchId) {
      const reply = replies.get(owner);
      if (reply?.id === batchId) return reply.result;
      absent.set(owner, (absent.get(owner) ?? new Set()).add(batchId));
      return null;
    },
    async heads() {
      return log.map((events) => events.length);
    },
    async read(shard, after, limit) {
      return log[shard]?.slice(after, after + limit) ?? [];
    },
    async events(stream, after, limit) {
      return streams.get(stream)?.events.slice(after, after + limit) ?? [];
    },
    async stream(stream) {
      return streams.get(stream)?.row ?? null;
    },
    async streams({ status }, limit, cursor) {
      const rows = [...streams.values()]
        .filter(({ row }) => row.status !== null && (status === undefined || row.status === status) && row.stateVersion > 0)
        .sort((a, b) => b.born - a.born)
        .filter(({ born }) => cursor === null || born < Number(cursor));
      const next = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit).map(({ row }) => row), nextCursor: next === undefined ? null : String(next.born) };
    },
    async tick(tick) {
      return leases.tick(tick, system.monotonic(), (lease) => {
        const open = parked.openIn(lease);
        return { parked: open.length, started: open.filter((record) => record.startedAt !== null) };
      });
    },
    async due(refs, limit, but) {
      const now = system.now();
      const runnable = refs
        .filter(({ subscription }) => !pauses.isPaused('subscription', subscription))
        .flatMap(parked.runnable)
        .filter(({ kind, stream, id }) => (kind === 'timer' || !pauses.isPaused('stream', stream)) && but?.has(id) !== true)
        .sort((a, b) => a.dueAt - b.dueAt);
      const { due, next } = firstDue(runnable, now, limit);
      return {
        deliveries: due.map((record) => ({ parked: record, event: eventOf(record) })),
        nextInMs: next === undefined ? null : Math.max(0, next.dueAt - now),
      };
    },
    async held(subscription, candidates) {
      return candidates.map(({ stream, version }) => pauses.isPaused('stream', stream) || parked.isHeld(subscription, stream, version));
    },
    async parked(id) {
      const record = parked.get(id);
      return record === undefined ? null : { parked: record, event: eventOf(record) };
    },
    async parkedOf(stream, which) {
      return parked.ofStream(stream, which);
    },
    async dead(filter, limit, cursor) {
      return parked.dead(filter, limit, cursor);
    },
    async causes(filter) {
      return parked.causes(filter);
    },
    async prune(olderThanMs, limit) {
      return parked.prune(system.now() - olderThanMs, limit);
    },
    async documents(collection, wanted) {
      return wanted.map((key) => documents.get(collection, key) ?? null);
    },
    async documentPage(collection, prefix, limit, cursor) {
      return documents.page(collection, prefix, limit, cursor);
    },
    async pauses(stream) {
      return stream === undefined ? pauses.open() : pauses.ofStream(stream);
    },
    async counts() {
      const byStatus = new Map<string, number>();
      for (const { row } of streams.values()) if (row.status !== null) byStatus.set(row.status, (byStatus.get(row.status) ?? 0) + 1);
      const subscriptions: Record<string, { backlog: number; scheduled: number; dead: number; retries: number }> = {};
      for (const name of leases.names()) {
        const backlog = leases.of(name).reduce((sum, { checkpoint, shard }) => sum + backlogOf(checkpoint, headOf(shard)), 0);
        subscriptions[name] = { backlog, ...parked.tally(name) };
      }
      return { streams: Object.fromEntries(byStatus), subscriptions };
    },
    watch(changed) {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
    async close() {},
  };
};
