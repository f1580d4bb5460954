import type { StatementSync } from 'node:sqlite';
import type { StoredEvent } from '../../core/records.ts';
import { traced } from '../../core/traceparent.ts';
import { eventIdAt } from './log.ts';
import type { Session } from './session.ts';
import * as SQL from './sql.ts';
import { fromSql, fromSqlOrNull, type SqlText } from './text.ts';

type Row = readonly [
  id: number,
  stream: number,
  version: number,
  type: SqlText,
  schema: number,
  time: number,
  data: SqlText,
  cause: SqlText | null,
  traceparent: SqlText | null,
];

const MOST_STREAMS_KNOWN = 10_000;

/** Node before 22.16 and 24.0 only has rows with names. */
const asArrays = (statement: StatementSync, rows: readonly unknown[]): readonly Row[] =>
  (statement.setReturnArrays === undefined ? rows.map((row) => Object.values(row as object)) : rows) as unknown as readonly Row[];

/**
 * Reads stretches of the log. Rows without names, and each stream's name asked for once, halve the time of what all workers do most.
 * Its member runs inside a transaction that has written nothing, so that what it remembers is committed; no name ever changes.
 */
export const createShardReader = (session: Session) => {
  const streams = new Map<number, string>();
  let prepared: StatementSync | null = null;

  const statement = (): StatementSync => {
    if (prepared === null) {
      prepared = session.sql(SQL.READ_SHARD);
      prepared.setReturnArrays?.(true);
    }
    return prepared;
  };

  const nameOf = (id: number): string | undefined => {
    const known = streams.get(id);
    if (known !== undefined) return known;
    const row = session.sql(SQL.NAME_OF_STREAM).get(id) as unknown as { readonly stream: SqlText } | undefined;
    if (row === undefined) return undefined;
    const name = fromSql(row.stream);
    if (streams.size >= MOST_STREAMS_KNOWN) streams.clear();
    streams.set(id, name);
    return name;
  };

  return (shard: number, after: number, limit: number): readonly StoredEvent[] => {
    const first = eventIdAt(shard, 0);
    const reading = statement();
    const rows = asArrays(reading, reading.all(first + after, eventIdAt(shard + 1, 0), limit));
    const events: StoredEvent[] = [];
    for (const [id, stream, version, type, schema, time, data, cause, traceparent] of rows) {
      const name = nameOf(stream);
      // An event of no stream is none: somebody has been at the file.
      if (name === undefined) continue;
      const event = { stream: name, version, shard, position: id - first, type: fromSql(type), schema, time, data: fromSql(data) };
      events.push(traced(cause === null ? event : { ...event, cause: fromSql(cause) }, fromSqlOrNull(traceparent)));
    }
    return events;
  };
};
