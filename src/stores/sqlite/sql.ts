/** Every statement of the store. One line each where it fits, so that a query plan is easy to ask for. */

export const HEAD_OF_SHARD = 'SELECT max(id) AS id FROM events WHERE id > ?1 AND id < ?2';
export const READ_SHARD =
  'SELECT e.id, e.version, e.type, e.schema, e.time, e.data, e.cause, s.stream FROM events e JOIN streams s ON s.id = e.stream WHERE e.id > ?1 AND e.id < ?2 ORDER BY e.id LIMIT ?3';
export const READ_STREAM =
  'SELECT e.id, e.version, e.type, e.schema, e.time, e.data, e.cause, ?1 AS stream FROM events e INDEXED BY events_by_stream WHERE e.stream = (SELECT id FROM streams WHERE stream = ?1) AND e.version > ?2 ORDER BY e.version LIMIT ?3';
export const EVENT =
  'SELECT e.id, e.version, e.type, e.schema, e.time, e.data, e.cause, s.stream FROM events e JOIN streams s ON s.id = e.stream WHERE e.id = ?1';
export const INSERT_EVENT = 'INSERT INTO events (id, stream, version, type, schema, time, data, cause) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)';

export const FIND_STREAM = 'SELECT id, version, status FROM streams WHERE stream = ?1';
export const INSERT_STREAM =
  'INSERT INTO streams (stream, version, status, state, state_version, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5, ?6)';
export const ADVANCE_STREAM = 'UPDATE streams SET version = ?2 WHERE id = ?1';
export const FOLD_STREAM = 'UPDATE streams SET version = ?2, state = ?3, state_version = ?2, fingerprint = ?4 WHERE id = ?1';
export const FOLD_STREAM_TO_STATUS =
  'UPDATE streams SET version = ?2, state = ?3, state_version = ?2, fingerprint = ?4, status = ?5 WHERE id = ?1';
export const COUNT_STATUS =
  'INSERT INTO statuses (status, streams) VALUES (?1, ?2) ON CONFLICT (status) DO UPDATE SET streams = streams + excluded.streams';
export const STATUSES = 'SELECT status, streams FROM statuses WHERE streams > 0 ORDER BY status';
const STREAM = 'SELECT id, stream, version, status, state, state_version, fingerprint FROM streams';
export const STREAM_ROW = `${STREAM} WHERE stream = ?1`;
export const STREAMS = `${STREAM} WHERE status IS NOT NULL AND id < ?1 ORDER BY id DESC LIMIT ?2`;
export const STREAMS_BY_STATUS = `${STREAM} INDEXED BY streams_by_status WHERE status IS NOT NULL AND status = ?3 AND id < ?1 ORDER BY id DESC LIMIT ?2`;

export const FIND_KEY = 'SELECT key, fingerprint, stream FROM keys WHERE key = ?1';
export const INSERT_KEY = 'INSERT INTO keys (key, fingerprint, stream) VALUES (?1, ?2, ?3)';

export const INSERT_SUBSCRIPTION = 'INSERT INTO subscriptions (name) VALUES (?1) ON CONFLICT DO NOTHING';
export const SUBSCRIPTIONS = 'SELECT name, scheduled, dead, retries FROM subscriptions ORDER BY name';
export const COUNT_PARKED =
  'UPDATE subscriptions SET scheduled = scheduled + ?2, dead = dead + ?3, retries = retries + ?4 WHERE name = ?1';

export const INSERT_CHECKPOINT = "INSERT INTO checkpoints (subscription, shard, low, done, start_mark) VALUES (?1, ?2, ?3, '[]', ?3)";
const CHECKPOINT = 'SELECT subscription, shard, low, done, start_mark, parked, owner, epoch, granted, until, clean FROM checkpoints';
export const FIND_CHECKPOINT = `${CHECKPOINT} WHERE subscription = ?1 AND shard = ?2`;
export const CHECKPOINTS_OF = `${CHECKPOINT} WHERE subscription = ?1 ORDER BY shard`;
export const CHECKPOINTS = 'SELECT subscription, shard, low, done FROM checkpoints';
export const SAVE_CHECKPOINT = 'UPDATE checkpoints SET low = ?3, done = ?4, start_mark = ?5 WHERE subscription = ?1 AND shard = ?2';
export const COUNT_PARKED_HERE = 'UPDATE checkpoints SET parked = parked + ?3 WHERE subscription = ?1 AND shard = ?2';
export const GRANT_LEASE =
  'UPDATE checkpoints SET owner = ?3, epoch = epoch + 1, granted = ?4, until = ?5, clean = 0 WHERE subscription = ?1 AND shard = ?2';
export const RENEW_LEASES = 'UPDATE checkpoints SET granted = ?3, until = ?4 WHERE subscription = ?1 AND owner = ?2';
export const RELEASE_LEASE =
  'UPDATE checkpoints SET owner = NULL, clean = ?5 WHERE subscription = ?1 AND shard = ?2 AND owner = ?3 AND epoch = ?4';

export const JOIN_MEMBERS =
  'INSERT INTO members (owner, subscription, granted, until) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET granted = excluded.granted, until = excluded.until';
export const LEAVE_MEMBERS = 'DELETE FROM members WHERE owner = ?1';
export const FORGET_MEMBERS = 'DELETE FROM members WHERE until <= ?1 OR granted > ?1';
export const COUNT_MEMBERS = 'SELECT count(*) AS members FROM members WHERE subscription = ?1';

export const PARKED_COLUMNS = [
  'id',
  'kind',
  'subscription',
  'shard',
  'stream',
  'version',
  'position',
  'type',
  'state',
  'due_at',
  'attempts',
  'generation',
  'started_at',
  'lost_starts',
  'holds',
  'cause',
  'dead_at',
  'detail',
  'revision',
  'in_way',
  'runs',
] as const;
const PARKED = `SELECT n, ${PARKED_COLUMNS.join(', ')} FROM parked`;
export const INSERT_PARKED = `INSERT INTO parked (${PARKED_COLUMNS.join(', ')}) VALUES (${PARKED_COLUMNS.map((_, index) => `?${index + 1}`).join(', ')})`;
export const UPDATE_PARKED = `UPDATE parked SET ${PARKED_COLUMNS.map((column, index) => `${column} = ?${index + 1}`).join(', ')} WHERE n = ?${PARKED_COLUMNS.length + 1}`;
export const FIND_PARKED = `${PARKED} WHERE id = ?1`;
export const PARKED_AT = `${PARKED} WHERE n = ?1`;
export const PARKED_OF = `${PARKED} INDEXED BY parked_by_stream WHERE stream = ?1 ORDER BY subscription, version, id`;
export const DELETE_PARKED = 'DELETE FROM parked WHERE n = ?1';
/** The first two in the way of a lane: at most the first may run. */
export const LANE_FRONT =
  'SELECT n, state, started_at, runs FROM parked INDEXED BY parked_in_way WHERE in_way = 1 AND subscription = ?1 AND stream = ?2 ORDER BY version LIMIT 2';
export const SET_RUNS = 'UPDATE parked SET runs = ?2 WHERE n = ?1';
export const IS_HELD =
  'SELECT 1 AS held FROM parked INDEXED BY parked_in_way WHERE in_way = 1 AND subscription = ?1 AND stream = ?2 AND version < ?3 LIMIT 1';
/** By due time over all shards and not shard by shard: one place to write to for all timers, one question for all leases. */
const RUNS = 'FROM parked INDEXED BY parked_due WHERE runs = 1 AND subscription = ?1';
const IN_SHARDS = 'shard IN (SELECT value FROM json_each(?3))';
export const DUE = `SELECT n, due_at ${RUNS} AND due_at <= ?2 AND ${IN_SHARDS} ORDER BY due_at LIMIT ?4`;
export const NEXT_DUE = `SELECT due_at ${RUNS} AND due_at > ?2 AND ${IN_SHARDS} ORDER BY due_at LIMIT 1`;
export const STARTED = `${PARKED} INDEXED BY parked_started WHERE started_at IS NOT NULL AND state IN ('scheduled', 'dead') AND subscription = ?1 AND shard = ?2 ORDER BY position, id`;

/** Dead letters, newest first, below (dead_at, n). The narrowest index first: most values of it are few. */
const DEAD_INDEXES = ['stream', 'cause', 'type', 'subscription'] as const;
export const deadSql = (columns: ReadonlySet<string>): string => {
  const index = DEAD_INDEXES.find((column) => columns.has(column)) ?? 'time';
  const wanted = DEAD_INDEXES.filter((column) => columns.has(column)).map((column) => ` AND ${column} = :${column}`);
  return `${PARKED} INDEXED BY dead_by_${index} WHERE state = 'dead'${wanted.join('')} AND (dead_at, n) < (:at, :n) ORDER BY dead_at DESC, n DESC LIMIT :limit`;
};

export const FIND_BATCH =
  'SELECT (SELECT results FROM owners WHERE owner = ?1 AND batch = ?2) AS results, EXISTS (SELECT 1 FROM refused WHERE owner = ?1 AND batch = ?2) AS refused';
export const SAVE_BATCH =
  'INSERT INTO owners (owner, batch, results, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (owner) DO UPDATE SET batch = excluded.batch, results = excluded.results, at = excluded.at';
export const REFUSE_BATCH = 'INSERT INTO refused (owner, batch) VALUES (?1, ?2) ON CONFLICT DO NOTHING';
export const FORGET_OWNERS = 'DELETE FROM owners WHERE at < ?1';
