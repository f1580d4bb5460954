import { backlogOf } from '../../core/checkpoint.ts';
import { isOpen, type StoredEvent, type StreamRow } from '../../core/records.ts';
import type { Counts, Due, Store } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import type { Leases } from './leases.ts';
import { type EventRow, eventIdAt, type Log, storedEvent } from './log.ts';
import { page } from './page.ts';
import { type ParkedRow, parkedDelivery } from './parked-row.ts';
import type { Pauses } from './pauses.ts';
import type { Session } from './session.ts';
import { createShardReader } from './shard-reader.ts';
import * as SQL from './sql.ts';
import { fromSql, fromSqlOrNull, type SqlText, toSql } from './text.ts';

interface StreamsRow {
  readonly id: number;
  readonly stream: SqlText;
  readonly version: number;
  readonly status: string | null;
  readonly state: SqlText | null;
  readonly state_version: number;
  readonly fingerprint: string | null;
}

const streamRow = (row: StreamsRow): StreamRow => ({
  stream: fromSql(row.stream),
  version: row.version,
  status: row.status,
  state: fromSqlOrNull(row.state),
  stateVersion: row.state_version,
  fingerprint: row.fingerprint,
});

interface DueRow {
  readonly n: number;
  readonly due_at: number;
  readonly id: SqlText;
}

const NONE: ReadonlySet<string> = new Set();

type Reads = Pick<Store, 'heads' | 'read' | 'events' | 'stream' | 'streams' | 'due' | 'held' | 'parked' | 'parkedOf' | 'counts'>;

/** Everything that only reads, each answer of one moment. */
export const createReads = (session: Session, system: System, log: Log, leases: Leases, pauses: Pauses): Reads => {
  const { sql, read } = session;
  const readShard = createShardReader(session);

  const eventOf = ({ kind, shard, position }: ParkedRow): StoredEvent | null => {
    const row = kind === 'timer' ? undefined : (sql(SQL.EVENT).get(eventIdAt(shard, position)) as unknown as EventRow | undefined);
    return row === undefined ? null : storedEvent(row);
  };
  const withEvent = (row: ParkedRow) => ({ parked: parkedDelivery(row), event: eventOf(row) });

  return {
    heads: () => read(() => Array.from({ length: session.shards }, (_, shard) => log.head(shard))),
    read: (shard, after, limit) => read(() => readShard(shard, after, limit)),
    events: (stream, after, limit) =>
      read(() => (sql(SQL.READ_STREAM).all(toSql(stream), after, limit) as unknown as EventRow[]).map(storedEvent)),
    stream: (stream) =>
      read(() => {
        const row = sql(SQL.STREAM_ROW).get(toSql(stream)) as unknown as StreamsRow | undefined;
        return row === undefined ? null : streamRow(row);
      }),
    streams: ({ status }, limit, cursor) =>
      read(() => {
        const below = cursor === null ? Number.MAX_SAFE_INTEGER : Number(cursor);
        const rows =
          status === undefined ? sql(SQL.STREAMS).all(below, limit + 1) : sql(SQL.STREAMS_BY_STATUS).all(status, below, limit + 1);
        return page(rows as unknown as StreamsRow[], limit, streamRow, ({ id }) => String(id));
      }),

    due: (refs, limit, but = NONE) =>
      read((): Due => {
        const now = system.now();
        const found: DueRow[] = [];
        let nextAt = Infinity;
        const [dueSql, nextSql] = pauses.areStreams() ? [SQL.DUE_BUT_PAUSED, SQL.NEXT_DUE_BUT_PAUSED] : [SQL.DUE, SQL.NEXT_DUE];
        for (const subscription of new Set(refs.map((ref) => ref.subscription))) {
          if (pauses.isSubscription(subscription)) continue;
          const shards = JSON.stringify(refs.filter((ref) => ref.subscription === subscription).map(({ shard }) => shard));
          const wanted = (text: string, most: number): DueRow[] =>
            (sql(text).all(subscription, now, shards, most + but.size) as unknown as DueRow[]).filter(({ id }) => !but.has(fromSql(id)));
          const due = wanted(dueSql, limit + 1);
          const next = due[limit] ?? wanted(nextSql, 1)[0];
          nextAt = Math.min(nextAt, next?.due_at ?? Infinity);
          found.push(...due.slice(0, limit));
        }
        found.sort((a, b) => a.due_at - b.due_at || a.n - b.n);
        const deliveries = found.map(({ n }) => withEvent(sql(SQL.PARKED_AT).get(n) as unknown as ParkedRow));
        return { deliveries, nextInMs: nextAt === Infinity ? null : Math.max(0, nextAt - now) };
      }),
    held: (subscription, heads) =>
      read(() =>
        heads.map(
          ({ stream, version }) => pauses.isStream(stream) || sql(SQL.IS_HELD).get(subscription, toSql(stream), version) !== undefined,
        ),
      ),
    parked: (id) =>
      read(() => {
        const row = sql(SQL.FIND_PARKED).get(toSql(id)) as unknown as ParkedRow | undefined;
        return row === undefined ? null : withEvent(row);
      }),
    parkedOf: (stream, which) =>
      read(() =>
        (sql(SQL.PARKED_OF).all(toSql(stream)) as unknown as ParkedRow[])
          .filter(({ state }) => which === 'all' || isOpen(state))
          .map(parkedDelivery),
      ),

    counts: () =>
      read((): Counts => {
        const statuses = sql(SQL.STATUSES).all() as unknown as { readonly status: string; readonly streams: number }[];
        const backlogs = leases.backlogs();
        const rows = sql(SQL.SUBSCRIPTIONS).all() as unknown as { name: string; scheduled: number; dead: number; retries: number }[];
        const subscriptions = rows.map(({ name, scheduled, dead, retries }) => {
          const backlog = (backlogs.get(name) ?? []).reduce(
            (sum, { shard, checkpoint }) => sum + backlogOf(checkpoint, log.head(shard)),
            0,
          );
          return [name, { backlog, scheduled, dead, retries }] as const;
        });
        return {
          streams: Object.fromEntries(statuses.map(({ status, streams }) => [status, streams])),
          subscriptions: Object.fromEntries(subscriptions),
        };
      }),
  };
};
