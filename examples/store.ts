import { memoryStore, type Store } from 'orderfold';
import { sqliteStore } from 'orderfold/sqlite';
import type { Database } from './settings.ts';

/** The store of DATABASE_URL. */
export const storeOf = (database: Database): Store => (database.kind === 'memory' ? memoryStore() : sqliteStore({ path: database.path }));
