import * as E from 'fp-ts/lib/Either.js';
import { describeError, type ErrorFacts } from '../core/error-facts.ts';
import { recordAttempt } from '../core/ledger.ts';
import { isPermanent } from '../core/permanent.ts';
import type { ParkedDelivery } from '../core/records.ts';
import { type Delay, type Failure, type GiveUp, nextDelay, type RetryPolicy } from '../core/retry-policy.ts';
import { causeOf } from './cause.ts';
import { changed, detailOf } from './parking.ts';

/** A failed attempt, as the worker saw it. Times in milliseconds since 1970. */
export interface FailedAttempt {
  readonly error: unknown;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly worker: string;
}

/** What becomes of a delivery after a failure: the record to keep and what to tell. */
export interface Verdict {
  readonly record: ParkedDelivery;
  /** Null: dead. */
  readonly delayMs: number | null;
  readonly rule: string;
  readonly facts: ErrorFacts;
}

/** A policy that throws has given up. */
const chosenBy = (policy: RetryPolicy, failure: Failure, random: number): E.Either<GiveUp, Delay> => {
  try {
    return nextDelay(policy, failure, random);
  } catch {
    return E.left({ rule: 'the policy failed' });
  }
};

/**
 * Judges a failed attempt by the policy and writes it down. Pure but for `random`, which is in [0, 1).
 * @param last the rule by which it was the last attempt, where the policy would try again
 */
export const judge = (record: ParkedDelivery, policy: RetryPolicy, failed: FailedAttempt, random: number, last?: GiveUp): Verdict => {
  const detail = detailOf(record);
  const attempt = record.attempts + 1;
  const firstStartedAt = detail.firstStartedAt ?? failed.startedAt;
  const facts = describeError(failed.error);
  const elapsedMs = Math.max(0, failed.endedAt - firstStartedAt);
  const byPolicy = isPermanent(failed.error)
    ? E.left({ rule: 'permanent error' })
    : chosenBy(policy, { attempt, elapsedMs, previousDelayMs: detail.previousDelayMs, error: failed.error }, random);
  const chosen = E.isRight(byPolicy) && last !== undefined ? E.left(last) : byPolicy;
  const delayMs = E.isLeft(chosen) ? null : chosen.right.delayMs;
  const rule = E.isLeft(chosen) ? chosen.left.rule : chosen.right.rule;
  const ledger = recordAttempt(detail.ledger, {
    attempt,
    generation: record.generation,
    startedAt: new Date(failed.startedAt).toISOString(),
    endedAt: new Date(failed.endedAt).toISOString(),
    worker: failed.worker,
    error: facts,
    delayMs,
    rule,
  });
  const { worker: _worker, trial: _trial, postponedSince: _since, ...kept } = detail;
  const columns = {
    attempts: attempt,
    startedAt: null,
    state: delayMs === null ? ('dead' as const) : ('scheduled' as const),
    cause: causeOf(facts),
  };
  return {
    record: changed(record, columns, { ...kept, ledger, firstStartedAt, previousDelayMs: delayMs ?? 0, error: facts }),
    delayMs,
    rule,
    facts,
  };
};
