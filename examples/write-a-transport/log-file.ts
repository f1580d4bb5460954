import { DatabaseSync } from 'node:sqlite';
import type { Message } from 'orderfold/testing';

/** AUTOINCREMENT never uses a position twice, and one writer at a time makes positions visible in their order. */
const SCHEMA = `
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS messages (
  position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, shard INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS subscriptions (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS acks (
  position INTEGER REFERENCES messages ON DELETE CASCADE, subscription TEXT, PRIMARY KEY (position, subscription)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_shard ON messages (shard);
COMMIT`;
const SUBSCRIBE = 'INSERT INTO subscriptions (name) VALUES (?) ON CONFLICT DO NOTHING';
const IS_SUBSCRIBED = 'SELECT 1 FROM subscriptions WHERE name = ?';
/** Not by ON CONFLICT, for which every repeat would use up a position. */
const APPEND = `
INSERT INTO messages (id, shard, body)
SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM messages WHERE id = ?1)`;
/** What every subscription has acked, but for the newest so many. A subscription that nobody receives keeps all. */
const FORGET = `
DELETE FROM messages WHERE position <= (SELECT max(position) FROM messages) - ? AND NOT EXISTS (
  SELECT 1 FROM subscriptions WHERE NOT EXISTS (
    SELECT 1 FROM acks WHERE acks.position = messages.position AND acks.subscription = subscriptions.name))`;
const SPAN = 'SELECT (SELECT max(position) FROM messages) - (SELECT min(position) FROM messages) AS span';
const PULL = `
SELECT position, body FROM messages
WHERE position > ? AND shard IN (SELECT value FROM json_each(?)) AND NOT EXISTS (
  SELECT 1 FROM acks WHERE acks.position = messages.position AND acks.subscription = ?)
ORDER BY position LIMIT ?`;
const ACK = 'INSERT INTO acks (position, subscription) SELECT position, ? FROM messages WHERE position = ? ON CONFLICT DO NOTHING';

/** How long SQLite waits for another process's lock. All of this process waits with it, so only its start may take long. */
const [START_MS, LOCK_MS] = [5000, 5];

export type Ack = readonly [subscription: string, position: number];

export interface Row {
  readonly position: number;
  readonly body: string;
}

/** The broker's client: a log in an SQLite file. What changes it changes all or nothing, and is on the disk when it returns. */
export interface LogFile {
  subscribe(names: readonly string[]): void;
  isSubscribed(name: string): boolean;
  /** In this order, without those that are there. False, and nothing is in, if more than `keep` came to lie behind the oldest un-acked. */
  append(messages: readonly Message[], keep: number): boolean;
  /** What lies behind `cursor`, is of these shards and not acked. */
  pull(subscription: string, shards: readonly number[], cursor: number, limit: number): readonly Row[];
  ack(acks: readonly Ack[]): void;
  close(): void;
}

const connect = (path: string): DatabaseSync => {
  const db = new DatabaseSync(path, { timeout: START_MS });
  try {
    const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
    if (mode !== 'wal') throw new Error(`${path} has to be a file on a local disk: its journal is "${mode}"`);
    db.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON');
    db.exec(SCHEMA);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
};

/** Opens the file, or makes it. @throws SQLite's own errors, as all members do. */
export const openLogFile = (path: string): LogFile => {
  const db = connect(path);
  /** Never awaits, so that no two are ever mixed. Undone where `work` says false. */
  const transaction = (work: () => boolean): boolean => {
    db.exec('BEGIN IMMEDIATE');
    try {
      const isDone = work();
      db.exec(isDone ? 'COMMIT' : 'ROLLBACK');
      return isDone;
    } finally {
      if (db.isTransaction) db.exec('ROLLBACK');
    }
  };
  return {
    subscribe(names) {
      transaction(() => {
        const insert = db.prepare(SUBSCRIBE);
        for (const name of names) insert.run(name);
        return true;
      });
      db.exec(`PRAGMA busy_timeout = ${LOCK_MS}`);
    },
    isSubscribed: (name) => db.prepare(IS_SUBSCRIBED).get(name) !== undefined,
    append: (messages, keep) =>
      transaction(() => {
        const insert = db.prepare(APPEND);
        // As JSON, which escapes half surrogate pairs; SQLite would replace them, and two ids might become one.
        for (const { id, shard, body } of messages) insert.run(JSON.stringify(id), shard, body);
        db.prepare(FORGET).run(keep);
        return Number(db.prepare(SPAN).get()?.span) < keep;
      }),
    pull: (subscription, shards, cursor, limit) =>
      db.prepare(PULL).all(cursor, JSON.stringify(shards), subscription, limit) as unknown as readonly Row[],
    ack(acks) {
      transaction(() => {
        const insert = db.prepare(ACK);
        for (const ack of acks) insert.run(...ack);
        return true;
      });
    },
    close: () => db.close(),
  };
};
