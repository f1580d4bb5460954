import type { ErrorFacts } from './error-facts.ts';

/** One failed attempt of a delivery and what was decided after it. */
export interface Attempt {
  /** 1-based within its generation. */
  readonly attempt: number;
  /** How often the delivery had been redriven. */
  readonly generation: number;
  /** ISO 8601, UTC, by the worker's clock. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** The worker that ran it. */
  readonly worker: string;
  readonly error: ErrorFacts;
  /** The wait that was chosen; null: none, it went dead. */
  readonly delayMs: number | null;
  /** The rule of the retry policy that chose the wait or gave up, in words. */
  readonly rule: string;
}

/** The failed attempts of a delivery, oldest first: the first 5 and the last 15, and how many between them are left out. */
export interface AttemptLedger {
  readonly attempts: readonly Attempt[];
  readonly omitted: number;
}

const FIRST = 5;
const LAST = 15;

/** The ledger of a delivery that has not failed yet. */
export const EMPTY_LEDGER: AttemptLedger = Object.freeze({ attempts: Object.freeze([]), omitted: 0 });

/** The ledger with one more failed attempt. Pure; the ledger's size is bounded however often it is called. */
export const recordAttempt = ({ attempts, omitted }: AttemptLedger, attempt: Attempt): AttemptLedger => {
  const all = [...attempts, attempt];
  const excess = Math.max(0, all.length - FIRST - LAST);
  return { attempts: [...all.slice(0, FIRST), ...all.slice(FIRST + excess)], omitted: omitted + excess };
};
