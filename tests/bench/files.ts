import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';

/** Here and not in the system's folder for such files, which may be in memory: then nothing would have to reach a disk. */
const data = fileURLToPath(new URL('data/', import.meta.url));
mkdirSync(data, { recursive: true });

/** A folder of this process's own, gone with it. */
export const folder = mkdtempSync(join(data, 'run-'));
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
