import type { StoredEvent } from '../core/records.ts';
import type { Store } from '../core/store.ts';
import type { System, Timer } from '../core/system.ts';
import type { Feed } from './feed.ts';
import type { Holding } from './holding.ts';
import { accept, reads, roomOf } from './reading.ts';

const MOST_AT_ONCE = 512;
const AGAIN_MS = 100;
const NEWS_MS = 20;

/** Reads the log for all holdings of a shard at once, each as far as its subscription has room. */
export interface LogReader {
  /** Looks for events to read, soon and once, however often it is asked. */
  pump(): void;
  /** A delivery ended; reads on if the subscription had stopped for want of room. */
  roomAgain(feed: Feed): void;
  /** The shard is known to be this long. */
  saw(shard: number, head: number): void;
  /** A broker brought these: what comes next in the holding's shard is as good as read, and what is missing before one is read. */
  arrived(holding: Holding, events: readonly StoredEvent[]): void;
  /** What is there now is read for a subscription that a broker brings the rest. */
  catchUp(feed: Feed): void;
  /** What was there at the last sweep, and no broker brought since, is read. */
  sweep(): void;
  /** Everything this process knows of has been read. */
  isAtHead(holding: Holding): boolean;
  /** As far as a start mark may go ahead of what has been read: what comes next then needs no commit of its own before it starts. */
  markFor(holding: Holding): number;
  stop(): void;
}

interface Context {
  readonly store: Store;
  readonly system: System;
  readonly ofShard: (shard: number) => readonly Holding[];
  readonly holdings: () => Iterable<Holding>;
  /** Asked before each look: whether anything is to wait. */
  readonly refresh: () => Promise<void>;
  /** A holding has events that wait for their start mark. */
  readonly nudge: () => void;
  /** These may start. */
  readonly deliver: (holding: Holding, events: readonly StoredEvent[]) => void;
  /** Done marks wait to be written. */
  readonly progressed: () => void;
  readonly trouble: (where: string, error: unknown) => void;
}

export const createLogReader = (context: Context): LogReader => {
  const { store, system, ofShard, holdings, refresh, nudge, deliver, progressed, trouble } = context;
  const heads: number[] = [];
  /** As it was at the last sweep. */
  let swept: readonly number[] = [];
  let stopped = false;
  let pumping = false;
  let pumpAgain = false;
  let retry: Timer | null = null;
  /** Where the next round begins, so that the backlog of one shard does not keep the others waiting. */
  let turn = 0;
  let askedAt = Number.NEGATIVE_INFINITY;

  const saw = (shard: number, head: number): void => {
    heads[shard] = Math.max(head, heads[shard] ?? 0);
  };

  /** What of a shard's head is read for a holding now. */
  const upTo = ({ fillTo }: Holding, head: number): number => (fillTo === null ? head : Math.min(head, fillTo));

  const isBehind = (holding: Holding, head: number): boolean =>
    reads(holding) && !holding.feed.starved && holding.cursor < upTo(holding, head);

  /** For half of what may be in hand, or for all there is: many small reads cost more than a few large ones. */
  const hasRoom = (holding: Holding, head: number): boolean => {
    const { feed, cursor } = holding;
    if (roomOf(feed) >= Math.min(feed.readAhead / 2, upTo(holding, head) - cursor)) return true;
    feed.starved = true;
    return false;
  };

  const anyBehind = (shard: number, head: number): boolean => {
    for (const holding of ofShard(shard)) if (isBehind(holding, head)) return true;
    return false;
  };

  const taken = (holding: Holding, events: readonly StoredEvent[]): void => {
    const wanted = accept(holding, events);
    if (wanted.length === 0) progressed();
    // The last mark was set ahead of what had been read.
    else if (holding.unmarked.length === 0 && holding.cursor <= holding.marked) deliver(holding, wanted);
    else {
      holding.unmarked.push(...wanted);
      holding.feed.unmarked += wanted.length;
      nudge();
    }
  };

  const readShard = async (shard: number, head: number): Promise<void> => {
    const behind = ofShard(shard).filter((holding) => isBehind(holding, head) && hasRoom(holding, head));
    for (const cursor of new Set(behind.map((holding) => holding.cursor))) {
      const most = Math.max(...behind.filter((holding) => holding.cursor === cursor).map(({ feed }) => roomOf(feed)));
      const events = most <= 0 ? [] : await store.read(shard, cursor, Math.min(MOST_AT_ONCE, most));
      for (const holding of ofShard(shard)) {
        if (!reads(holding) || holding.cursor !== cursor || !hasRoom(holding, head)) continue;
        taken(holding, events.slice(0, roomOf(holding.feed)));
      }
      turn = shard + 1;
      // On with what is left: of the page for those that had room for a part of it, and of the shard.
      if (events.length > 0 && anyBehind(shard, head)) pumpAgain = true;
    }
  };

  const round = async (): Promise<void> => {
    while (pumpAgain && !stopped) {
      pumpAgain = false;
      // While there is enough to read, news can wait a little; it is asked for in the end.
      const mayWait = system.monotonic() - askedAt < NEWS_MS && heads.some((head, shard) => anyBehind(shard, head));
      if (!mayWait) {
        askedAt = system.monotonic();
        await refresh();
        for (const [shard, head] of (await store.heads()).entries()) saw(shard, head);
        // What was there before a lease was gained may have been carried to its last owner.
        for (const holding of holdings()) holding.fillTo ??= heads[holding.lease.shard] ?? 0;
      }
      const first = turn;
      for (let step = 0; step < heads.length && !stopped; step += 1) {
        const shard = (first + step) % heads.length;
        if (anyBehind(shard, heads[shard] ?? 0)) await readShard(shard, heads[shard] ?? 0);
      }
      if (mayWait) pumpAgain = true;
    }
  };

  const pump = (): void => {
    pumpAgain = true;
    if (pumping || stopped) return;
    pumping = true;
    round()
      .catch((error) => {
        trouble('read', error);
        if (stopped) return;
        retry ??= system.setTimer(AGAIN_MS, () => {
          retry = null;
          pump();
        });
      })
      .finally(() => {
        pumping = false;
        if (pumpAgain && retry === null) pump();
      });
  };

  const arrived: LogReader['arrived'] = (holding, events) => {
    const inOrder = [...events].sort((a, b) => a.position - b.position);
    const next: StoredEvent[] = [];
    let missing = 0;
    let room = reads(holding) ? roomOf(holding.feed) : 0;
    let at = holding.cursor;
    for (const event of inOrder) {
      if (event.position === at + 1 && room > 0) {
        next.push(event);
        at += 1;
        room -= 1;
      } else if (event.position > at) missing = event.position;
    }
    if (next.length > 0) taken(holding, next);
    if (missing === 0) return;
    if (holding.fillTo !== null) holding.fillTo = Math.max(holding.fillTo, missing);
    pump();
  };

  return {
    pump,
    arrived,
    catchUp(feed) {
      for (const holding of holdings()) if (holding.feed === feed) holding.fillTo = null;
      pump();
    },
    sweep() {
      for (const holding of holdings())
        if (holding.fillTo !== null) holding.fillTo = Math.max(holding.fillTo, swept[holding.lease.shard] ?? 0);
      swept = [...heads];
      pump();
    },
    roomAgain(feed) {
      if (!feed.starved || roomOf(feed) < feed.readAhead / 2) return;
      feed.starved = false;
      pump();
    },
    saw,
    markFor: ({ lease, cursor, feed }) => Math.max(cursor, Math.min(heads[lease.shard] ?? 0, cursor + feed.readAhead)),
    isAtHead: ({ lease, cursor }) => cursor >= (heads[lease.shard] ?? Number.POSITIVE_INFINITY),
    stop() {
      stopped = true;
      retry?.cancel();
    },
  };
};
