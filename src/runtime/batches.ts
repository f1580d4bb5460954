import type { Envelope } from '../core/envelope.ts';
import { isOrderfoldError } from '../core/errors.ts';
import type { DocumentWrite, StoredEvent } from '../core/records.ts';
import type { System } from '../core/system.ts';
import type { Calls, Ended } from './calls.ts';
import type { Codec } from './codec.ts';
import { addDone, type Holding, type Lane } from './holding.ts';
import type { Notifier } from './notifications.ts';
import { parkedId } from './parking.ts';
import { beforeRepeat, isOutage } from './run-again.ts';
import type { BatchRoute } from './subscription.ts';
import type { Transact } from './transact.ts';

interface Context<State> {
  readonly system: System;
  readonly codec: Codec;
  readonly calls: Calls;
  readonly notifier: Notifier;
  readonly transact: Transact<State>;
  readonly progressed: () => void;
  readonly leaseGone: (holding: Holding) => void;
  readonly mayStart: (holding: Holding) => boolean;
  readonly untold: (holding: Holding) => void;
  /** Of these events, those that nothing is in the way of; the others have been parked. */
  readonly withoutHeld: (holding: Holding, events: readonly StoredEvent[]) => Promise<readonly StoredEvent[]>;
  /** Runs one event to its outcome, by itself. */
  readonly runAlone: (lane: Lane, event: StoredEvent) => Promise<void>;
}

type Some = readonly StoredEvent[];

const halves = (events: Some): readonly Some[] => {
  const middle = Math.ceil(events.length / 2);
  return [events.slice(0, middle), events.slice(middle)];
};

/**
 * Runs what is fresh at the head of a lane in one call, and commits its documents and done marks in one unit. Where that fails, the events
 * run in ever fewer and the one that fails at last alone, as any delivery: it is parked, and its stream waits while the others go on.
 */
export const createBatches = <State>(context: Context<State>) => {
  const { system, codec, calls, notifier, transact, progressed, leaseGone, mayStart, untold, withoutHeld, runAlone } = context;

  /** The envelopes of the events, up to the first that can't be read. */
  const readable = (events: Some): readonly Envelope[] => {
    const envelopes: Envelope[] = [];
    try {
      for (const event of events) envelopes.push(codec.decode(event));
    } catch {
      // It says why when it runs alone.
    }
    return envelopes;
  };

  const tell = ({ subscription: { name: subscription } }: Holding, events: Some, durationMs: number): void => {
    if (!notifier.has('handled')) return;
    for (const { stream, version, type } of events) {
      const id = parkedId(subscription, stream, version);
      notifier.emit('handled', { id, subscription, stream, type, attempt: 1, generation: 0, durationMs });
    }
  };

  /** What is left to be run in another way: nothing, if all is done or the lease is at its end. */
  const runTogether = async (
    lane: Lane,
    batch: BatchRoute,
    events: Some,
    handle: () => Promise<readonly DocumentWrite[]>,
  ): Promise<readonly Some[]> => {
    const { holding } = lane;
    const { lease } = holding;
    for (let repeats = 0; ; repeats += 1) {
      await beforeRepeat(system, repeats);
      // Nothing has happened outside: what is given up here is fresh to whoever comes next.
      if (!holding.live || (repeats > 0 && holding.closing)) return [];
      if (!mayStart(holding)) {
        untold(holding);
        return [];
      }
      const began = system.monotonic();
      const { how, what } = await new Promise<{ readonly how: Ended; readonly what: unknown }>((resolve) =>
        calls.call(lane, batch.timeoutMs, handle, (how, what) => resolve({ how, what })),
      );
      if (!holding.live || how === 'interrupted') return [];
      if (how === 'threw') {
        if (isOutage(batch, what)) continue;
        // Halving would wait for the time limit again and again.
        return isOrderfoldError(what, 'HANDLER_TIMEOUT') ? events.map((event) => [event]) : halves(events);
      }
      const documents = what as readonly DocumentWrite[];
      if (documents.length === 0) {
        for (const { position } of events) addDone(holding, position);
        progressed();
      } else {
        const done = events.map(({ position }) => position);
        try {
          const { kind } = await transact({ stream: '', lease, done, documents, persistent: true });
          if (kind === 'document') continue;
          if (kind !== 'won') {
            leaseGone(holding);
            return [];
          }
        } catch (error) {
          if (isOrderfoldError(error, 'CLOSED')) throw error;
          return halves(events);
        }
      }
      tell(holding, events, system.monotonic() - began);
      return [];
    }
  };

  const run = async (lane: Lane, batch: BatchRoute, given: Some): Promise<void> => {
    const { holding } = lane;
    const [first] = given;
    if (first === undefined || !holding.live || holding.closing) return;
    if (given.length === 1 && batch.stored === undefined) return runAlone(lane, first);
    const events = await withoutHeld(holding, given);
    if (events.length === 0) return;
    if (batch.stored) {
      const left = await runTogether(lane, batch, events, () => batch.handle(events));
      if (left.length > 0 && events.length === 1) await runAlone(lane, first);
      else for (const some of left) await run(lane, batch, some);
      return;
    }
    const envelopes = readable(events);
    const { length } = envelopes;
    const left =
      length < events.length
        ? [events.slice(0, length), events.slice(length, length + 1), events.slice(length + 1)]
        : await runTogether(lane, batch, events, () => batch.handle(envelopes));
    for (const some of left) await run(lane, batch, some);
  };

  /** Takes the fresh deliveries at the head of the lane. */
  return async (lane: Lane, batch: BatchRoute): Promise<void> => {
    // What was read in one go is put into the lane one by one.
    await Promise.resolve();
    const events: StoredEvent[] = [];
    for (const { event, parked } of lane.queue.slice(0, batch.most)) {
      if (parked !== null || event === null) break;
      events.push(event);
    }
    lane.running = events.length;
    await run(lane, batch, events);
  };
};
