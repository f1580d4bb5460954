import { count, optional, resolveOptions, text } from '../core/options.ts';
import type { Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import { type Audit, auditOf } from './dead-letters/audit.ts';
import { documentKey } from './document-key.ts';
import type { Notifier } from './notifications.ts';
import type { Transact } from './transact.ts';

/** How far a view is behind the log. */
export interface ViewProgress {
  /** Events whose effect is not in the view yet: not reached, being retried, held, or dead. */
  readonly behind: number;
  /** Events in the log, of whatever type. */
  readonly total: number;
  /** Nothing is behind. */
  readonly caughtUp: boolean;
  /** The last rebuild; null if it was never asked for. `at` is ISO 8601, UTC. */
  readonly rebuilt: (Audit & { readonly at: string }) | null;
}

/**
 * A read model that follows the log: rows by key, plain JSON. It can be read in any process that declared it, whether it runs a worker
 * or not; it is as new as the workers have come, and each of its batches is there whole or not at all.
 * Faults are thrown: `CONFIG` for a malformed key, `STORE` when the store is away.
 */
export interface View<Row> {
  /** Null where there is none. */
  get(key: string): Promise<Row | null>;
  /** Rows whose key begins with `prefix`, by key in the order of code points. @param options.limit 1 to 500. @default 50 */
  list(options?: {
    readonly prefix?: string | undefined;
    readonly limit?: number | undefined;
    readonly cursor?: string | undefined;
  }): Promise<{
    readonly rows: readonly { readonly key: string; readonly row: Row }[];
    readonly nextCursor: string | null;
  }>;
  progress(): Promise<ViewProgress>;
  /**
   * Deletes every row, and its dead letters, and begins again before the first event. Workers may be running: what they had in hand is
   * dropped, and they go on from the beginning within a third of their lease. Asked twice or at once is the same as once.
   */
  rebuild(audit: Audit): Promise<void>;
}

/** Where the last rebuild of every view is written down. */
const REBUILDS = '$rebuilds';

interface Context<State> {
  readonly store: Store;
  readonly system: System;
  readonly notifier: Notifier;
  readonly transact: Transact<State>;
  readonly opened: () => Promise<void>;
  /** Nobody owns the view's subscription any more. */
  readonly emptied: () => void;
}

/** @see View */
export const createView = <State, Row>({ store, system, notifier, transact, opened, emptied }: Context<State>, name: string): View<Row> =>
  Object.freeze({
    async get(key) {
      documentKey(key);
      await opened();
      const [found] = await store.documents(name, [key]);
      return found ? (JSON.parse(found.value) as Row) : null;
    },
    async list(options) {
      const { prefix, limit, cursor } = resolveOptions('View.list', options, {
        prefix: { expected: 'a text', accepts: (value): value is string => typeof value === 'string', default: '' },
        limit: count({ min: 1, max: 500, default: 50 }),
        cursor: optional(text()),
      });
      documentKey(prefix, 'prefix');
      await opened();
      const page = await store.documentPage(name, prefix, limit, cursor ?? null);
      return { rows: page.rows.map(({ key, value }) => ({ key, row: JSON.parse(value) as Row })), nextCursor: page.nextCursor };
    },
    async progress() {
      await opened();
      const [rebuilt] = await store.documents(REBUILDS, [name]);
      const { backlog = 0, scheduled = 0, dead = 0 } = (await store.counts()).subscriptions[name] ?? {};
      const behind = backlog + scheduled + dead;
      const total = (await store.heads()).reduce((sum, head) => sum + head, 0);
      return { behind, total, caughtUp: behind === 0, rebuilt: rebuilt ? JSON.parse(rebuilt.value) : null };
    },
    async rebuild(given) {
      const { by, reason } = auditOf('View.rebuild', given);
      await opened();
      const value = JSON.stringify({ at: new Date(system.now()).toISOString(), by, reason });
      const documents = [{ collection: REBUILDS, key: name, value, expect: 'any' as const }];
      await transact({ stream: '', rebuild: [name], documents, persistent: false });
      emptied();
      notifier.emit('rebuilt', { subscription: name, by, reason });
    },
  } satisfies View<Row>);
