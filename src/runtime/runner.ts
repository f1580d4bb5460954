import { isOrderfoldError, OrderfoldError } from '../core/errors.ts';
import type { StoredEvent } from '../core/records.ts';
import type { Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import { createBatches } from './batches.ts';
import { type Call, createCalls, type Ended } from './calls.ts';
import type { Codec } from './codec.ts';
import { createEndings, factsOf, needsNewerCode, recordOf } from './endings.ts';
import { HandedOver } from './handed-over.ts';
import { addDone, type Holding, type InHand, type Lane } from './holding.ts';
import { createInTheWay } from './in-the-way.ts';
import type { StreamModel } from './model.ts';
import type { Notifier } from './notifications.ts';
import { createParkedRuns } from './parked-runs.ts';
import { asEdited, changed, detailOf, type LostStart, withLost } from './parking.ts';
import { isPostponed } from './postponed.ts';
import { tellBreaker } from './probing.ts';
import { beforeRepeat, isOutage } from './run-again.ts';
import { createRecordStart } from './starts.ts';
import type { Delivery, Route } from './subscription.ts';
import type { Timeouts } from './timeouts.ts';
import { createTimers } from './timers.ts';
import type { Transact } from './transact.ts';
import type { Trials } from './trials.ts';
import { fresh, sinceLastStart, type Turn, type Went } from './turn.ts';

export interface Runner {
  /** Runs the delivery at the head of a lane; `ended` hears when it has its outcome in the store, or can have none, and never before this returns. */
  run(lane: Lane, delivery: InHand): void;
  /** Aborts what runs under these leases; it is parked as interrupted where the lease is still held. */
  abort(holdings: Iterable<Holding>, reason: unknown): void;
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
  /** Streams an operator has wait, as far as this process has heard. */
  readonly pausedStreams: () => ReadonlySet<string>;
  readonly freeSlot: (lane: Lane) => void;
  readonly ended: (lane: Lane) => void;
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

const appendsNothing = (value: unknown): boolean => (Array.isArray(value) ? value.length === 0 : typeof value !== 'function');

/** Runs one delivery from the head of its lane to its outcome in the store. */
export const createRunner = <State>(context: Context<State>): Runner => {
  const { store, system, codec, notifier, timeouts, trials, transact, model, worker } = context;
  const { pausedStreams, freeSlot, ended, progressed, leaseGone, mayStart, untold } = context;
  const calls = createCalls(system, timeouts);
  const endings = createEndings(context);
  const recordStart = createRecordStart(context);
  const isHeld = createInTheWay(store, system);
  const timers = createTimers({ codec, notifier, model });

  const finish = ({ over, lane }: Turn): void => {
    if (over === null) ended(lane);
    else over();
  };

  /** Its handler has returned. One of a batch may be called again, and the rest of the batch after it. */
  const handedBack = (lane: Lane): void => {
    if (lane.holding.subscription.batch === undefined) freeSlot(lane);
  };

  /** The delivery is over when this says so. */
  const follow = (turn: Turn, work: Promise<Went>): void => {
    const { holding, stream } = turn;
    work
      .catch((error): Went => {
        if (!isOrderfoldError(error, 'CLOSED') && holding.live) {
          notifier.emit('trouble', { where: `delivery ${holding.subscription.name} of ${stream}`, error });
          untold(holding);
        }
        return 'over';
      })
      .then((went) => went === 'over' && finish(turn));
  };

  /** It can't be handed to its handler. */
  const refuse = async (turn: Turn, error: unknown): Promise<Went> => {
    const { inHand } = turn;
    const now = system.now();
    const record = recordOf(turn, inHand);
    if (needsNewerCode(error)) await endings.awaitNewerCode(turn, inHand, record, error);
    else await endings.fail(turn, inHand, record, null, { error, startedAt: now, endedAt: now, worker });
    return 'over';
  };

  const begin = (turn: Turn, event: StoredEvent): Went | Promise<Went> => {
    const { lane, holding, inHand } = turn;
    const { name, routes, batch } = holding.subscription;
    const record = inHand.parked;
    const route = routes.get(event.type);
    let data: unknown;
    try {
      if (route === undefined) throw new OrderfoldError('UNDECODABLE', `${name} has no handler for ${event.type}`, { retryable: true });
      const stored = record === null ? event : asEdited(record, event);
      data = batch?.stored ? stored : codec.payload(stored);
    } catch (error) {
      return refuse(turn, error);
    }
    if (!mayStart(holding)) {
      untold(holding);
      return Promise.resolve('over');
    }
    const sinceMs = record === null ? null : sinceLastStart(record, holding, system.monotonic());
    const schema = codec.schemaOf(event.type);
    holding.feed.rate?.started();
    calls.call(
      lane,
      route.timeoutMs,
      (call) => route.handle(new HandedOver(event, data, schema, route.attempts, record, sinceMs, name, call) as Delivery),
      (how, what, call) => heard(turn, route, event, how, what, call),
    );
    return 'called';
  };

  const handled = (turn: Turn, { began }: Call): void => {
    if (!notifier.has('handled')) return;
    const record = recordOf(turn, turn.inHand);
    notifier.emit('handled', { ...factsOf(turn, record, record.attempts + 1), durationMs: system.monotonic() - began });
  };

  const heard = (turn: Turn, route: Route, event: StoredEvent, how: Ended, what: unknown, call: Call): void => {
    const { lane, holding, inHand } = turn;
    if (!holding.live) finish(turn);
    else if (how !== 'returned') follow(turn, failed(turn, route, event, how, what, call));
    else {
      tellBreaker(notifier, turn);
      if (inHand.parked !== null || !appendsNothing(what) || holding.subscription.batch !== undefined) {
        handedBack(lane);
        follow(turn, take(turn, route, event, what, call));
        return;
      }
      // The usual end: nothing but a done mark, which rides along with a later commit.
      addDone(holding, event.position);
      progressed();
      handled(turn, call);
      finish(turn);
    }
  };

  const take = async (turn: Turn, route: Route, event: StoredEvent, value: unknown, call: Call): Promise<Went> => {
    const { holding, inHand } = turn;
    try {
      const kind = await endings.finish(turn, inHand, value);
      if (kind === 'document') return repeat(turn, event);
      if (kind === 'won') {
        if (inHand.parked !== null) holding.lastEnded.delete(inHand.parked.id);
        handled(turn, call);
      }
      return 'over';
    } catch (error) {
      if (isOrderfoldError(error, 'CLOSED')) return 'over';
      return failed(turn, route, event, 'threw', error, call);
    }
  };

  /** Over documents only: nothing has happened outside, so that it is no attempt. */
  const repeat = async (turn: Turn, event: StoredEvent): Promise<Went> => {
    const { holding, inHand } = turn;
    const repeats = turn.repeats + 1;
    await beforeRepeat(system, repeats);
    if (!holding.live) return 'over';
    if (!holding.closing) return begin({ ...turn, repeats }, event);
    const record = recordOf(turn, inHand);
    await endings.postpone(turn, inHand, record, detailOf(record), 0);
    return 'over';
  };

  const failed = async (turn: Turn, route: Route, event: StoredEvent, how: Ended, error: unknown, call: Call): Promise<Went> => {
    const { lane, holding, inHand } = turn;
    const { batch } = holding.subscription;
    if (batch !== undefined && how === 'threw' && isOutage(batch, error)) return repeat(turn, event);
    const record = recordOf(turn, inHand);
    const endedAt = system.now();
    const startedAt = Math.round(endedAt - (system.monotonic() - call.began));
    const lost = (how: LostStart['how']) => withLost(detailOf(record), { startedAt: new Date(startedAt).toISOString(), worker, how });
    // One that did not even try leaves the quiet since the last try undisturbed.
    if (how === 'interrupted' || !isPostponed(error) || sinceLastStart(record, holding, system.monotonic()) === null)
      holding.lastEnded.set(record.id, system.monotonic());
    const { probe } = lane;
    const isTrouble = how !== 'interrupted' && !isPostponed(error) && !needsNewerCode(error);
    // Before its slot is another's: the breaker may keep that one back.
    const pauseMs = isTrouble ? tellBreaker(notifier, turn, error) : undefined;
    handedBack(lane);
    if (how === 'interrupted') await endings.postpone(turn, inHand, record, lost('stop'), 0);
    else if (isPostponed(error)) await endings.postpone(turn, inHand, record, detailOf(record), error.delayMs);
    else if (needsNewerCode(error)) await endings.awaitNewerCode(turn, inHand, changed(record, {}, lost('stop')), error);
    else if (probe && pauseMs !== undefined) await endings.postpone(turn, inHand, record, lost('probe'), pauseMs);
    else await endings.fail(turn, inHand, record, route, { error, startedAt, endedAt, worker });
    return 'over';
  };

  const mayBeHeld = ({ parked }: Holding): boolean => parked > 0 || pausedStreams().size > 0;

  const isPaused = ({ feed }: Holding, stream: string): boolean => feed.paused || pausedStreams().has(stream);

  /** Whether something is in its way, which is looked for only when it is its turn. A pause may be heard meanwhile. */
  const mustWait = async (holding: Holding, stream: string, version: number): Promise<boolean> =>
    isPaused(holding, stream) || (holding.parked > 0 && ((await isHeld(holding, stream, version)) || isPaused(holding, stream)));

  const runFresh = async (turn: Turn, event: StoredEvent): Promise<Went> => {
    const { holding, stream } = turn;
    if (!mayBeHeld(holding) || !(await mustWait(holding, stream, event.version))) return begin(turn, event);
    await endings.hold(turn, turn.inHand);
    return 'over';
  };

  const runParked = createParkedRuns({ trials, endings, timers, recordStart, isPaused, freeSlot, begin, refuse, follow });

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
      if (!mayBeHeld(holding)) return events;
      const held = await Promise.all(events.map(({ stream, version }) => mustWait(holding, stream, version)));
      await Promise.all(events.map((event, index) => held[index] && endings.hold({ holding, stream: event.stream }, fresh(event))));
      return events.filter((_, index) => !held[index]);
    },
    runAlone: (lane, event) =>
      new Promise((resolve) => {
        const turn = { lane, holding: lane.holding, stream: event.stream, inHand: fresh(event), over: resolve, repeats: 0 };
        follow(turn, runFresh(turn, event));
      }),
  });

  return {
    run(lane, inHand) {
      const { holding } = lane;
      const { batch } = holding.subscription;
      const { parked, event } = inHand;
      const turn: Turn = { lane, holding, stream: lane.stream, inHand, over: null, repeats: 0 };
      if (parked !== null) return follow(turn, runParked(lane, inHand, parked));
      if (batch !== undefined)
        return follow(
          turn,
          runBatch(lane, batch).then((): Went => 'over'),
        );
      if (event === null) return follow(turn, Promise.resolve('over'));
      const went = mayBeHeld(holding) ? runFresh(turn, event) : begin(turn, event);
      if (went !== 'called') follow(turn, Promise.resolve(went));
    },
    abort: calls.interrupt,
  };
};
