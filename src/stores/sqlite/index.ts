import type { Store } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import { system as realSystem } from '../../system.ts';
import { createSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';

export type { SqliteStoreOptions };

/**
 * Keeps everything in one SQLite file: nothing to install, one process or several on one machine. What is committed is
 * on the disk (`synchronous=FULL`) and survives a crash of the process and of the machine. While another process
 * writes, this one waits without holding up its event loop, and gives up after 5 s with a retryable `STORE` fault. The
 * write-ahead log is cut back at 32 MB, unless somebody reads from it without end.
 * @throws OrderfoldError `CONFIG` from `open`: no `node:sqlite` in this Node, a foreign, damaged or newer file, no right
 * to write it, or a second process on a SQLite whose write-ahead log is not safe for two (3.7.0 to 3.51.2).
 * @example
 * const store = sqliteStore({ path: 'data/orders.db' });
 */
export const sqliteStore = ({ system = realSystem, ...options }: SqliteStoreOptions & { readonly system?: System }): Store =>
  createSqliteStore(options, system);
