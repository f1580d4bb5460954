import type { StoredEvent } from '../../core/records.ts';
import { shardOf } from '../../core/shard.ts';
import type { Append, Appended } from '../../core/store.ts';
import { traced } from '../../core/traceparent.ts';
import type { Session } from './session.ts';
import * as SQL from './sql.ts';
import { fromSql, fromSqlOrNull, type SqlText, toSql, toSqlOrNull } from './text.ts';

/** Positions a shard has room for: a million million. */
const SHARD_SIZE = 2 ** 40;
const MOST_STREAMS_KNOWN = 10_000;

interface StreamHead {
  readonly id: number;
  version: number;
  status: string | null;
}

export interface EventRow {
  readonly id: number;
  readonly stream: SqlText;
  readonly version: number;
  readonly type: SqlText;
  readonly schema: number;
  readonly time: number;
  readonly data: SqlText;
  readonly cause: SqlText | null;
  readonly traceparent: SqlText | null;
}

export const eventIdAt = (shard: number, position: number): number => shard * SHARD_SIZE + position;
export const placeOf = (id: number): { readonly shard: number; readonly position: number } => ({
  shard: Math.floor(id / SHARD_SIZE),
  position: id % SHARD_SIZE,
});

export const storedEvent = (row: EventRow): StoredEvent => {
  const event = {
    stream: fromSql(row.stream),
    version: row.version,
    ...placeOf(row.id),
    type: fromSql(row.type),
    schema: row.schema,
    time: row.time,
    data: fromSql(row.data),
  };
  return traced(row.cause === null ? event : { ...event, cause: fromSql(row.cause) }, fromSqlOrNull(row.traceparent));
};

/** The events, the streams they belong to, and where both end. Its members run inside a transaction. */
export interface Log {
  /** Last position of the shard. */
  head(shard: number): number;
  version(stream: string): number;
  append(append: Append): Appended;
  /** Writes down how many streams came to each status; call it once before the commit. */
  flush(): void;
}

export const createLog = (session: Session): Log => {
  const heads = new Map<number, number>();
  const streams = new Map<string, StreamHead>();
  const byStatus = new Map<string, number>();
  session.remembers(() => {
    heads.clear();
    streams.clear();
    byStatus.clear();
  });

  const head = (shard: number): number => {
    const known = heads.get(shard);
    if (known !== undefined) return known;
    const { id } = session.sql(SQL.HEAD_OF_SHARD).get(eventIdAt(shard, 0), eventIdAt(shard + 1, 0)) as { readonly id: number | null };
    const found = id === null ? 0 : placeOf(id).position;
    heads.set(shard, found);
    return found;
  };

  const remember = (stream: string, found: StreamHead): StreamHead => {
    if (streams.size >= MOST_STREAMS_KNOWN) streams.clear();
    streams.set(stream, found);
    return found;
  };
  const find = (stream: string): StreamHead | undefined => {
    const known = streams.get(stream);
    if (known !== undefined) return known;
    const found = session.sql(SQL.FIND_STREAM).get(toSql(stream)) as unknown as StreamHead | undefined;
    return found && remember(stream, found);
  };

  const count = (status: string | null, by: number): void => {
    if (status !== null) byStatus.set(status, (byStatus.get(status) ?? 0) + by);
  };

  const create = (stream: string, version: number, fold: Append['fold']): StreamHead => {
    const status = fold?.status ?? null;
    const { lastInsertRowid } = session
      .sql(SQL.INSERT_STREAM)
      .run(
        toSql(stream),
        version,
        status,
        fold === undefined ? null : toSql(fold.state),
        fold === undefined ? 0 : version,
        fold?.fingerprint ?? null,
      );
    count(status, 1);
    return remember(stream, { id: Number(lastInsertRowid), version, status });
  };

  const advance = (found: StreamHead, version: number, fold: Append['fold']): StreamHead => {
    if (fold === undefined) session.sql(SQL.ADVANCE_STREAM).run(version, found.id);
    else if (fold.status === found.status)
      session.sql(SQL.FOLD_STREAM).run(version, toSql(fold.state), version, fold.fingerprint, found.id);
    else {
      // Apart from the other, because naming the status rewrites its index entry.
      session.sql(SQL.FOLD_STREAM_TO_STATUS).run(version, toSql(fold.state), version, fold.fingerprint, fold.status, found.id);
      count(found.status, -1);
      count(fold.status, 1);
      found.status = fold.status;
    }
    found.version = version;
    return found;
  };

  return {
    head,
    version: (stream) => find(stream)?.version ?? 0,
    append({ stream, events, fold }) {
      const shard = shardOf(stream, session.shards);
      const found = find(stream);
      const before = found?.version ?? 0;
      const last = head(shard);
      const appended = { stream, shard, firstVersion: before + 1, firstPosition: last + 1 };
      if (found === undefined && events.length === 0) return appended;
      const version = before + events.length;
      const { id } = found === undefined ? create(stream, version, fold) : advance(found, version, fold);
      const insert = session.sql(SQL.INSERT_EVENT);
      const from = eventIdAt(shard, last + 1);
      for (const [index, { type, schema, time, data, cause = null, traceparent = null }] of events.entries()) {
        const at = before + 1 + index;
        insert.run(from + index, id, at, toSql(type), schema, time, toSql(data), toSqlOrNull(cause), toSqlOrNull(traceparent));
      }
      heads.set(shard, last + events.length);
      return appended;
    },
    flush() {
      for (const [status, by] of byStatus) if (by !== 0) session.sql(SQL.COUNT_STATUS).run(status, by);
      byStatus.clear();
    },
  };
};
