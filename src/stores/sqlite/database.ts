import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { OrderfoldError } from '../../core/errors.ts';
import { SHARD_HASH } from '../../core/shard.ts';
import { isLocked, openFault } from './faults.ts';
import { hasWalResetFault, nodeSqlite, secondProcessFault } from './node-sqlite.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';

/** One connection, made ready. Every call is synchronous: whoever holds a transaction must not await. */
export interface Database {
  readonly shards: number;
  /** The prepared statement of this text. */
  sql(text: string): StatementSync;
  /** Takes back what the open transaction did; harmless where SQLite has already done so. */
  rollback(): void;
  /** Changes when another connection has committed. */
  dataVersion(): number;
  /** Whether the write-ahead log has outgrown its bound. */
  isLogLong(): boolean;
  /** Brings all of the log into the database and cuts it off, unless somebody writes or reads from it just now. Not in a transaction. */
  emptyLog(): void;
  close(): void;
}

const LONG_LOG_BYTES = 32 * 1024 * 1024;

/**
 * On the disk with every commit, on macOS too, where a plain fsync stops at the drive's cache. 16 MB of log between
 * checkpoints. SQLite begins it anew only while nobody reads from it, and then cuts back what has grown beyond its bound.
 */
const PRAGMAS = `
PRAGMA synchronous = FULL;
PRAGMA fullfsync = ON;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA journal_size_limit = ${LONG_LOG_BYTES};
PRAGMA cache_size = -32768;
PRAGMA temp_store = MEMORY;
PRAGMA trusted_schema = OFF;
`;

const pragma = (db: DatabaseSync, name: string): unknown => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];

const rollback = (db: DatabaseSync): void => {
  // After a full disk SQLite has rolled back by itself. Older Nodes don't tell, so there it is tried.
  if (db.isTransaction === false) return;
  try {
    db.exec('ROLLBACK');
  } catch {
    // Nothing was open.
  }
};

/** Creates the schema in an empty file or brings an older one up to date; refuses what is not ours. */
const migrate = (db: DatabaseSync, path: string, shards: number, nowMs: number): void => {
  const schema = Number(pragma(db, 'user_version'));
  if (schema > MIGRATIONS.length) {
    throw new OrderfoldError(
      'CONFIG',
      `${path} was written by a newer orderfold (schema ${schema}, this one knows ${MIGRATIONS.length}): upgrade orderfold here`,
    );
  }
  for (const migration of MIGRATIONS.slice(schema)) db.exec(migration(nowMs));
  if (schema === 0) {
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    db.prepare('INSERT INTO meta (shards, hash, created) VALUES (?, ?, ?)').run(shards, SHARD_HASH, nowMs);
  }
  if (schema < MIGRATIONS.length) db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
};

const refuseForeign = (db: DatabaseSync, path: string): void => {
  const isEmpty = db.prepare('SELECT count(*) AS things FROM sqlite_schema').get()?.things === 0;
  if (pragma(db, 'application_id') === APPLICATION_ID || (isEmpty && pragma(db, 'user_version') === 0)) return;
  throw new OrderfoldError('CONFIG', `${path} is the SQLite file of another program: name another path`);
};

const shardsOf = (db: DatabaseSync, path: string, wanted: number | undefined): number => {
  const { shards, hash } = db.prepare('SELECT shards, hash FROM meta').get() as { readonly shards: number; readonly hash: string };
  if (hash !== SHARD_HASH) {
    throw new OrderfoldError(
      'CONFIG',
      `${path} spreads its streams by ${hash}, this orderfold by ${SHARD_HASH}: open it with the one that made it`,
    );
  }
  if (wanted !== undefined && wanted !== shards) {
    throw new OrderfoldError(
      'CONFIG',
      `${path} was created with ${shards} shards, which never changes: leave \`shards\` out or set it to ${shards}`,
    );
  }
  return shards;
};

const prepare = (db: DatabaseSync, path: string, shards: number | undefined, nowMs: number, alone: boolean): number => {
  // Held until this connection closes or its process dies, so that a second one finds out.
  if (alone) db.exec('PRAGMA locking_mode = EXCLUSIVE');
  refuseForeign(db, path);
  const mode = pragma(db, 'journal_mode = WAL');
  if (mode !== 'wal') {
    throw new OrderfoldError(
      'CONFIG',
      `${path} can't have a write-ahead log: name a file on a local disk, or use memoryStore for one in memory`,
    );
  }
  db.exec(PRAGMAS);
  db.exec('BEGIN IMMEDIATE');
  try {
    refuseForeign(db, path);
    migrate(db, path, shards ?? 16, nowMs);
    // Changes nothing, but a file that can't be written is found out now and not by the first order.
    db.exec('UPDATE meta SET shards = shards WHERE 0');
    const found = shardsOf(db, path, shards);
    db.exec('COMMIT');
    return found;
  } finally {
    rollback(db);
  }
};

export interface Opening {
  readonly path: string;
  readonly shards: number | undefined;
  readonly nowMs: number;
  /** Of SQLite itself. */
  readonly version: string;
}

/**
 * Opens the file, creating it with its folder if need be.
 * @throws SQLite's own error while the file is locked: try again, and turn it into `refusedFor` when giving up.
 */
export const openDatabase = ({ path, shards: wanted, nowMs, version }: Opening): Database => {
  const { DatabaseSync } = nodeSqlite();
  let db: DatabaseSync | undefined;
  let shards: number;
  try {
    if (!path.startsWith('file:')) mkdirSync(dirname(path), { recursive: true });
    db = new DatabaseSync(path, { timeout: 0 });
    shards = prepare(db, path, wanted, nowMs, hasWalResetFault(version));
  } catch (error) {
    if (db?.isOpen !== false) db?.close();
    throw isLocked(error) ? error : openFault(error, path);
  }
  const open = db;
  const statements = new Map<string, StatementSync>();
  const sql = (text: string): StatementSync => {
    let statement = statements.get(text);
    if (statement === undefined) {
      statement = open.prepare(text);
      statements.set(text, statement);
    }
    return statement;
  };
  const versionOfData = open.prepare('PRAGMA data_version');
  const checkpoint = open.prepare('PRAGMA wal_checkpoint(TRUNCATE)');
  const log = `${open.prepare('PRAGMA database_list').get()?.file}-wal`;
  return {
    shards,
    sql,
    rollback: () => rollback(open),
    dataVersion: () => versionOfData.get()?.data_version as number,
    isLogLong: () => (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LONG_LOG_BYTES,
    emptyLog: () => void checkpoint.get(),
    close: () => open.close(),
  };
};

/** What to tell when the file stayed locked for as long as anyone is willing to wait. */
export const refusedFor = (error: unknown, { path, version }: Opening): OrderfoldError =>
  hasWalResetFault(version) ? secondProcessFault(path, version, error) : openFault(error, path);
