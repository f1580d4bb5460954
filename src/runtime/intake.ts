import type { StoredEvent } from '../core/records.ts';
import { shardOf } from '../core/shard.ts';
import type { BatchResult, LeaseRef, Progress, Store } from '../core/store.ts';
import type { System, Timer } from '../core/system.ts';
import type { CommitSeam } from './committer.ts';
import type { DuePoller } from './due-poller.ts';
import type { Holding } from './holding.ts';
import type { Lanes } from './lanes.ts';
import type { LogReader } from './log-reader.ts';
import { accept, accepts, reads, roomOf } from './reading.ts';

/** Done marks without events of their own wait at most this long for a commit to ride in. */
const FLUSH_MS = 40;
const WOKEN_MS = 50;

export interface Intake extends CommitSeam {
  /** Done marks wait to be written. */
  progressed(): void;
  /** Writes waiting done marks with the next commit, which it asks for. */
  flush(): void;
  /** These may start: they come into their lanes. */
  deliver(holding: Holding, events: readonly StoredEvent[]): void;
  /** What a holding had in hand when it ended counts no longer. */
  forget(holding: Holding): void;
  stop(): void;
}

interface Context {
  readonly store: Store;
  readonly system: System;
  readonly lanes: Lanes;
  readonly reader: LogReader;
  readonly due: DuePoller;
  readonly holdings: () => Iterable<Holding>;
  readonly ofShard: (shard: number) => readonly Holding[];
  readonly nudge: () => void;
  readonly lost: (holding: Holding) => void;
}

/**
 * What rides in commits: what this process has not yet told the store of (done marks, start marks), and its own appends, which go into
 * the lanes without being read back.
 */
export const createIntake = (context: Context): Intake => {
  const { store, system, lanes, reader, due, holdings, ofShard, nudge, lost } = context;
  let stopped = false;
  let flushTimer: Timer | null = null;
  let flushAll = false;

  const intoLanes = (holding: Holding, events: readonly StoredEvent[]): void => {
    if (!accepts(holding)) return;
    for (const event of events) lanes.add(holding, event.stream, { event, parked: null, version: event.version });
  };

  const holdingOf = (lease: LeaseRef): Holding | undefined =>
    ofShard(lease.shard).find((one) => one.lease.subscription === lease.subscription && one.lease.epoch === lease.epoch);

  const unmark = (holding: Holding, howMany: number): StoredEvent[] => {
    holding.feed.unmarked -= howMany;
    return holding.unmarked.splice(0, howMany);
  };

  const progressed = (): void => {
    if (flushTimer !== null || stopped) return;
    flushTimer = system.setTimer(FLUSH_MS, () => {
      flushTimer = null;
      flush();
    });
  };

  const flush = (): void => {
    flushAll = true;
    nudge();
  };

  const heardOf = (progress: Progress, result: BatchResult, appended: ReadonlyMap<number, readonly StoredEvent[]>): void => {
    const { lease, startMark } = progress;
    const holding = holdingOf(lease);
    if (holding === undefined) return;
    holding.flying -= 1;
    const isLost = result.lost.some((gone) => gone.subscription === lease.subscription && gone.shard === lease.shard);
    if (isLost) lost(holding);
    else if (startMark === 'head') {
      const events = appended.get(lease.shard) ?? [];
      holding.marked = Math.max(holding.marked, events.at(-1)?.position ?? 0);
      if (events[0]?.position === holding.cursor + 1 && holding.unmarked.length === 0 && reads(holding))
        intoLanes(holding, accept(holding, events));
      if (holding.done.length > 0) progressed();
    } else if (startMark !== undefined) {
      holding.marked = Math.max(holding.marked, startMark);
      const firstAbove = holding.unmarked.findIndex(({ position }) => position > startMark);
      intoLanes(holding, unmark(holding, firstAbove < 0 ? holding.unmarked.length : firstAbove));
    }
  };

  return {
    progressed,
    flush,

    deliver(holding, events) {
      intoLanes(holding, events);
      lanes.fill();
    },

    progress(appendTo) {
      const shards = new Set<number>();
      for (const stream of appendTo) shards.add(shardOf(stream, store.shards));
      const entries: Progress[] = [];
      for (const holding of holdings()) {
        if (!holding.live) continue;
        const { lease, feed, unmarked, done } = holding;
        // Only one that has read up to the head: a start mark there would make suspects of everything not read yet.
        const takes = shards.has(lease.shard) && reads(holding) && reader.isAtHead(holding) && unmarked.length === 0 && roomOf(feed) > 0;
        if (!takes && unmarked.length === 0 && !(flushAll && done.length > 0)) continue;
        const mark = takes ? { startMark: 'head' as const } : unmarked.length > 0 ? { startMark: reader.markFor(holding) } : {};
        entries.push({ lease, done, ...mark });
        holding.done = [];
        holding.flying += 1;
      }
      flushAll = false;
      return entries;
    },

    committed(progress, result, events) {
      const byShard = new Map<number, StoredEvent[]>();
      for (const event of events) {
        reader.saw(event.shard, event.position);
        const list = byShard.get(event.shard);
        if (list === undefined) byShard.set(event.shard, [event]);
        else list.push(event);
      }
      for (const entry of progress) heardOf(entry, result, byShard);
      lanes.fill();
      if (events.length === 0) return;
      reader.pump();
      // Events may have set a timer or woken a delivery with them, and one's own commits are no news to `watch`.
      due.parkedDue(WOKEN_MS);
    },

    progressFailed(progress) {
      for (const { lease, done } of progress) {
        const holding = holdingOf(lease);
        if (holding === undefined) continue;
        holding.flying -= 1;
        holding.done = [...done, ...holding.done];
        if (holding.unmarked.length > 0) nudge();
      }
      flushAll = true;
      progressed();
    },

    forget(holding) {
      unmark(holding, holding.unmarked.length);
      reader.roomAgain(holding.feed);
    },

    stop() {
      stopped = true;
      flushTimer?.cancel();
      for (const holding of holdings()) unmark(holding, holding.unmarked.length);
    },
  };
};
