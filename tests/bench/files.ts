import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A folder of this process's own, gone with it. */
export const folder = mkdtempSync(join(tmpdir(), 'orderfold-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

export const file = (name: string): string => join(folder, name);

/** A connection as the store's own is set up: on the disk with every commit. */
export const rawDatabase = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA cache_size = -32768;
    PRAGMA temp_store = MEMORY;
  `);
  return database;
};
