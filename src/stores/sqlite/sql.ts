/**
 * Every statement of the store. Parameters are plain question marks in the order of the text: Node 22 does not take
 * numbered ones by position.
 */

export const HEAD_OF_SHARD = 'SELECT max(id) AS id FROM events WHERE id > ? AND id < ?';
export const READ_SHARD =
  'SELECT id, stream, version, type, schema, time, data, cause, traceparent FROM events WHERE id > ? AND id < ? ORDER BY id LIMIT ?';
export const NAME_OF_STREAM = 'SELECT stream FROM streams WHERE id = ?';
export const READ_STREAM =
  'SELECT e.id, e.version, e.type, e.schema, e.time, e.data, e.cause, e.traceparent, s.stream FROM streams s CROSS JOIN events e INDEXED BY events_by_stream ON e.stream = s.id WHERE s.stream = ? AND e.version > ? ORDER BY e.version LIMIT ?';
export const EVENT =
  'SELECT e.id, e.version, e.type, e.schema, e.time, e.data, e.cause, e.traceparent, s.stream FROM events e JOIN streams s ON s.id = e.stream WHERE e.id = ?';
export const INSERT_EVENT =
  'INSERT INTO events (id, stream, version, type, schema, time, data, cause, traceparent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)';

export const FIND_STREAM = 'SELECT id, version, status FROM streams WHERE stream = ?';
export const INSERT_STREAM = 'INSERT INTO streams (stream, version, status, state, state_version, fingerprint) VALUES (?, ?, ?, ?, ?, ?)';
export const ADVANCE_STREAM = 'UPDATE streams SET version = ? WHERE id = ?';
export const FOLD_STREAM = 'UPDATE streams SET version = ?, state = ?, state_version = ?, fingerprint = ? WHERE id = ?';
export const FOLD_STREAM_TO_STATUS =
  'UPDATE streams SET version = ?, state = ?, state_version = ?, fingerprint = ?, status = ? WHERE id = ?';
export const COUNT_STATUS =
  'INSERT INTO statuses (status, streams) VALUES (?, ?) ON CONFLICT (status) DO UPDATE SET streams = streams + excluded.streams';
export const STATUSES = 'SELECT status, streams FROM statuses WHERE streams > 0 ORDER BY status';
const STREAM = 'SELECT id, stream, version, status, state, state_version, fingerprint FROM streams';
export const STREAM_ROW = `${STREAM} WHERE stream = ?`;
export const STREAMS = `${STREAM} WHERE status IS NOT NULL AND id < ? ORDER BY id DESC LIMIT ?`;
export const STREAMS_BY_STATUS = `${STREAM} INDEXED BY streams_by_status WHERE status IS NOT NULL AND status = ? AND id < ? ORDER BY id DESC LIMIT ?`;

export const FIND_KEY = 'SELECT key, fingerprint, stream FROM keys WHERE key = ?';
export const INSERT_KEY = 'INSERT INTO keys (key, fingerprint, stream) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';

export const INSERT_SUBSCRIPTION = 'INSERT INTO subscriptions (name) VALUES (?) ON CONFLICT DO NOTHING';
export const SUBSCRIPTIONS = 'SELECT name, scheduled, dead, retries FROM subscriptions ORDER BY name';
export const COUNT_PARKED = 'UPDATE subscriptions SET scheduled = scheduled + ?, dead = dead + ?, retries = retries + ? WHERE name = ?';

export const NONE_PARKED = 'UPDATE subscriptions SET scheduled = 0, dead = 0 WHERE name = ?';

export const INSERT_CHECKPOINT = "INSERT INTO checkpoints (subscription, shard, low, done, start_mark) VALUES (?, ?, ?, '[]', ?)";
const CHECKPOINT = 'SELECT subscription, shard, low, done, start_mark, parked, owner, epoch, granted, until, clean FROM checkpoints';
export const FIND_CHECKPOINT = `${CHECKPOINT} WHERE subscription = ? AND shard = ?`;
export const CHECKPOINTS_OF = `${CHECKPOINT} WHERE subscription = ? ORDER BY shard`;
export const CHECKPOINTS = 'SELECT subscription, shard, low, done FROM checkpoints';
export const SAVE_CHECKPOINT = 'UPDATE checkpoints SET low = ?, done = ?, start_mark = ? WHERE subscription = ? AND shard = ?';
export const COUNT_PARKED_HERE = 'UPDATE checkpoints SET parked = parked + ? WHERE subscription = ? AND shard = ?';
export const GRANT_LEASE =
  'UPDATE checkpoints SET owner = ?, epoch = epoch + 1, granted = ?, until = ? WHERE subscription = ? AND shard = ?';
export const RENEW_LEASES = 'UPDATE checkpoints SET granted = ?, until = ? WHERE subscription = ? AND owner = ?';
export const RELEASE_LEASE =
  'UPDATE checkpoints SET owner = NULL, clean = ? WHERE subscription = ? AND shard = ? AND owner = ? AND epoch = ?';

export const REBUILD =
  "UPDATE checkpoints SET low = 0, done = '[]', start_mark = 0, parked = 0, owner = NULL, epoch = epoch + 1, clean = 1 WHERE subscription = ?";

export const JOIN_MEMBERS =
  'INSERT INTO members (owner, subscription, granted, until) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET granted = excluded.granted, until = excluded.until';
export const LEAVE_MEMBERS = 'DELETE FROM members WHERE owner = ?';
export const FORGET_MEMBERS = 'DELETE FROM members WHERE until <= ? OR granted > ?';
export const COUNT_MEMBERS = 'SELECT count(*) AS members FROM members WHERE subscription = ?';

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
  'closed_at',
  'detail',
  'revision',
  'in_way',
  'runs',
] as const;
const PARKED = `SELECT n, ${PARKED_COLUMNS.join(', ')} FROM parked`;
export const INSERT_PARKED = `INSERT INTO parked (${PARKED_COLUMNS.join(', ')}) VALUES (${PARKED_COLUMNS.map(() => '?').join(', ')})`;
/** What it is never changes: naming those columns would rewrite their index entries. */
export const UNCHANGING = 7;
export const UPDATE_PARKED = `UPDATE parked SET ${PARKED_COLUMNS.slice(UNCHANGING)
  .map((column) => `${column} = ?`)
  .join(', ')} WHERE n = ?`;
/** Of one that only starts, or ends a start: most indexes hear nothing of that. */
export const START_PARKED = 'UPDATE parked SET started_at = ?, detail = ?, revision = ?, runs = ? WHERE n = ?';
export const FIND_PARKED = `${PARKED} WHERE id = ?`;
export const PARKED_AT = `${PARKED} WHERE n = ?`;
export const PARKED_OF = `${PARKED} INDEXED BY parked_by_stream WHERE stream = ? ORDER BY subscription, version, id`;
export const DROP_TIMER = "DELETE FROM parked WHERE id = ? AND kind = 'timer' RETURNING subscription, shard, state";
export const CLEAR_PARKED = 'DELETE FROM parked WHERE id >= ? AND id < ? AND subscription = ?';
/** The longest closed first. */
export const PRUNE_PARKED =
  'DELETE FROM parked WHERE n IN (SELECT n FROM parked INDEXED BY parked_closed WHERE closed_at < ? ORDER BY closed_at LIMIT ?)';
/** The first in the way of a lane, but for one of them. */
export const LANE_FRONT =
  'SELECT n, version, state, started_at, runs FROM parked INDEXED BY parked_in_way WHERE in_way = 1 AND subscription = ? AND stream = ? AND n <> ? ORDER BY version LIMIT 1';
export const SET_RUNS = 'UPDATE parked SET runs = ? WHERE n = ?';
export const IS_HELD =
  'SELECT 1 AS held FROM parked INDEXED BY parked_in_way WHERE in_way = 1 AND subscription = ? AND stream = ? AND version < ? LIMIT 1';
/** By due time over all shards and not shard by shard: one place to write to for all timers, one question for all leases. */
const RUNS = 'FROM parked INDEXED BY parked_due WHERE runs = 1 AND subscription = ?';
const IN_SHARDS = 'shard IN (SELECT value FROM json_each(?))';
const BY_DUE = `AND ${IN_SHARDS} ORDER BY due_at LIMIT`;
export const DUE = `SELECT n, due_at, id ${RUNS} AND due_at <= ? ${BY_DUE} ?`;
export const NEXT_DUE = `SELECT due_at, id ${RUNS} AND due_at > ? ${BY_DUE} ?`;
/** The same while any stream is paused, which is seldom. */
const GOES_ON =
  "AND (kind = 'timer' OR NOT EXISTS (SELECT 1 FROM pauses WHERE resumed_at IS NULL AND target = 'stream' AND name = parked.stream))";
export const DUE_BUT_PAUSED = `SELECT n, due_at, id ${RUNS} AND due_at <= ? ${GOES_ON} ${BY_DUE} ?`;
export const NEXT_DUE_BUT_PAUSED = `SELECT due_at, id ${RUNS} AND due_at > ? ${GOES_ON} ${BY_DUE} ?`;
export const STARTED = `${PARKED} INDEXED BY parked_started WHERE started_at IS NOT NULL AND state IN ('scheduled', 'dead') AND subscription = ? AND shard = ? ORDER BY position, id`;

/** Dead letters, newest first, below (dead_at, n) and not before `from`. The narrowest index first: most values of it are few. */
const DEAD_INDEXES = ['stream', 'cause', 'type', 'subscription'] as const;
export const deadSql = (columns: ReadonlySet<string>): string => {
  const index = DEAD_INDEXES.find((column) => columns.has(column)) ?? 'time';
  const wanted = DEAD_INDEXES.filter((column) => columns.has(column)).map((column) => ` AND ${column} = :${column}`);
  return `${PARKED} INDEXED BY dead_by_${index} WHERE state = 'dead'${wanted.join('')} AND dead_at >= :from AND (dead_at, n) < (:at, :n) ORDER BY dead_at DESC, n DESC LIMIT :limit`;
};

const LETTERS = `FROM parked INDEXED BY dead_by_cause WHERE state = 'dead' AND dead_at >= :from AND dead_at < :before${DEAD_INDEXES.map(
  (column) => ` AND (:${column} IS NULL OR ${column} = :${column})`,
).join('')}`;
/** Reads its index once for the groups, and from the end of each for the latest. */
export const CAUSES = `SELECT cause, letters, first, last, (SELECT id ${LETTERS} AND cause IS letter.cause ORDER BY dead_at DESC, n DESC LIMIT 1) AS latest
FROM (SELECT cause, count(*) AS letters, min(dead_at) AS first, max(dead_at) AS last ${LETTERS} GROUP BY cause) letter ORDER BY letters DESC, cause`;

export const FIND_DOCUMENT = 'SELECT key, value, revision FROM documents WHERE collection = ? AND key = ?';
export const SAVE_DOCUMENT =
  'INSERT INTO documents (collection, key, value, revision) VALUES (?, ?, ?, ?) ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value, revision = excluded.revision';
export const DELETE_DOCUMENT = 'DELETE FROM documents WHERE collection = ? AND key = ?';
export const CLEAR_DOCUMENTS = 'DELETE FROM documents WHERE collection = ?';
export const DOCUMENT_WRITES = 'SELECT document_writes AS writes FROM meta';
export const COUNT_DOCUMENT_WRITES = 'UPDATE meta SET document_writes = ?';
const documentsFrom = (after: '>=' | '>'): string =>
  `SELECT key, value, revision FROM documents WHERE collection = ? AND key ${after} ? AND key < CAST(? AS TEXT) ORDER BY key LIMIT ?`;
export const FIRST_DOCUMENTS = documentsFrom('>=');
export const NEXT_DOCUMENTS = documentsFrom('>');

export const PAUSE = 'INSERT INTO pauses (target, name, at, paused_by, reason) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING';
export const RESUME =
  'UPDATE pauses SET resumed_at = ?, resumed_by = ?, resumed_reason = ? WHERE resumed_at IS NULL AND target = ? AND name = ?';
const PAUSES = 'SELECT target, name, at, paused_by, reason, resumed_at, resumed_by, resumed_reason FROM pauses';
export const OPEN_PAUSES = `${PAUSES} INDEXED BY pauses_open WHERE resumed_at IS NULL ORDER BY n`;
export const PAUSES_OF_STREAM = `${PAUSES} WHERE target = 'stream' AND name = ? ORDER BY n`;
/** The names of the paused subscriptions, and a null if any stream is paused. */
export const WHAT_IS_PAUSED =
  "SELECT name FROM pauses INDEXED BY pauses_open WHERE resumed_at IS NULL AND target = 'subscription' UNION ALL SELECT NULL WHERE EXISTS (SELECT 1 FROM pauses INDEXED BY pauses_open WHERE resumed_at IS NULL AND target = 'stream')";
export const IS_STREAM_PAUSED =
  "SELECT 1 AS paused FROM pauses INDEXED BY pauses_open WHERE resumed_at IS NULL AND target = 'stream' AND name = ?";

export const FIND_BATCH =
  'SELECT (SELECT results FROM owners WHERE owner = ? AND batch = ?) AS results, EXISTS (SELECT 1 FROM refused WHERE owner = ? AND batch = ?) AS refused';
export const SAVE_BATCH =
  'INSERT INTO owners (owner, batch, results, at) VALUES (?, ?, ?, ?) ON CONFLICT (owner) DO UPDATE SET batch = excluded.batch, results = excluded.results, at = excluded.at';
export const REFUSE_BATCH = 'INSERT INTO refused (owner, batch) VALUES (?, ?) ON CONFLICT DO NOTHING';
export const FORGET_OWNERS = 'DELETE FROM owners WHERE at < ?';
