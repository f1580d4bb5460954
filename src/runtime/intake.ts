import type { StoredEvent } from '../core/records.ts';
import { shardOf } from '../core/shard.ts';
import type { BatchResult, Progress, Store } from '../core/store.ts';
import type { System, Timer } from '../core/system.ts';
import type { CommitSeam } from './committer.ts';
import { addDone, type Holding } from './holding.ts';
import type { Lanes } from './lanes.ts';

/** Done marks without events of their own wait at most this long for a commit to ride in. */
const FLUSH_MS = 40;
const WOKEN_MS = 50;
const MOST_AT_ONCE = 512;

export interface Intake extends CommitSeam {
  /** A delivery ended; reads on if it had stopped for want of room. */
  roomAgain(): void;
  /** Looks for events to read, soon and once, however often it is asked. */
  pump(): void;
  /** Done marks wait to be written. */
  progressed(): void;
  /** Writes waiting done marks with the next commit, which it asks for. */
  flush(): void;
  /** What a holding had in hand when it ended counts no longer. */
  forget(holding: Holding): void;
  /** A parked delivery is due in so many milliseconds, or may be. */
  parkedDue(inMs: number): void;
  stop(): void;
}

interface Context {
  readonly store: Store;
  readonly system: System;
  readonly lanes: Lanes;
  readonly readAhead: number;
  readonly holdings: () => Iterable<Holding>;
  readonly ofShard: (shard: number) => readonly Holding[];
  readonly nudge: () => void;
  readonly lost: (holding: Holding) => void;
  readonly trouble: (where: string, error: unknown) => void;
}

/**
 * Brings deliveries into the lanes: from the log by cursor, from this process's own appends without reading them back,
 * and from the parked ones that fall due. What it has not yet told the store of (done marks, start marks) rides in commits.
 */
export const createIntake = (context: Context): Intake => {
  const { store, system, lanes, readAhead, holdings, ofShard, nudge, lost, trouble } = context;
  let stopped = false;
  let pumping = false;
  let pumpAgain = false;
  let retry: Timer | null = null;
  let flushTimer: Timer | null = null;
  let flushAll = false;
  let unmarked = 0;
  let starved = false;
  /** More parked deliveries are due than may be in hand. */
  let crowded = false;
  let due: { readonly timer: Timer; readonly at: number } | null = null;
  let polling = false;
  let pollAgain = false;

  const lastHeads = new Map<number, number>();
  const sawHead = (shard: number, head: number): void => void lastHeads.set(shard, Math.max(head, lastHeads.get(shard) ?? 0));

  const accepts = (holding: Holding): boolean => holding.live && !holding.closing;
  /** Timers have no part in the log. */
  const reads = (holding: Holding): boolean => accepts(holding) && holding.subscription.routes.size > 0;
  const room = (): number => readAhead - lanes.fresh() - unmarked;

  const accept = (holding: Holding, events: readonly StoredEvent[]): StoredEvent[] => {
    const wanted: StoredEvent[] = [];
    for (const event of events) {
      if (holding.wasDone(event.position)) continue;
      if (holding.subscription.routes.has(event.type)) wanted.push(event);
      else addDone(holding, event.position);
    }
    holding.cursor = events.at(-1)?.position ?? holding.cursor;
    return wanted;
  };

  const intoLanes = (holding: Holding, events: readonly StoredEvent[]): void => {
    if (!reads(holding)) return;
    for (const event of events) lanes.add(holding, event.stream, { event, parked: null, version: event.version });
  };

  const readShard = async (shard: number, head: number): Promise<void> => {
    const behind = new Set(
      ofShard(shard)
        .filter((holding) => reads(holding) && holding.cursor < head)
        .map((holding) => holding.cursor),
    );
    for (const cursor of behind) {
      const limit = Math.min(MOST_AT_ONCE, room());
      if (limit <= 0) {
        starved = true;
        return;
      }
      const events = await store.read(shard, cursor, limit);
      for (const holding of ofShard(shard)) {
        if (!reads(holding) || holding.cursor !== cursor) continue;
        const wanted = accept(holding, events);
        holding.unmarked.push(...wanted);
        unmarked += wanted.length;
        if (wanted.length > 0) nudge();
        else progressed();
      }
      if (events.length === limit && events.length > 0) pumpAgain = true;
    }
  };

  const pump = (): void => {
    pumpAgain = true;
    if (pumping || stopped || starved) return;
    pumping = true;
    const round = async (): Promise<void> => {
      while (pumpAgain && !stopped) {
        pumpAgain = false;
        const heads = await store.heads();
        for (const [shard, head] of heads.entries()) {
          sawHead(shard, head);
          await readShard(shard, head);
        }
        if (starved) pumpAgain = false;
      }
    };
    round()
      .catch((error) => {
        trouble('read', error);
        if (stopped) return;
        retry ??= system.setTimer(100, () => {
          retry = null;
          pump();
        });
      })
      .finally(() => {
        pumping = false;
        if (pumpAgain && !starved) pump();
      });
  };

  const parkedInHand = (): number => [...holdings()].reduce((sum, holding) => sum + holding.inHand.size, 0);

  const roomAgain = (): void => {
    if (crowded && parkedInHand() <= readAhead / 2) {
      crowded = false;
      parkedDue(0);
    }
    if (!starved || room() < readAhead / 2) return;
    starved = false;
    pump();
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

  const poll = async (): Promise<void> => {
    const leases = [...holdings()].filter(accepts);
    if (leases.length === 0) return;
    // A bound of their own, beside what is read from the log: neither keeps the other out.
    const { deliveries, nextInMs } = await store.due(
      leases.map(({ lease }) => lease),
      readAhead,
    );
    let free = readAhead - parkedInHand();
    for (const { parked, event } of deliveries) {
      const holding = ofShard(parked.shard).find((one) => one.subscription.name === parked.subscription);
      if (free <= 0 || holding === undefined || !accepts(holding) || holding.inHand.has(parked.id)) continue;
      lanes.add(holding, parked.stream, { parked, event, version: parked.version });
      free -= 1;
    }
    if (deliveries.length === readAhead) crowded = true;
    else if (nextInMs !== null) parkedDue(nextInMs);
  };

  const parkedDue = (inMs: number): void => {
    if (stopped) return;
    const at = system.monotonic() + inMs;
    if (due !== null && due.at <= at) return;
    due?.timer.cancel();
    const fire = (): void => {
      due = null;
      pollAgain = polling;
      if (polling) return;
      polling = true;
      poll()
        .catch((error) => {
          trouble('due', error);
          parkedDue(100);
        })
        .finally(() => {
          polling = false;
          if (pollAgain) parkedDue(0);
        });
    };
    due = { timer: system.setTimer(inMs, fire), at };
  };

  return {
    pump,
    roomAgain,
    progressed,
    flush,
    parkedDue,

    progress(appendTo) {
      const shards = new Set<number>();
      for (const stream of appendTo) shards.add(shardOf(stream, store.shards));
      const entries: Progress[] = [];
      for (const holding of holdings()) {
        if (!holding.live) continue;
        // Only one that has read up to the head: a start mark there would make suspects of everything not read yet.
        const atHead = holding.cursor >= (lastHeads.get(holding.lease.shard) ?? Infinity);
        const feed = atHead && shards.has(holding.lease.shard) && reads(holding) && holding.unmarked.length === 0 && room() > 0;
        if (!feed && holding.unmarked.length === 0 && !(flushAll && holding.done.length > 0)) continue;
        const mark = feed ? { startMark: 'head' as const } : holding.unmarked.length > 0 ? { startMark: holding.cursor } : {};
        entries.push({ lease: holding.lease, done: holding.done, ...mark });
        holding.done = [];
        holding.flying += 1;
      }
      flushAll = false;
      return entries;
    },

    committed(progress, result: BatchResult, events) {
      const byShard = new Map<number, StoredEvent[]>();
      for (const event of events) {
        sawHead(event.shard, event.position);
        const list = byShard.get(event.shard);
        if (list === undefined) byShard.set(event.shard, [event]);
        else list.push(event);
      }
      for (const { lease, startMark } of progress) {
        const holding = ofShard(lease.shard).find(
          (one) => one.lease.subscription === lease.subscription && one.lease.epoch === lease.epoch,
        );
        if (holding === undefined) continue;
        holding.flying -= 1;
        if (result.lost.some((gone) => gone.subscription === lease.subscription && gone.shard === lease.shard)) {
          lost(holding);
          continue;
        }
        if (startMark === 'head') {
          const appended = byShard.get(lease.shard) ?? [];
          if (appended[0]?.position === holding.cursor + 1 && holding.unmarked.length === 0) intoLanes(holding, accept(holding, appended));
          if (holding.done.length > 0) progressed();
        } else if (startMark !== undefined) {
          const marked = holding.unmarked.filter((event) => event.position <= startMark);
          holding.unmarked = holding.unmarked.slice(marked.length);
          unmarked -= marked.length;
          intoLanes(holding, marked);
        }
      }
      if (events.length === 0) return;
      pump();
      // Events may have set a timer or woken a delivery with them, and one's own commits are no news to `watch`.
      parkedDue(WOKEN_MS);
    },

    progressFailed(progress) {
      for (const { lease, done } of progress) {
        const holding = ofShard(lease.shard).find(
          (one) => one.lease.subscription === lease.subscription && one.lease.epoch === lease.epoch,
        );
        if (holding === undefined) continue;
        holding.flying -= 1;
        holding.done = [...done, ...holding.done];
        if (holding.unmarked.length > 0) nudge();
      }
      flushAll = true;
      progressed();
    },

    forget(holding) {
      unmarked -= holding.unmarked.length;
      holding.unmarked = [];
      roomAgain();
    },

    stop() {
      stopped = true;
      retry?.cancel();
      flushTimer?.cancel();
      due?.timer.cancel();
      for (const holding of holdings()) {
        unmarked -= holding.unmarked.length;
        holding.unmarked = [];
      }
    },
  };
};
