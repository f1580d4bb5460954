/** `ordf`: tells an orderfold file from any other SQLite file. */
export const APPLICATION_ID = 0x6f726466;

/**
 * Streams and events carry whole numbers instead of names, so the indexes stay small. An event's id is
 * shard · 2^40 + position: a shard is one stretch of the table, and appending to it needs no index of its own.
 */
const FIRST = `
CREATE TABLE meta (shards INTEGER NOT NULL, hash TEXT NOT NULL, created INTEGER NOT NULL);

CREATE TABLE streams (
  id INTEGER PRIMARY KEY,
  stream TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  status TEXT,
  state TEXT,
  state_version INTEGER NOT NULL,
  fingerprint TEXT
);
CREATE INDEX streams_by_status ON streams (status, id) WHERE status IS NOT NULL;
CREATE TABLE statuses (status TEXT PRIMARY KEY, streams INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL,
  version INTEGER NOT NULL,
  type TEXT NOT NULL,
  schema INTEGER NOT NULL,
  time INTEGER NOT NULL,
  data TEXT NOT NULL,
  cause TEXT
);
CREATE UNIQUE INDEX events_by_stream ON events (stream, version);

CREATE TABLE keys (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, stream TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE subscriptions (
  name TEXT PRIMARY KEY,
  scheduled INTEGER NOT NULL DEFAULT 0,
  dead INTEGER NOT NULL DEFAULT 0,
  retries INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE checkpoints (
  subscription TEXT NOT NULL,
  shard INTEGER NOT NULL,
  low INTEGER NOT NULL,
  done TEXT NOT NULL,
  start_mark INTEGER NOT NULL,
  parked INTEGER NOT NULL DEFAULT 0,
  owner TEXT,
  epoch INTEGER NOT NULL DEFAULT 0,
  granted REAL NOT NULL DEFAULT 0,
  until REAL NOT NULL DEFAULT 0,
  clean INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (subscription, shard)
) WITHOUT ROWID;

CREATE TABLE members (
  owner TEXT NOT NULL,
  subscription TEXT NOT NULL,
  granted REAL NOT NULL,
  until REAL NOT NULL,
  PRIMARY KEY (owner, subscription)
) WITHOUT ROWID;

CREATE TABLE parked (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  subscription TEXT NOT NULL,
  shard INTEGER NOT NULL,
  stream TEXT NOT NULL,
  version INTEGER NOT NULL,
  position INTEGER NOT NULL,
  type TEXT NOT NULL,
  state TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  started_at INTEGER,
  lost_starts INTEGER NOT NULL,
  holds INTEGER NOT NULL,
  cause TEXT,
  dead_at INTEGER,
  detail TEXT NOT NULL,
  revision INTEGER NOT NULL,
  in_way INTEGER NOT NULL,
  runs INTEGER NOT NULL
);
CREATE INDEX parked_by_stream ON parked (stream);
CREATE INDEX parked_in_way ON parked (subscription, stream, version) WHERE in_way = 1;
CREATE INDEX parked_due ON parked (subscription, due_at, shard) WHERE runs = 1;
CREATE INDEX parked_started ON parked (subscription, shard) WHERE started_at IS NOT NULL AND state IN ('scheduled', 'dead');
CREATE INDEX dead_by_time ON parked (dead_at, n) WHERE state = 'dead';
CREATE INDEX dead_by_subscription ON parked (subscription, dead_at, n) WHERE state = 'dead';
CREATE INDEX dead_by_type ON parked (type, dead_at, n) WHERE state = 'dead';
CREATE INDEX dead_by_stream ON parked (stream, dead_at, n) WHERE state = 'dead';
CREATE INDEX dead_by_cause ON parked (cause, dead_at, n) WHERE state = 'dead';

CREATE TABLE owners (owner TEXT PRIMARY KEY, batch TEXT NOT NULL, results TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE refused (owner TEXT NOT NULL, batch TEXT NOT NULL, PRIMARY KEY (owner, batch)) WITHOUT ROWID;
`;

/**
 * Documents, pauses, and when a delivery stopped being open; of those that had, nobody knows any more and it counts from now.
 * The index by cause holds all that letters are filtered by, so that grouping reads nothing else.
 */
const second = (nowMs: number): string => `
ALTER TABLE parked ADD COLUMN closed_at INTEGER;
UPDATE parked SET closed_at = ${nowMs} WHERE state NOT IN ('scheduled', 'dead');
CREATE INDEX parked_closed ON parked (closed_at) WHERE closed_at IS NOT NULL;
DROP INDEX dead_by_cause;
CREATE INDEX dead_by_cause ON parked (cause, dead_at, n, subscription, type, stream) WHERE state = 'dead';

ALTER TABLE meta ADD COLUMN document_writes INTEGER NOT NULL DEFAULT 0;
CREATE TABLE documents (
  collection TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (collection, key)
) WITHOUT ROWID;

CREATE TABLE pauses (
  n INTEGER PRIMARY KEY,
  target TEXT NOT NULL,
  name TEXT NOT NULL,
  at INTEGER NOT NULL,
  paused_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  resumed_at INTEGER,
  resumed_by TEXT,
  resumed_reason TEXT
);
CREATE INDEX pauses_by_name ON pauses (target, name);
CREATE UNIQUE INDEX pauses_open ON pauses (target, name) WHERE resumed_at IS NULL;
`;

/** The trace of an event. Adding a column that may be null touches no row. */
const THIRD = 'ALTER TABLE events ADD COLUMN traceparent TEXT;';

/** What takes a file from schema n to n + 1, given the time. Only ever appended to. */
export const MIGRATIONS: readonly ((nowMs: number) => string)[] = [() => FIRST, second, () => THIRD];
