import { count, optional, port, resolveOptions } from '../../core/options.ts';
import type { Store } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import type { Transact } from '../transact.ts';
import { auditOf } from './audit.ts';
import type { Change } from './change.ts';
import type { DeadLetterStore } from './dead-letter-store.ts';
import { iso } from './letter.ts';
import { runRedrive } from './redrive-many.ts';
import { type Operation, type RedriveReport, reportOf } from './redrive-operation.ts';
import { type Kept, keep, keptOf, load, REDRIVES } from './redrive-record.ts';
import { pageSpec, parkedFilter } from './selection.ts';

interface Context {
  readonly store: Store;
  readonly system: System;
  readonly transact: Transact<never>;
  readonly change: Change;
  readonly opened: () => Promise<void>;
}

type PacedRedrives = Pick<DeadLetterStore, 'redriveMany' | 'resume' | 'redrives'> & {
  /** Interrupts what runs here; resolves when that is written down. */
  close(): Promise<void>;
};

const aborting = { signal: optional(port<AbortSignal>('an AbortSignal', ['throwIfAborted'])) };

/** Keys sort the newest first. */
const newKey = (system: System): string => `${String(9_999_999_999_999 - system.now()).padStart(13, '0')}-${system.id()}`;

/** Redrives at a pace: each is one document, run by one process at a time. */
export const createPacedRedrives = (context: Context): PacedRedrives => {
  const { store, system, opened } = context;
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();

  const run = (kept: Kept, signal: AbortSignal | undefined): Promise<RedriveReport> => {
    const either = signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]);
    const why = (): string => (closing.signal.aborted ? 'its bus was closed' : 'it was aborted');
    const report = runRedrive(context, kept, either, why).finally(() => running.delete(report));
    running.add(report);
    return report;
  };

  return {
    async redriveMany(filter, given, options) {
      const audit = auditOf('DeadLetterStore: redriveMany', given);
      const { perSecond, stopAfterFailures, signal } = resolveOptions('DeadLetterStore.redriveMany', options, {
        perSecond: count({ min: 1, max: 1000, default: 50 }),
        stopAfterFailures: count({ min: 1, default: 10 }),
        ...aborting,
      });
      const wanted = parkedFilter(filter);
      signal?.throwIfAborted();
      await opened();
      const [latest] = (await store.dead(wanted, 1, null)).rows;
      const asOf = latest === undefined ? 0 : (latest.deadAt ?? 0) + 1;
      const groups = await store.causes({ ...wanted, diedBefore: asOf });
      const now = iso(system.now());
      const operation: Operation = {
        id: newKey(system),
        state: 'running',
        filter,
        ...audit,
        perSecond,
        stopAfterFailures,
        beganAt: now,
        updatedAt: now,
        matched: groups.reduce((sum, { letters }) => sum + letters, 0),
        redriven: 0,
        succeeded: 0,
        failed: 0,
        failedBefore: 0,
        refused: 0,
        asOf,
        runner: system.id(),
        window: [],
      };
      // No document has revision 0: if somebody has resumed it already, this finds out and leaves it to them.
      return run((await keep(context, operation, 'absent')) ?? { operation, revision: 0 }, signal);
    },
    async resume(id, options) {
      const { signal } = resolveOptions('DeadLetterStore.resume', options, aborting);
      signal?.throwIfAborted();
      await opened();
      for (;;) {
        const found = await load(store, id);
        if (found === null || found.operation.state === 'finished') return found && reportOf(found.operation);
        const { why: _why, ...operation } = found.operation;
        const mine = { ...operation, state: 'running' as const, runner: system.id(), failedBefore: operation.failed, refused: 0 };
        const kept = await keep(context, mine, found.revision);
        if (kept !== null) return run(kept, signal);
      }
    },
    async redrives(options) {
      const { limit, cursor } = resolveOptions('DeadLetterStore.redrives', options, pageSpec);
      await opened();
      const page = await store.documentPage(REDRIVES, '', limit, cursor ?? null);
      return { redrives: page.rows.map((row) => reportOf(keptOf(row).operation)), nextCursor: page.nextCursor };
    },
    async close() {
      closing.abort();
      await Promise.allSettled(running);
    },
  };
};
