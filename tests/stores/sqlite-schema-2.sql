-- What `writeOlderData` left in a file under the second schema, as that release wrote it.
PRAGMA application_id = 1869767782;
PRAGMA user_version = 2;
CREATE TABLE meta (shards INTEGER NOT NULL, hash TEXT NOT NULL, created INTEGER NOT NULL, document_writes INTEGER NOT NULL DEFAULT 0);
INSERT INTO meta VALUES (16, 'fnv1a32-utf16-fmix', 1767225600000, 0);
CREATE TABLE streams (
  id INTEGER PRIMARY KEY,
  stream TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  status TEXT,
  state TEXT,
  state_version INTEGER NOT NULL,
  fingerprint TEXT
);
INSERT INTO streams VALUES (1, 'order-1', 3, 'placed', '{"name":"é😀","of":1}', 3, 'f1');
INSERT INTO streams VALUES (2, 'order-2', 2, NULL, NULL, 0, NULL);
CREATE TABLE statuses (status TEXT PRIMARY KEY, streams INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO statuses VALUES ('placed', 1);
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
INSERT INTO events VALUES (10995116277761, 2, 1, 'Happened', 1, 1700000000000, '{"index":0}', NULL);
INSERT INTO events VALUES (10995116277762, 2, 2, 'Happened', 1, 1700000000001, '{"index":1}', NULL);
INSERT INTO events VALUES (12094627905537, 1, 1, 'Happened', 1, 1700000000000, '{"a":"\u0000\ud800","big":12345678901234567890}', NULL);
INSERT INTO events VALUES (12094627905538, 1, 2, 'Happened', 1, 1700000000001, '{"__proto__":{"a":1}}', NULL);
INSERT INTO events VALUES (12094627905539, 1, 3, 'Happened', 1, 1700000000002, '{"cut', NULL);
CREATE TABLE keys (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, stream TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO keys VALUES ('o''1 %', 'of what was asked', 'order-1');
CREATE TABLE subscriptions (
  name TEXT PRIMARY KEY,
  scheduled INTEGER NOT NULL DEFAULT 0,
  dead INTEGER NOT NULL DEFAULT 0,
  retries INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
INSERT INTO subscriptions VALUES ('mail', 3, 1, 2);
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
INSERT INTO checkpoints VALUES ('mail', 0, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 1, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 2, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 3, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 4, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 5, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 6, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 7, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 8, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 9, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 10, 0, '[]', 0, 1, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 11, 1, '[[3,3]]', 3, 3, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 12, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 13, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 14, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
INSERT INTO checkpoints VALUES ('mail', 15, 0, '[]', 0, 0, 'worker', 1, 0, 10000, 1);
CREATE TABLE members (
  owner TEXT NOT NULL,
  subscription TEXT NOT NULL,
  granted REAL NOT NULL,
  until REAL NOT NULL,
  PRIMARY KEY (owner, subscription)
) WITHOUT ROWID;
INSERT INTO members VALUES ('worker', 'mail', 0, 10000);
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
, closed_at INTEGER);
INSERT INTO parked VALUES (1, 'mail:order-1@1', 'delivery', 'mail', 11, 'order-1', 1, 1, 'Happened', 'dead', 0, 6, 0, NULL, 0, 1, 'timeout', 1767225600000, '{"kept":1}', 1, 1, 0, NULL);
INSERT INTO parked VALUES (2, 'mail:order-1@3', 'delivery', 'mail', 11, 'order-1', 3, 3, 'Happened', 'scheduled', 0, 0, 0, NULL, 0, 1, NULL, NULL, '{}', 1, 1, 0, NULL);
INSERT INTO parked VALUES (3, 'mail:order-2@1', 'delivery', 'mail', 10, 'order-2', 1, 1, 'Happened', 'scheduled', 0, 2, 1, NULL, 0, 1, NULL, NULL, '{}', 1, 1, 1, NULL);
INSERT INTO parked VALUES (4, 'mail:order-1#deadline', 'timer', 'mail', 11, 'order-1', 0, 0, 'deadline', 'scheduled', 0, 0, 0, NULL, 0, 0, NULL, NULL, '{}', 1, 0, 1, NULL);
CREATE TABLE owners (owner TEXT PRIMARY KEY, batch TEXT NOT NULL, results TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO owners VALUES ('placing', 'first', '{"units":[[[11,1]],[[10,1]]],"lost":[]}', 1767225600000);
INSERT INTO owners VALUES ('worker', 'last', '{"units":[[],[]],"lost":[]}', 1767225600000);
CREATE TABLE refused (owner TEXT NOT NULL, batch TEXT NOT NULL, PRIMARY KEY (owner, batch)) WITHOUT ROWID;
INSERT INTO refused VALUES ('worker', 'never came');
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
CREATE INDEX streams_by_status ON streams (status, id) WHERE status IS NOT NULL;
CREATE UNIQUE INDEX events_by_stream ON events (stream, version);
CREATE INDEX parked_by_stream ON parked (stream);
CREATE INDEX parked_in_way ON parked (subscription, stream, version) WHERE in_way = 1;
CREATE INDEX parked_due ON parked (subscription, due_at, shard) WHERE runs = 1;
CREATE INDEX parked_started ON parked (subscription, shard) WHERE started_at IS NOT NULL AND state IN ('scheduled', 'dead');
CREATE INDEX dead_by_time ON parked (dead_at, n) WHERE state = 'dead';
CREATE INDEX dead_by_subscription ON parked (subscription, dead_at, n) WHERE state = 'dead';
CREATE INDEX dead_by_type ON parked (type, dead_at, n) WHERE state = 'dead';
CREATE INDEX dead_by_stream ON parked (stream, dead_at, n) WHERE state = 'dead';
CREATE INDEX parked_closed ON parked (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX dead_by_cause ON parked (cause, dead_at, n, subscription, type, stream) WHERE state = 'dead';
CREATE INDEX pauses_by_name ON pauses (target, name);
CREATE UNIQUE INDEX pauses_open ON pauses (target, name) WHERE resumed_at IS NULL;
