import type { Store } from '../core/store.ts';
import type { System, Timer } from '../core/system.ts';
import type { Feed } from './feed.ts';
import type { Holding } from './holding.ts';
import type { Lanes } from './lanes.ts';
import { accepts } from './reading.ts';

const AGAIN_MS = 100;

/** Brings parked deliveries into their lanes when they fall due. */
export interface DuePoller {
  /** One is due in so many milliseconds, or may be. */
  parkedDue(inMs: number): void;
  /** A parked delivery ended; asks again if there were more than there was room for. */
  roomAgain(feed: Feed): void;
  stop(): void;
}

interface Context {
  readonly store: Store;
  readonly system: System;
  readonly lanes: Lanes;
  /** Parked deliveries of one subscription in hand at most: a bound of their own, so that neither they nor the log keep the other out. */
  readonly readAhead: number;
  readonly holdings: () => Iterable<Holding>;
  readonly ofShard: (shard: number) => readonly Holding[];
  readonly trouble: (where: string, error: unknown) => void;
}

export const createDuePoller = (context: Context): DuePoller => {
  const { store, system, lanes, readAhead, holdings, ofShard, trouble } = context;
  let stopped = false;
  let due: { readonly timer: Timer; readonly at: number } | null = null;
  let polling = false;
  let pollAgain = false;

  /** Asked for only while half of the room is free, and then for all there is room for. */
  const wants = ({ feed }: Holding): boolean => {
    feed.crowded = feed.parked > readAhead / 2;
    return !feed.paused && !feed.crowded;
  };

  const poll = async (): Promise<void> => {
    const asking = [...holdings()].filter((holding) => accepts(holding) && wants(holding));
    if (asking.length === 0) return;
    const asked = new Set(asking);
    const { deliveries, nextInMs } = await store.due(
      asking.map(({ lease }) => lease),
      readAhead,
      new Set(asking.flatMap(({ inHand }) => [...inHand])),
    );
    for (const { parked, event } of deliveries) {
      const holding = ofShard(parked.shard).find((one) => one.subscription.name === parked.subscription);
      // An answer to a lease that ended meanwhile knows nothing of what was parked when its successor began.
      if (holding === undefined || !asked.has(holding) || !accepts(holding) || holding.inHand.has(parked.id)) continue;
      if (holding.feed.parked >= readAhead) holding.feed.crowded = true;
      else lanes.add(holding, parked.stream, { parked, event, version: parked.version });
    }
    lanes.fill();
    for (const feed of new Set(asking.map((holding) => holding.feed))) if (feed.parked >= readAhead) feed.crowded = true;
    // At once where more was due than was taken: without those that have no room, the others say when they are next.
    if (nextInMs !== null) parkedDue(nextInMs);
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
          parkedDue(AGAIN_MS);
        })
        .finally(() => {
          polling = false;
          if (pollAgain) parkedDue(0);
        });
    };
    due = { timer: system.setTimer(inMs, fire), at };
  };

  return {
    parkedDue,
    roomAgain(feed) {
      if (!feed.crowded || feed.parked > readAhead / 2) return;
      feed.crowded = false;
      parkedDue(0);
    },
    stop() {
      stopped = true;
      due?.timer.cancel();
    },
  };
};
