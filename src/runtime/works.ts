import type { StoredEvent } from '../core/records.ts';
import type { Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import type { Codec } from './codec.ts';
import type { Committer } from './committer.ts';
import { createDuePoller } from './due-poller.ts';
import type { Feed } from './feed.ts';
import type { Holding } from './holding.ts';
import type { Holdings } from './holdings.ts';
import { createIntake } from './intake.ts';
import { createLanes } from './lanes.ts';
import { createLogReader } from './log-reader.ts';
import type { StreamModel } from './model.ts';
import type { Notifier } from './notifications.ts';
import { createReception } from './reception.ts';
import { createRunner } from './runner.ts';
import { createStandingPauses } from './standing-pauses.ts';
import { createTimeouts } from './timeouts.ts';
import type { Transact } from './transact.ts';
import type { TransportLink } from './transport-link.ts';
import { createTrials } from './trials.ts';

export interface WorksContext<State> {
  readonly store: Store;
  readonly system: System;
  readonly codec: Codec;
  readonly notifier: Notifier;
  readonly committer: Committer;
  readonly transact: Transact<State>;
  readonly model: StreamModel<State> | undefined;
  readonly owner: string;
  /** Undefined where everything is read from the log. */
  readonly link: TransportLink | undefined;
}

interface Leases {
  readonly feeds: readonly Feed[];
  readonly holdings: Holdings;
  readonly concurrency: number;
  readonly readAhead: number;
  readonly sweepMs: number;
  /** The lease went to another worker. */
  readonly lose: (holding: Holding) => void;
  /** The holding can't go on. */
  readonly giveUp: (holding: Holding) => void;
  readonly mayStart: (holding: Holding) => boolean;
  readonly trouble: (where: string, error: unknown) => void;
}

/** All that runs the deliveries of the leases held, from what comes in to what comes of it, wired together. */
export const createWorks = <State>(context: WorksContext<State>, leases: Leases) => {
  const { store, system, committer, link } = context;
  const { feeds, holdings, concurrency, readAhead, sweepMs, lose, giveUp, mayStart, trouble } = leases;
  const { all, ofShard } = holdings;
  let idle: (() => void)[] = [];

  const shrunk = (feed: Feed): void => {
    if (idle.length > 0) {
      const waiting = idle;
      idle = [];
      for (const resolve of waiting) resolve();
    }
    due.roomAgain(feed);
    reader.roomAgain(feed);
    reception?.roomAgain(feed);
  };
  const goOn = (): void => {
    lanes.fill();
    reader.pump();
    due.parkedDue(0);
  };
  const nudge = (): void => committer.nudge();
  const progressed = (): void => intake.progressed();
  const deliver = (holding: Holding, events: readonly StoredEvent[]): void => intake.deliver(holding, events);

  const timeouts = createTimeouts(system);
  const pauses = createStandingPauses(store, feeds, goOn);
  const runner = createRunner<State>({
    ...context,
    timeouts,
    trials: createTrials(),
    worker: context.owner,
    pausedStreams: pauses.streams,
    freeSlot: (lane) => lanes.freeSlot(lane),
    ended: (lane) => lanes.ended(lane),
    progressed,
    parkedDue: (inMs) => due.parkedDue(inMs),
    leaseGone: lose,
    mayStart,
    untold: giveUp,
  });
  const lanes = createLanes(system, concurrency, feeds, runner.run, shrunk);
  const due = createDuePoller({ store, system, lanes, readAhead, holdings: all, ofShard, trouble });
  const refresh = pauses.refresh;
  const reader = createLogReader({ store, system, ofShard, holdings: all, refresh, nudge, deliver, progressed, trouble });
  const reception =
    link === undefined ? null : createReception({ ...reader, link, system, feeds, sweepMs, ofShard, holdings: all, trouble });
  const intake = createIntake({ store, system, lanes, reader, due, holdings: all, ofShard, nudge, lost: lose });

  return {
    intake,
    /** Forgets what a holding had in hand and has not started. */
    forget(holding: Holding): void {
      lanes.drop(holding);
      intake.forget(holding);
      due.roomAgain(holding.feed);
    },
    /** Other shards of the subscription are held than before. */
    heldAnew: (feed: Feed): void => reception?.changed(feed),
    abort: runner.abort,
    /** Ends a holding in order: nothing new starts, what runs ends, every done mark is durable. */
    async drain(holding: Holding): Promise<void> {
      holding.closing = true;
      lanes.drop(holding);
      while (holding.live && holding.busy > 0) await new Promise<void>((resolve) => void idle.push(resolve));
      while (holding.live && (holding.done.length > 0 || holding.flying > 0)) {
        intake.flush();
        await committer.drained();
      }
    },
    /** Looks for what there may be to do: in the log now, among the parked in so many milliseconds. */
    look(dueInMs: number): void {
      reader.pump();
      due.parkedDue(dueInMs);
    },
    parkedDue: due.parkedDue,
    refreshPauses: refresh,
    /** Nothing new comes in. */
    shut(): void {
      reception?.stop();
      reader.stop();
      due.stop();
      intake.stop();
    },
    /** No timer is left. */
    end(): void {
      lanes.stop();
      timeouts.stop();
    },
  };
};
