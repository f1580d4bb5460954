import * as E from 'fp-ts/lib/Either.js';
import { retryAfterOf } from '../cause-chain.ts';
import { isPermanent } from '../permanent.ts';
import { belongsTo } from './error-class.ts';
import { inWords, rangeInWords } from './in-words.ts';
import type { Backoff, Jitter, PlainRule, Rule, Rules } from './rule.ts';

/** An attempt that just failed. */
export interface Failure {
  /** 1-based. */
  readonly attempt: number;
  /** Since the first attempt began. */
  readonly elapsedMs: number;
  /** The wait before this attempt, 0 for the first. */
  readonly previousDelayMs: number;
  readonly error: unknown;
}

/** No further attempt; `rule` says in words why not. */
export interface GiveUp {
  readonly rule: string;
}

/** The wait before the next attempt, whole milliseconds, and in words the rule that chose it. */
export interface Delay {
  readonly delayMs: number;
  readonly rule: string;
}

/** The range a backoff draws from. Whole milliseconds, so that what is stored is what was waited. */
const rangeOf = (backoff: Backoff, attempt: number, previousDelayMs: number): readonly [leastMs: number, mostMs: number] => {
  const jittered = (ms: number, jitter: Jitter): readonly [number, number] => {
    const mostMs = Math.floor(ms);
    return [jitter === 'none' ? mostMs : jitter === 'equal' ? Math.ceil(mostMs / 2) : 0, mostMs];
  };
  switch (backoff.kind) {
    case 'fixed':
      return jittered(backoff.delayMs, backoff.jitter);
    case 'linear':
      return jittered(Math.min(backoff.capMs, backoff.baseMs + backoff.stepMs * (attempt - 1)), backoff.jitter);
    case 'exponential': // 0 × Infinity is not a number
      return jittered(backoff.baseMs === 0 ? 0 : Math.min(backoff.capMs, backoff.baseMs * backoff.factor ** (attempt - 1)), backoff.jitter);
    case 'decorrelated': {
      const baseMs = Math.min(backoff.baseMs, backoff.capMs);
      return [Math.floor(baseMs), Math.floor(Math.min(backoff.capMs, 3 * Math.max(baseMs, previousDelayMs)))];
    }
  }
};

/** The range in words: what `explain` shows and an attempt's record keeps. */
export const waitInWords = (backoff: Backoff, attempt: number, previousDelayMs: number): string =>
  rangeInWords(...rangeOf(backoff, attempt, previousDelayMs));

const drawn = (backoff: Backoff, { attempt, previousDelayMs }: Failure, random: number): Delay => {
  const [leastMs, mostMs] = rangeOf(backoff, attempt, previousDelayMs);
  const delayMs = leastMs + Math.floor(random * (mostMs - leastMs + 1));
  return { delayMs, rule: `${backoff.kind} backoff, ${waitInWords(backoff, attempt, previousDelayMs)}` };
};

/** The lines that hold for this error. */
const linesFor = (rules: readonly Rule[], error: unknown): readonly PlainRule[] =>
  rules.flatMap((rule) => {
    if (rule.kind !== 'orElse') return [rule];
    return linesFor(belongsTo(rule.errors, error) ? rule.use : rule.otherwise, error);
  });

const stopOf = (rule: PlainRule, { attempt, error }: Failure): string | undefined => {
  switch (rule.kind) {
    case 'never':
      return 'never retried';
    case 'maxAttempts':
      return attempt >= rule.attempts ? `attempt ${attempt} of at most ${rule.attempts}` : undefined;
    case 'retryIf':
      return belongsTo(rule.errors, error) ? undefined : `retried only if ${rule.errors.name}`;
    case 'honourRetryAfter': {
      const askedMs = retryAfterOf(error) ?? 0;
      return askedMs > rule.maxMs ? `Retry-After of ${inWords(askedMs)} is longer than ${inWords(rule.maxMs)}` : undefined;
    }
    default:
      return undefined;
  }
};

const waitOf = (rule: PlainRule, failure: Failure, random: number): Delay | undefined => {
  switch (rule.kind) {
    case 'fixed':
    case 'linear':
    case 'exponential':
    case 'decorrelated':
      return drawn(rule, failure, random);
    case 'honourRetryAfter': {
      const askedMs = retryAfterOf(failure.error);
      return askedMs === undefined ? undefined : { delayMs: Math.ceil(askedMs), rule: `Retry-After of ${inWords(askedMs)}` };
    }
    default:
      return undefined;
  }
};

/**
 * The one interpreter of every retry policy: what to do after this failure. Pure; `random` is in [0, 1).
 * A permanent error is never retried; the first line that says stop wins, else the longest wait; last, no wait may end
 * after `maxElapsedMs`, whichever line chose it.
 */
export const nextDelay = (policy: Rules, failure: Failure, random: number): E.Either<GiveUp, Delay> => {
  if (isPermanent(failure.error)) return E.left({ rule: 'the error is permanent' });
  const lines = linesFor(policy.rules, failure.error);
  let longest: Delay | undefined;
  for (const line of lines) {
    const stop = stopOf(line, failure);
    if (stop !== undefined) return E.left({ rule: stop });
    const wait = waitOf(line, failure, random);
    if (wait !== undefined && wait.delayMs > (longest?.delayMs ?? -1)) longest = wait;
  }
  const chosen = longest ?? { delayMs: 0, rule: 'retried at once' };
  const endMs = failure.elapsedMs + chosen.delayMs;
  for (const line of lines) {
    if (line.kind === 'maxElapsedMs' && endMs > line.elapsedMs)
      return E.left({ rule: `the next attempt would come ${inWords(endMs)} after the first began, at most ${inWords(line.elapsedMs)}` });
  }
  return E.right(chosen);
};
