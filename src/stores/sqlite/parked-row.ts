import type { ParkedDelivery, ParkedState } from '../../core/records.ts';
import { fromSql, fromSqlOrNull, type SqlText, toSql, toSqlOrNull } from './text.ts';

export interface ParkedRow {
  readonly n: number;
  readonly id: SqlText;
  readonly kind: ParkedDelivery['kind'];
  readonly subscription: string;
  readonly shard: number;
  readonly stream: SqlText;
  readonly version: number;
  readonly position: number;
  readonly type: SqlText;
  readonly state: ParkedState;
  readonly due_at: number;
  readonly attempts: number;
  readonly generation: number;
  readonly started_at: number | null;
  readonly lost_starts: number;
  readonly holds: number;
  readonly cause: SqlText | null;
  readonly dead_at: number | null;
  readonly closed_at: number | null;
  readonly detail: SqlText;
  readonly revision: number;
}

export const parkedDelivery = (row: ParkedRow): ParkedDelivery => ({
  id: fromSql(row.id),
  kind: row.kind,
  subscription: row.subscription,
  shard: row.shard,
  stream: fromSql(row.stream),
  version: row.version,
  position: row.position,
  type: fromSql(row.type),
  state: row.state,
  dueAt: row.due_at,
  attempts: row.attempts,
  generation: row.generation,
  startedAt: row.started_at,
  lostStarts: row.lost_starts,
  holds: row.holds === 1,
  cause: fromSqlOrNull(row.cause),
  deadAt: row.dead_at,
  closedAt: row.closed_at,
  detail: fromSql(row.detail),
  revision: row.revision,
});

export const isInTheWay = ({ kind, state, holds }: ParkedDelivery): boolean =>
  kind === 'delivery' && (state === 'scheduled' || (state === 'dead' && holds));

export const mayRun = ({ state, startedAt }: Pick<ParkedDelivery, 'state' | 'startedAt'>): boolean =>
  state === 'scheduled' && startedAt === null;

/** Nothing differs but its start, what it remembers and how often it changed. */
export const onlyStarts = (row: ParkedRow, record: ParkedDelivery): boolean =>
  fromSql(row.type) === record.type &&
  row.state === record.state &&
  row.due_at === record.dueAt &&
  row.attempts === record.attempts &&
  row.generation === record.generation &&
  row.lost_starts === record.lostStarts &&
  row.holds === (record.holds ? 1 : 0) &&
  row.cause === record.cause &&
  row.dead_at === record.deadAt &&
  row.closed_at === record.closedAt;

/** In the order of `PARKED_COLUMNS`. */
export const parkedValues = (record: ParkedDelivery, runs: boolean) =>
  [
    toSql(record.id),
    record.kind,
    record.subscription,
    record.shard,
    toSql(record.stream),
    record.version,
    record.position,
    toSql(record.type),
    record.state,
    record.dueAt,
    record.attempts,
    record.generation,
    record.startedAt,
    record.lostStarts,
    record.holds ? 1 : 0,
    toSqlOrNull(record.cause),
    record.deadAt,
    record.closedAt,
    toSql(record.detail),
    record.revision,
    isInTheWay(record) ? 1 : 0,
    runs ? 1 : 0,
  ] as const;
