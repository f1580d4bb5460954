import { describeError } from '../core/error-facts.ts';
import { isOrderfoldError, OrderfoldError } from '../core/errors.ts';
import type { StoredEvent } from '../core/records.ts';
import type { Batch, BatchResult, Progress, Store, Unit, UnitResult } from '../core/store.ts';
import type { System } from '../core/system.ts';
import type { Notifier } from './notifications.ts';
import { numbered, streamsOf } from './unit-events.ts';

/** One unit on its way: made when its batch is cut, so that it decides over the newest state this process can know. */
export interface Work {
  /**
   * The stream over whose state it decides, one unit in each batch; null if it needs none. A second one would take the first's
   * word for what is there, and if that one loses to another process that wrote as many events, no version would tell.
   */
  readonly decidesOver: string | null;
  /** Must not be given up when the store is away, because a handler has run. Others are told at once. */
  readonly persistent: boolean;
  /** Null: nothing to commit after all; the work has told its caller. */
  prepare(): Unit | null;
  /** @param events what the unit appended, as the store numbered it. */
  settled(result: UnitResult, events: () => readonly StoredEvent[]): void;
  failed(error: unknown): void;
}

/** What the consuming side adds to each batch and learns from it. */
export interface CommitSeam {
  /** Progress to ride along, given the streams the batch appends to. Returned to `committed` or `progressFailed`. */
  progress(appendTo: ReadonlySet<string>): readonly Progress[];
  committed(progress: readonly Progress[], result: BatchResult, events: readonly StoredEvent[]): void;
  progressFailed(progress: readonly Progress[]): void;
}

export interface Committer {
  submit(work: Work): void;
  /** Sees to a batch soon even without work, for progress alone. */
  nudge(): void;
  attach(seam: CommitSeam): () => void;
  /** Resolves when everything submitted so far is settled. */
  drained(): Promise<void>;
  isOpen(): boolean;
  close(): void;
}

const MOST_UNITS = 1000;
const MOST_QUEUED = 20_000;
const RETRY_MS = { first: 20, longest: 1000 } as const;
/** How long those who wait for an answer are kept waiting while nobody knows whether their batch happened. */
const PATIENCE_MS = 1000;

/**
 * Group commit: while one batch is on its way to the store, the next gathers. A batch whose reply was lost is looked up,
 * never guessed; one that certainly did not happen is made anew from the works that must not be given up.
 */
export const createCommitter = (store: Store, system: System, notifier: Notifier, owner: string): Committer => {
  let queue: Work[] = [];
  let busy = false;
  let nudged = false;
  let closed = false;
  let batches = 0;
  /** The last batch answered several works. */
  let crowded = false;
  /** How many of the next works go to the store one by one. */
  let alone = 0;
  let seam: CommitSeam | null = null;
  /** Why the store does not answer, once that has lasted too long to keep anybody waiting. */
  let away: unknown = null;
  let waiting: (() => void)[] = [];

  const gather = (): { works: Work[]; units: Unit[] } => {
    const works: Work[] = [];
    const units: Unit[] = [];
    const decided = new Set<string>();
    const later: Work[] = [];
    const most = alone > 0 ? 1 : MOST_UNITS;
    alone = Math.max(0, alone - 1);
    const taken = queue.slice(0, most);
    queue = queue.slice(most);
    for (const work of taken) {
      const { decidesOver } = work;
      if (decidesOver !== null && decided.has(decidesOver)) {
        later.push(work);
        continue;
      }
      try {
        const unit = work.prepare();
        if (unit === null) continue;
        if (decidesOver !== null) decided.add(decidesOver);
        works.push(work);
        units.push(unit);
      } catch (error) {
        work.failed(error);
      }
    }
    queue = [...later, ...queue];
    return { works, units };
  };

  const pause = (delayMs: number): Promise<void> => new Promise((resolve) => void system.setTimer(delayMs, resolve));

  const giveUpImpatient = (works: readonly Work[], error: unknown): Work[] =>
    works.filter((work) => {
      if (!work.persistent) work.failed(error);
      return work.persistent;
    });

  /** Of a batch that certainly never happened. One that never can is taken apart, so that a unit the store refuses fails alone. */
  const again = (works: readonly Work[], error: unknown): readonly Work[] => {
    if (!isOrderfoldError(error, 'STORE') || error.retryable) return giveUpImpatient(works, error);
    if (works.length > 1) {
      alone = works.length;
      return works;
    }
    for (const work of works) work.failed(error);
    return [];
  };

  /** The batch's result, or null once it is certain that it never happened. */
  const settleUnknown = async (batch: Batch, works: readonly Work[], error: unknown): Promise<BatchResult | null> => {
    notifier.emit('storeAway', { error: describeError(error) });
    const patience = system.setTimer(PATIENCE_MS, () => {
      for (const work of works) if (!work.persistent) work.failed(error);
      queue = giveUpImpatient(queue, error);
      away = error;
    });
    try {
      for (let delayMs: number = RETRY_MS.first; ; delayMs = Math.min(delayMs * 2, RETRY_MS.longest)) {
        try {
          const found = await store.lookUp(owner, batch.id);
          notifier.emit('storeBack', {});
          return found;
        } catch {
          if (closed) throw new OrderfoldError('CLOSED', 'closed while the store was away');
        }
        await pause(delayMs);
      }
    } finally {
      patience.cancel();
      away = null;
    }
  };

  const runBatch = async (): Promise<void> => {
    const { works, units } = gather();
    crowded = works.length > 1;
    const progress = seam?.progress(streamsOf(units)) ?? [];
    if (units.length === 0 && progress.length === 0) return;
    batches += 1;
    const batch: Batch = { owner, id: String(batches), units, progress };
    let result: BatchResult | null;
    try {
      result = await store.commit(batch);
    } catch (error) {
      try {
        result = await settleUnknown(batch, works, error);
      } catch (closing) {
        seam?.progressFailed(progress);
        for (const work of works) work.failed(closing);
        return;
      }
      if (result === null) {
        seam?.progressFailed(progress);
        queue = [...again(works, error), ...queue];
        await pause(RETRY_MS.first);
        return;
      }
    }
    const appended: StoredEvent[] = [];
    for (let index = 0; index < works.length; index += 1) {
      const unit = units[index] as Unit;
      const outcome = result.units[index] as UnitResult;
      const events = seam === null ? null : numbered(unit, outcome);
      if (events !== null) for (const event of events) appended.push(event);
      works[index]?.settled(outcome, () => events ?? numbered(unit, outcome));
    }
    seam?.committed(progress, result, appended);
  };

  const run = async (): Promise<void> => {
    try {
      nudged = false;
      await runBatch();
    } catch (error) {
      notifier.emit('trouble', { where: 'commit', error });
    } finally {
      busy = false;
      if (queue.length > 0 || nudged) kick();
      else {
        const idle = waiting;
        waiting = [];
        for (const resolve of idle) resolve();
      }
    }
  };

  const kick = (): void => {
    if (busy) return;
    busy = true;
    const go = (): void => void run();
    // Those who were answered together ask together again: one more turn of the loop lets more of them into the same transaction.
    system.soon(crowded ? () => system.soon(go) : go);
  };

  return {
    submit(work) {
      if (closed) return work.failed(new OrderfoldError('CLOSED', 'this bus is closed'));
      if (away !== null && !work.persistent) return work.failed(away);
      if (queue.length >= MOST_QUEUED && !work.persistent) {
        return work.failed(new OrderfoldError('BUSY', `${MOST_QUEUED} units are waiting for the store already`));
      }
      queue.push(work);
      kick();
    },
    nudge() {
      nudged = true;
      if (!closed) kick();
    },
    attach(next) {
      seam = next;
      return () => {
        if (seam === next) seam = null;
      };
    },
    drained: () => (busy || queue.length > 0 ? new Promise((resolve) => void waiting.push(resolve)) : Promise.resolve()),
    isOpen: () => !closed,
    close() {
      closed = true;
      const left = queue;
      queue = [];
      for (const work of left) work.failed(new OrderfoldError('CLOSED', 'this bus is closed'));
    },
  };
};
