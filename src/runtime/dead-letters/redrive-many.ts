import { isOrderfoldError } from '../../core/errors.ts';
import type { ParkedDelivery } from '../../core/records.ts';
import type { Store } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import type { Transact } from '../transact.ts';
import type { Change } from './change.ts';
import { lettersLeft } from './letters-left.ts';
import { lookedThrough, type Operation, type RedriveReport, reportOf, WINDOW } from './redrive-operation.ts';
import { type Kept, keep, load, REDRIVES } from './redrive-record.ts';
import { byStream, inTurn } from './selection.ts';

interface Context {
  readonly store: Store;
  readonly system: System;
  readonly transact: Transact<never>;
  readonly change: Change;
}

/** How often outcomes are looked for while nothing else is to be done, and how long a store that is away is left alone. */
const LOOK_MS = 500;
/** A second's letters are redriven in so many goes. */
const GOES_PER_SECOND = 4;

/** The store may answer another time. */
const isAway = (error: unknown): boolean => isOrderfoldError(error, 'BUSY') || (isOrderfoldError(error, 'STORE') && error.retryable);

const pause = (system: System, delayMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = system.setTimer(delayMs, end);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });

/**
 * Runs an operation until it ends. Letters are written down as taken before they are redriven, and each one's change is guarded by
 * that very writing: whoever lost the operation to another runner changes nothing any more, and what a crash left half done is found
 * by what the letters themselves say.
 */
export const runRedrive = async (context: Context, began: Kept, signal: AbortSignal, abortedBy: () => string): Promise<RedriveReport> => {
  const { store, system, change } = context;
  const { id, runner, perSecond, stopAfterFailures, by, reason } = began.operation;
  const atOnce = Math.max(1, Math.floor(perSecond / GOES_PER_SECOND));
  const known = new Map<string, 'redriven' | 'refused'>();
  let letters = lettersLeft(store, began.operation);
  let ahead: ParkedDelivery[] = [];
  let exhausted = false;
  let kept: Kept | null = began;
  let last = began.operation;

  const take = async (window: Operation['window']): Promise<readonly ParkedDelivery[]> => {
    const room = Math.min(atOnce, WINDOW - window.length);
    while (ahead.length < room && !exhausted) {
      const next = await letters.next();
      exhausted = next.done === true;
      if (next.done === true) break;
      const { id: found } = next.value;
      if (!known.has(found) && ![...window, ...ahead].some((taken) => taken.id === found)) ahead.push(next.value);
    }
    return ahead.slice(0, Math.max(0, room));
  };

  const endOf = ({ failed, failedBefore, window }: Operation): Partial<Operation> | null => {
    if (signal.aborted) return { state: 'interrupted', why: abortedBy() };
    if (failed - failedBefore >= stopAfterFailures)
      return { state: 'stopped', why: `${failed - failedBefore} redriven letters died again` };
    return exhausted && ahead.length === 0 && window.length === 0 ? { state: 'finished' } : null;
  };

  const redrive = async (record: ParkedDelivery, guard: number): Promise<void> => {
    try {
      const documents = { collection: REDRIVES, key: id, expect: guard };
      const refusal = await change(record, { kind: 'redriven', by, reason, operation: id, guard: documents });
      if (refusal?.code !== 'NOT_DEAD') known.set(record.id, refusal === null ? 'redriven' : 'refused');
    } catch (error) {
      if (isAway(error) || isOrderfoldError(error, 'STORE') || isOrderfoldError(error, 'CLOSED')) throw error;
      known.set(record.id, 'refused'); // a stream that this code can't fold, or whose model throws
    }
  };

  /** Resolves with how long to wait before the next one; null when the operation has ended. */
  const turn = async (before: Kept): Promise<number | null> => {
    const found = await Promise.all(before.operation.window.map((taken) => store.parked(taken.id)));
    const records = new Map(found.flatMap((one) => (one === null ? [] : [[one.parked.id, one.parked] as const])));
    const { operation, waiting } = lookedThrough(before.operation, records, known);
    const taken = endOf(operation) === null ? await take(operation.window) : [];
    const end = endOf(operation);
    const window =
      end === null
        ? [...operation.window, ...taken.map((record) => ({ id: record.id, redriven: false }))]
        : operation.window.filter(({ redriven }) => redriven);
    const next = { ...operation, ...end, window };
    const now = JSON.stringify(next) === JSON.stringify(before.operation) ? before : await keep(context, next, before.revision);
    kept = now;
    if (now === null) return 0;
    last = now.operation;
    if (end !== null) return null;
    ahead = ahead.slice(taken.length);
    for (const [settled, what] of known) if (what === 'redriven') known.delete(settled); // what is still open was written down with this turn
    await inTurn(byStream([...waiting, ...taken]), (record) => redrive(record, now.revision));
    return taken.length === 0 ? LOOK_MS : (taken.length * 1000) / perSecond;
  };

  for (;;) {
    try {
      kept ??= await load(store, id);
      const { operation } = kept ?? { operation: last };
      if (operation.state !== 'running') return reportOf(operation);
      if (kept === null || operation.runner !== runner)
        return reportOf({ ...operation, state: 'interrupted', why: 'it was resumed elsewhere' });
      const waitMs = await turn(kept);
      if (waitMs === null) return reportOf(last);
      await pause(system, waitMs, signal);
    } catch (error) {
      if (!isAway(error)) throw error;
      if (signal.aborted) return reportOf({ ...last, state: 'interrupted', why: abortedBy() });
      await pause(system, LOOK_MS, signal);
      // What is written down is what counts; a list of letters that broke off begins again.
      kept = null;
      ahead = [];
      exhausted = false;
      letters = lettersLeft(store, began.operation);
    }
  }
};
