import { count, optional, resolveOptions, text } from '../../core/options.ts';
import type { Store } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import { createCommits } from './commit.ts';
import { createDeadLetters } from './dead-letters.ts';
import { createDocuments } from './documents.ts';
import { createLeases } from './leases.ts';
import { createLog } from './log.ts';
import { createParking } from './parking.ts';
import { createPauses } from './pauses.ts';
import { createReads } from './reads.ts';
import { createSession } from './session.ts';
import * as SQL from './sql.ts';

export interface SqliteStoreOptions {
  /** The file. It and its folder are made if they are not there. */
  readonly path: string;
  /** How many ways the log can be shared among workers; fixed when the file is created. 1 to 1024. @default 16 */
  readonly shards?: number;
}

const specification = { path: text({ max: 4096 }), shards: optional(count({ min: 1, max: 1024 })) };

const OWNERS_KEPT_MS = 30 * 24 * 60 * 60 * 1000;

/** The store over one SQLite file. @param version of SQLite itself, which decides whether a second process is safe. */
export const createSqliteStore = (options: SqliteStoreOptions, system: System, version = process.versions.sqlite ?? '0'): Store => {
  const { path, shards } = resolveOptions('sqliteStore', options, specification);
  const session = createSession({ path, shards, version }, system);
  const log = createLog(session);
  const parking = createParking(session, system);
  const leases = createLeases(session, system, log, parking);
  const documents = createDocuments(session);
  const pauses = createPauses(session, system);
  const commits = createCommits(session, system, { log, parking, leases, documents, pauses });

  return {
    get shards() {
      return session.shards;
    },
    open: session.open,
    register: (subscriptions) =>
      session.write(() => {
        leases.register(subscriptions);
        session.sql(SQL.FORGET_OWNERS).run(system.now() - OWNERS_KEPT_MS);
      }),
    commit: (batch) => session.write(() => commits.commit(batch)),
    lookUp: (owner, batchId) => session.write(() => commits.lookUp(owner, batchId)),
    ...createReads(session, system, log, leases, pauses),
    ...createDeadLetters(session, system),
    documents: (collection, keys) => session.read(() => keys.map((key) => documents.find(collection, key))),
    documentPage: (collection, prefix, limit, cursor) => session.read(() => documents.page(collection, prefix, limit, cursor)),
    pauses: (stream) => session.read(() => pauses.list(stream)),
    tick: (tick) => session.writeNow(() => leases.tick(tick)),
    watch: session.watch,
    async close() {
      session.close();
    },
  };
};
