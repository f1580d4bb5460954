import * as E from 'fp-ts/lib/Either.js';
import { type Envelope, eventId } from '../core/envelope.ts';
import { isOrderfoldError, OrderfoldError } from '../core/errors.ts';
import { permanent } from '../core/permanent.ts';
import { type DocumentWrite, isOpen, type ParkedDelivery, type ParkedWrite, type StoredEvent } from '../core/records.ts';
import { RetryPolicy } from '../core/retry-policy.ts';
import type { Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import { createBatches } from './batches.ts';
import { bury } from './bury.ts';
import { createCalls } from './calls.ts';
import type { Codec } from './codec.ts';
import { addDone, type Holding, type InHand, type Lane, type Place } from './holding.ts';
import { createInTheWay } from './in-the-way.ts';
import type { Decide, Fact, StreamModel } from './model.ts';
import type { DeliveryFacts, Notifier } from './notifications.ts';
import { type FailedAttempt, judge } from './outcome.ts';
import { changed, detailOf, newRecord, type ParkedDetail, withLost } from './parking.ts';
import { isPostponed } from './postponed.ts';
import { beforeRepeat, isStoreAway } from './run-again.ts';
import type { Route } from './subscription.ts';
import type { Timeouts } from './timeouts.ts';
import { createTimers } from './timers.ts';
import type { Transact, Transaction } from './transact.ts';
import { STARTS_BEFORE_TRIAL, type Trials } from './trials.ts';

/** How long a delivery waits for code that knows it before it counts as dead, and how often it asks. */
const NEWER_CODE = { patienceMs: 3_600_000, everyMs: 5_000 } as const;

export interface Runner {
  run(lane: Lane, delivery: InHand, freeSlot: () => void): Promise<void>;
  /** Aborts what runs under this lease, or everything; it is parked as interrupted if the lease is still held. */
  abort(holding: Holding | null, reason: unknown): void;
}

interface Context<State> {
  readonly store: Store;
  readonly system: System;
  readonly codec: Codec;
  readonly notifier: Notifier;
  readonly timeouts: Timeouts;
  readonly trials: Trials;
  readonly transact: Transact<State>;
  readonly model: StreamModel<State> | undefined;
  readonly worker: string;
  /** Done marks wait to be written. */
  readonly progressed: () => void;
  /** A parked delivery here is due in so many milliseconds, or may have become runnable. */
  readonly parkedDue: (inMs: number) => void;
  /** The store says the lease is no longer ours. */
  readonly leaseGone: (holding: Holding) => void;
  /** False also when the lease has run out and its timer had no time to say so, as after a stall. */
  readonly mayStart: (holding: Holding) => boolean;
  /** A delivery ended without an outcome: only the next owner of the lease can tell what has to be done again. */
  readonly untold: (holding: Holding) => void;
}

const causeEvent = ({ stream, version }: ParkedDelivery): string => eventId(stream, version);

/** What a handler returned, as a decision over its stream; undefined when it has nothing to append. */
const decisionOf = (value: unknown): Decide<unknown> | undefined => {
  if (typeof value === 'function')
    return (state, version) => E.right((value as (state: unknown, version: number) => readonly Fact[])(state, version));
  return Array.isArray(value) && value.length > 0 ? () => E.right(value as readonly Fact[]) : undefined;
};

const fresh = (event: StoredEvent): InHand => ({ event, parked: null, version: event.version });

const needsNewerCode = (error: unknown): boolean => isOrderfoldError(error, 'UNDECODABLE') && error.retryable;

const withoutStart = ({ worker: _worker, trial: _trial, ...detail }: ParkedDetail): ParkedDetail => detail;

/** Runs one delivery from the head of its lane to its outcome in the store. */
export const createRunner = <State>(context: Context<State>): Runner => {
  const { store, system, codec, notifier, timeouts, trials, transact, model, worker, progressed, parkedDue, leaseGone, mayStart, untold } =
    context;
  const calls = createCalls(timeouts);
  const isHeld = createInTheWay(store, system);
  const timers = createTimers({ codec, notifier, model });
  const factsOf = (lane: Place, record: ParkedDelivery, attempt: number): DeliveryFacts => ({
    id: record.id,
    subscription: lane.holding.subscription.name,
    stream: lane.stream,
    type: record.type,
    attempt,
    generation: record.generation,
  });

  /** Commits the outcome under the lease. */
  const commit = async (
    lane: Place,
    { parked, event }: InHand,
    record: ParkedDelivery | null,
    rest: Partial<Transaction<State, unknown>> = {},
    write: Partial<ParkedWrite> = {},
  ) => {
    const { holding, stream } = lane;
    const park = record === null ? [] : [{ record, expect: parked === null ? ('absent' as const) : parked.revision, ...write }];
    const done = parked === null && event !== null ? { done: [event.position] } : {};
    const { kind } = await transact<unknown>({ stream, lease: holding.lease, persistent: true, park, ...done, ...rest });
    if (kind === 'lease') leaseGone(holding);
    else if (kind === 'revision' && parked?.kind === 'timer')
      parkedDue(0); // taken back, or set anew
    else if (kind !== 'won' && kind !== 'document') throw new Error(`the outcome was not taken: ${kind}`);
    if (kind === 'won') {
      const open = record !== null && isOpen(record.state);
      if (parked === null && open) holding.parked += 1;
      if (parked !== null && !open) {
        holding.parked -= 1;
        parkedDue(0);
      }
      if (parked !== null && record?.state === 'dead' && !record.holds) parkedDue(0);
    }
    return kind;
  };

  /** False when the lease or the record is no longer ours: nothing was written. */
  const settle = async (...outcome: Parameters<typeof commit>): Promise<boolean> => (await commit(...outcome)) === 'won';

  /** Retry or dead letter, decided by the policy and durable before the delivery counts as handled. */
  const fail = async (lane: Place, inHand: InHand, record: ParkedDelivery, route: Route | null, failed: FailedAttempt): Promise<void> => {
    const error = route === null ? permanent(failed.error) : failed.error;
    const verdict = judge(record, route?.retry ?? RetryPolicy.default, { ...failed, error }, system.random());
    const facts = factsOf(lane, verdict.record, verdict.record.attempts);
    if (verdict.delayMs !== null) {
      if (!(await settle(lane, inHand, verdict.record, {}, { delayMs: verdict.delayMs, failed: true }))) return;
      parkedDue(verdict.delayMs);
      notifier.emit('retry', { ...facts, delayMs: verdict.delayMs, rule: verdict.rule, error: verdict.facts });
      return;
    }
    const settled = await bury(model, verdict.record, (decide) =>
      settle(lane, inHand, verdict.record, { ...decide, cause: causeEvent(record) }, { failed: true }),
    );
    if (settled) {
      notifier.emit('dead', { ...facts, rule: verdict.rule, error: verdict.facts });
    }
  };

  /** No attempt: it waits, in order, for code that knows it or for a better moment. */
  const postpone = async (lane: Place, inHand: InHand, record: ParkedDelivery, detail: ParkedDetail, delayMs: number): Promise<void> => {
    if (await settle(lane, inHand, changed(record, { startedAt: null }, withoutStart(detail)), {}, { delayMs })) parkedDue(delayMs);
  };

  const awaitNewerCode = async (lane: Place, inHand: InHand, record: ParkedDelivery, error: unknown): Promise<void> => {
    const detail = detailOf(record);
    const now = system.now();
    const postponedSince = detail.postponedSince ?? now;
    if (now - postponedSince < NEWER_CODE.patienceMs)
      return postpone(lane, inHand, record, { ...detail, postponedSince }, NEWER_CODE.everyMs);
    await fail(lane, inHand, record, null, { error, startedAt: now, endedAt: now, worker });
  };

  /** Writes down that a parked delivery starts now, before its handler does. Null: it is no longer ours to run. */
  const recordStart = async (lane: Place, parked: ParkedDelivery): Promise<InHand | null> => {
    const detail = { ...detailOf(parked), worker, trial: parked.lostStarts >= STARTS_BEFORE_TRIAL };
    const record = changed(parked, { startedAt: system.now() }, detail);
    const { kind } = await transact({
      stream: lane.stream,
      lease: lane.holding.lease,
      persistent: true,
      park: [{ record, expect: parked.revision }],
    });
    if (kind === 'lease') leaseGone(lane.holding);
    else if (kind !== 'won') parkedDue(0); // it was woken in the meantime
    return kind === 'won' ? { parked: { ...record, revision: parked.revision + 1 }, event: null, version: parked.version } : null;
  };

  const sinceLastStart = (record: ParkedDelivery, holding: Holding): number | null => {
    const endedAt = holding.lastEnded.get(record.id);
    const isFirst = record.attempts === 0 && record.generation === 0 && record.lostStarts === 0 && detailOf(record).lost.length === 0;
    return isFirst && endedAt === undefined ? null : system.monotonic() - (endedAt ?? holding.gainedAt);
  };

  const handle = async (
    lane: Place,
    inHand: InHand,
    envelope: Envelope,
    route: Route,
    freeSlot: () => void,
    repeats = 0,
  ): Promise<void> => {
    const { holding } = lane;
    const { event, parked } = inHand;
    const record = parked ?? (event === null ? null : newRecord(holding.subscription.name, event, holding.subscription.holds));
    if (record === null) return;
    if (repeats > 0) {
      await beforeRepeat(system, repeats);
      if (!holding.live) return;
      if (holding.closing) return postpone(lane, inHand, record, detailOf(record), 0);
    }
    if (!mayStart(holding)) return untold(holding);
    const attempt = record.attempts + 1;
    const startedAt = system.now();
    const began = system.monotonic();
    let ended = await calls.call(holding, route, {
      ...envelope,
      attempt,
      maxAttempts: route.retry.attempts,
      generation: record.generation,
      sinceLastStartMs: parked === null ? null : sinceLastStart(record, holding),
      effectKey: `${envelope.id}:${holding.subscription.name}`,
    });
    if (!holding.live) return;
    if (ended.kind === 'returned') {
      freeSlot();
      try {
        const kind = await finish(lane, inHand, ended.value);
        if (kind === 'document') return handle(lane, inHand, envelope, route, freeSlot, repeats + 1);
        if (kind === 'won') {
          holding.lastEnded.delete(record.id);
          notifier.emit('handled', { ...factsOf(lane, record, attempt), durationMs: system.monotonic() - began });
        }
        return;
      } catch (error) {
        if (isOrderfoldError(error, 'CLOSED')) return;
        ended = { kind: 'threw', error };
      }
    }
    if (holding.subscription.batch !== undefined && ended.kind === 'threw' && isStoreAway(ended.error))
      return handle(lane, inHand, envelope, route, freeSlot, repeats + 1);
    const withoutOutcome = (): ParkedDetail =>
      withLost(detailOf(record), { startedAt: new Date(startedAt).toISOString(), worker, how: 'stop' });
    // One that did not even try leaves the quiet since the last try undisturbed.
    if (ended.kind === 'interrupted' || !isPostponed(ended.error) || sinceLastStart(record, holding) === null)
      holding.lastEnded.set(record.id, system.monotonic());
    freeSlot();
    if (ended.kind === 'interrupted') {
      await postpone(lane, inHand, record, withoutOutcome(), 0);
    } else if (isPostponed(ended.error)) {
      await postpone(lane, inHand, record, detailOf(record), ended.error.delayMs);
    } else if (needsNewerCode(ended.error)) {
      await awaitNewerCode(lane, inHand, changed(record, {}, withoutOutcome()), ended.error);
    } else {
      await fail(lane, inHand, record, route, { error: ended.error, startedAt, endedAt: system.now(), worker });
    }
  };

  /** Events and outcome in one unit; where there is nothing but a done mark, it rides along with a later one. */
  const finish = async (lane: Place, inHand: InHand, value: unknown): ReturnType<typeof commit> => {
    const { parked, event } = inHand;
    const closing = parked === null ? null : changed(parked, { state: 'done', startedAt: null }, withoutStart(detailOf(parked)));
    const documents = lane.holding.subscription.batch === undefined ? undefined : (value as readonly DocumentWrite[]);
    const decide = documents === undefined ? decisionOf(value) : undefined;
    if (decide === undefined && (documents ?? []).length === 0 && parked === null && event !== null) {
      addDone(lane.holding, event.position);
      progressed();
      return 'won';
    }
    if (documents !== undefined) return commit(lane, inHand, closing, { documents });
    const record = parked ?? (event === null ? null : newRecord(lane.holding.subscription.name, event, lane.holding.subscription.holds));
    return commit(
      lane,
      inHand,
      closing,
      decide === undefined ? {} : { decide: decide as Decide<State>, ...(record && { cause: causeEvent(record) }) },
    );
  };

  const runFresh = async (lane: Place, inHand: InHand, freeSlot: () => void): Promise<void> => {
    const { holding, stream } = lane;
    const { event } = inHand;
    if (event === null) return;
    if (holding.parked > 0 && (await isHeld(holding, stream, event.version))) return parkHeld(lane, inHand, event);
    await decodeAndHandle(lane, inHand, event, holding.subscription.routes.get(event.type), freeSlot);
  };

  const parkHeld = async (lane: Place, inHand: InHand, event: StoredEvent): Promise<void> => {
    const { name, holds } = lane.holding.subscription;
    const record = newRecord(name, event, holds);
    if (await settle(lane, inHand, record, {}, { delayMs: 0 })) notifier.emit('held', factsOf(lane, record, 1));
  };

  const decodeAndHandle = async (
    lane: Place,
    inHand: InHand,
    event: NonNullable<InHand['event']>,
    route: Route | undefined,
    freeSlot: () => void,
  ): Promise<void> => {
    const { name, holds } = lane.holding.subscription;
    const record = (): ParkedDelivery => inHand.parked ?? newRecord(name, event, holds);
    let envelope: Envelope;
    try {
      if (route === undefined) throw new OrderfoldError('UNDECODABLE', `${name} has no handler for ${event.type}`, { retryable: true });
      envelope = codec.decode(event);
    } catch (error) {
      const now = system.now();
      if (needsNewerCode(error)) return awaitNewerCode(lane, inHand, record(), error);
      return fail(lane, inHand, record(), null, { error, startedAt: now, endedAt: now, worker });
    }
    await handle(lane, inHand, envelope, route, freeSlot);
  };

  const runParked = async (lane: Place, { parked, event }: InHand, freeSlot: () => void): Promise<void> => {
    if (parked === null) return;
    // Trials come one at a time: those that wait for theirs keep no slot from others.
    if (parked.lostStarts >= STARTS_BEFORE_TRIAL) freeSlot();
    const leave = parked.lostStarts > 0 ? await trials.enter(parked.lostStarts) : null;
    try {
      const started = lane.holding.live && !lane.holding.closing ? await recordStart(lane, parked) : null;
      if (started === null || !lane.holding.live) return;
      if (parked.kind === 'timer') {
        freeSlot();
        const now = system.now();
        await timers
          .fire(lane, started, settle)
          .catch((error) =>
            needsNewerCode(error)
              ? awaitNewerCode(lane, started, parked, error)
              : fail(lane, started, parked, null, { error, startedAt: now, endedAt: now, worker }),
          );
      } else if (event !== null) {
        await decodeAndHandle(lane, started, event, lane.holding.subscription.routes.get(event.type), freeSlot);
      }
    } finally {
      leave?.();
    }
  };

  const runBatch = createBatches({
    system,
    codec,
    calls,
    notifier,
    transact,
    progressed,
    leaseGone,
    mayStart,
    untold,
    async withoutHeld(holding, events) {
      if (holding.parked === 0) return events;
      const held = await Promise.all(events.map(({ stream, version }) => isHeld(holding, stream, version)));
      await Promise.all(events.map((event, index) => held[index] && parkHeld({ holding, stream: event.stream }, fresh(event), event)));
      return events.filter((_, index) => !held[index]);
    },
    runAlone: (holding, event) => runFresh({ holding, stream: event.stream }, fresh(event), () => {}),
  });

  return {
    async run(lane, inHand, freeSlot) {
      const { batch } = lane.holding.subscription;
      const place = batch === undefined ? lane : { holding: lane.holding, stream: inHand.parked?.stream ?? '' };
      try {
        if (batch !== undefined && inHand.parked === null) await runBatch(lane, batch);
        else await (inHand.parked === null ? runFresh(lane, inHand, freeSlot) : runParked(place, inHand, freeSlot));
      } catch (error) {
        if (isOrderfoldError(error, 'CLOSED') || !lane.holding.live) return;
        notifier.emit('trouble', { where: `delivery ${lane.holding.subscription.name} of ${lane.stream}`, error });
        untold(lane.holding);
      }
    },
    abort: calls.abort,
  };
};
