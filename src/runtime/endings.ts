import * as E from 'fp-ts/lib/Either.js';
import { eventId } from '../core/envelope.ts';
import { isOrderfoldError } from '../core/errors.ts';
import { permanent } from '../core/permanent.ts';
import { type DocumentWrite, isOpen, type ParkedDelivery, type ParkedWrite } from '../core/records.ts';
import { RetryPolicy } from '../core/retry-policy.ts';
import type { System } from '../core/system.ts';
import { bury } from './bury.ts';
import { addDone, type Holding, type InHand, type Place } from './holding.ts';
import type { Decide, Fact, StreamModel } from './model.ts';
import type { DeliveryFacts, Notifier } from './notifications.ts';
import { type FailedAttempt, judge } from './outcome.ts';
import { changed, detailOf, newRecord, type ParkedDetail } from './parking.ts';
import type { Route } from './subscription.ts';
import type { Transact, Transacted, Transaction } from './transact.ts';

/** How long a delivery waits for code that knows it before it counts as dead, and how often it asks. */
const NEWER_CODE = { patienceMs: 3_600_000, everyMs: 5_000 } as const;

interface Context<State> {
  readonly system: System;
  readonly notifier: Notifier;
  readonly transact: Transact<State>;
  readonly model: StreamModel<State> | undefined;
  readonly worker: string;
  /** Done marks wait to be written. */
  readonly progressed: () => void;
  /** A parked delivery is due in so many milliseconds, or may have become runnable. */
  readonly parkedDue: (inMs: number) => void;
  /** The store says the lease is no longer ours. */
  readonly leaseGone: (holding: Holding) => void;
}

/** The ways a delivery can end, each durable before it counts as handled. */
export interface Endings<State> {
  /** Commits the outcome under the lease. False when the lease or the record is no longer ours: nothing was written. */
  settle(
    place: Place,
    inHand: InHand,
    record: ParkedDelivery | null,
    rest?: Partial<Transaction<State, unknown>>,
    write?: Partial<ParkedWrite>,
  ): Promise<boolean>;
  /** Commits what the handler returned. Where there is nothing but a done mark, that rides along with a later commit. */
  finish(place: Place, inHand: InHand, value: unknown): Promise<Transacted<State, unknown>['kind']>;
  /** No attempt: an earlier version of its stream is in the way. */
  hold(place: Place, inHand: InHand): Promise<void>;
  /** Retry or dead letter, decided by the policy. Without a route nothing can cure it. */
  fail(place: Place, inHand: InHand, record: ParkedDelivery, route: Route | null, failed: FailedAttempt): Promise<void>;
  /** No attempt: it waits, in order, for a better moment. */
  postpone(place: Place, inHand: InHand, record: ParkedDelivery, detail: ParkedDetail, delayMs: number): Promise<void>;
  /** No attempt: it waits for code that knows it. */
  awaitNewerCode(place: Place, inHand: InHand, record: ParkedDelivery, error: unknown): Promise<void>;
}

export const needsNewerCode = (error: unknown): boolean => isOrderfoldError(error, 'UNDECODABLE') && error.retryable;

/** The record of a delivery in hand; a new one if it was never parked. */
export const recordOf = ({ holding }: Place, { parked, event }: InHand): ParkedDelivery =>
  parked ?? newRecord(holding.subscription.name, event as NonNullable<typeof event>, holding.subscription.holds);

export const factsOf = ({ holding, stream }: Place, record: ParkedDelivery, attempt: number): DeliveryFacts => ({
  id: record.id,
  subscription: holding.subscription.name,
  stream,
  type: record.type,
  attempt,
  generation: record.generation,
});

const withoutStart = ({ worker: _worker, trial: _trial, ...detail }: ParkedDetail): ParkedDetail => detail;

/** What a handler returned, as a decision over its stream; undefined when it has nothing to append. */
const decisionOf = (value: unknown): Decide<unknown> | undefined => {
  if (typeof value === 'function')
    return (state, version) => E.right((value as (state: unknown, version: number) => readonly Fact[])(state, version));
  return Array.isArray(value) && value.length > 0 ? () => E.right(value as readonly Fact[]) : undefined;
};

export const createEndings = <State>(context: Context<State>): Endings<State> => {
  const { system, notifier, transact, model, worker, progressed, parkedDue, leaseGone } = context;

  const commit = async (
    { holding, stream }: Place,
    { parked, event }: InHand,
    record: ParkedDelivery | null,
    rest: Partial<Transaction<State, unknown>> = {},
    write: Partial<ParkedWrite> = {},
  ): Promise<Transacted<State, unknown>['kind']> => {
    const park = record === null ? [] : [{ record, expect: parked === null ? ('absent' as const) : parked.revision, ...write }];
    const done = parked === null && event !== null ? { done: [event.position] } : {};
    const { kind } = await transact<unknown>({ stream, lease: holding.lease, persistent: true, park, ...done, ...rest });
    if (kind === 'lease') leaseGone(holding);
    else if (kind === 'revision' && parked?.kind === 'timer')
      parkedDue(0); // taken back, or set anew
    else if (kind !== 'won' && kind !== 'document') throw new Error(`the outcome was not taken: ${kind}`);
    if (kind !== 'won') return kind;
    const open = record !== null && isOpen(record.state);
    if (parked === null && open) holding.parked += 1;
    if (parked !== null && !open) {
      holding.parked -= 1;
      parkedDue(0);
    }
    if (parked !== null && record?.state === 'dead' && !record.holds) parkedDue(0);
    return kind;
  };

  const settle: Endings<State>['settle'] = async (...outcome) => (await commit(...outcome)) === 'won';

  const fail: Endings<State>['fail'] = async (place, inHand, record, route, failed) => {
    const error = route === null ? permanent(failed.error) : failed.error;
    const verdict = judge(record, route?.retry ?? RetryPolicy.default, { ...failed, error }, system.random());
    const facts = factsOf(place, verdict.record, verdict.record.attempts);
    if (verdict.delayMs !== null) {
      if (!(await settle(place, inHand, verdict.record, {}, { delayMs: verdict.delayMs, failed: true }))) return;
      parkedDue(verdict.delayMs);
      notifier.emit('retry', { ...facts, delayMs: verdict.delayMs, rule: verdict.rule, error: verdict.facts });
      return;
    }
    const cause = eventId(record.stream, record.version);
    const traceparent = inHand.event?.traceparent;
    const buried = await bury(model, verdict.record, (decide) =>
      settle(place, inHand, verdict.record, { ...decide, cause, traceparent }, { failed: true }),
    );
    if (buried) notifier.emit('dead', { ...facts, rule: verdict.rule, error: verdict.facts });
  };

  const postpone: Endings<State>['postpone'] = async (place, inHand, record, detail, delayMs) => {
    if (await settle(place, inHand, changed(record, { startedAt: null }, withoutStart(detail)), {}, { delayMs })) parkedDue(delayMs);
  };

  return {
    settle,
    fail,
    postpone,

    async finish(place, inHand, value) {
      const { parked, event } = inHand;
      const { holding } = place;
      const closing = parked === null ? null : changed(parked, { state: 'done', startedAt: null }, withoutStart(detailOf(parked)));
      const documents = holding.subscription.batch === undefined ? undefined : (value as readonly DocumentWrite[]);
      const decide = documents === undefined ? (decisionOf(value) as Decide<State> | undefined) : undefined;
      if (decide === undefined && (documents ?? []).length === 0 && parked === null && event !== null) {
        addDone(holding, event.position);
        progressed();
        return 'won';
      }
      if (documents !== undefined) return commit(place, inHand, closing, { documents });
      const { stream, version } = recordOf(place, inHand);
      const follows = { cause: eventId(stream, version), traceparent: event?.traceparent };
      return commit(place, inHand, closing, decide === undefined ? {} : { decide, ...follows });
    },

    async hold(place, inHand) {
      const record = recordOf(place, inHand);
      if (await settle(place, inHand, record, {}, { delayMs: 0 })) notifier.emit('held', factsOf(place, record, 1));
    },

    async awaitNewerCode(place, inHand, record, error) {
      const detail = detailOf(record);
      const now = system.now();
      const postponedSince = detail.postponedSince ?? now;
      if (now - postponedSince < NEWER_CODE.patienceMs) {
        return postpone(place, inHand, record, { ...detail, postponedSince }, NEWER_CODE.everyMs);
      }
      await fail(place, inHand, record, null, { error, startedAt: now, endedAt: now, worker });
    },
  };
};
