import type { System } from '../core/system.ts';
import { type Feed, waitMs } from './feed.ts';
import { type Holding, type InHand, type Lane, orderOf } from './holding.ts';

export interface Lanes {
  /** Puts a delivery into its lane, in order behind what runs. */
  add(holding: Holding, stream: string, delivery: InHand): void;
  /** Starts what may start now. */
  fill(): void;
  /** The handler has returned: its slot is another's while its outcome is on its way. */
  freeSlot(lane: Lane): void;
  /** What ran of the lane has ended. Never called before `run` has returned. */
  ended(lane: Lane): void;
  /** Forgets what has not started; resolves nothing, aborts nothing. */
  drop(holding: Holding): void;
  stop(): void;
}

/** Removed in one go: a lane that started stays in the list until then. */
const MOST_STARTED = 1024;

const peek = (feed: Feed): Lane | undefined => {
  for (let lane = feed.ready[feed.next]; lane !== undefined; lane = feed.ready[feed.next]) {
    if (lane.running === 0 && lane.queue.length > 0 && lane.holding.live) return lane;
    feed.next += 1;
  }
  if (feed.next > 0) {
    feed.ready = [];
    feed.next = 0;
  }
  return undefined;
};

const advance = (feed: Feed): void => {
  feed.next += 1;
  if (feed.next < MOST_STARTED) return;
  feed.ready = feed.ready.slice(feed.next);
  feed.next = 0;
};

/**
 * Different streams run concurrently, one stream strictly in version order: a delivery starts when the one before it has
 * its outcome in the store. Subscriptions take turns, each as far as its feed lets it. `run` may take more from the front of the lane by
 * raising `running`; `shrunk` hears of every run that ended.
 */
export const createLanes = (
  system: System,
  concurrency: number,
  feeds: readonly Feed[],
  run: (lane: Lane, delivery: InHand) => void,
  shrunk: (feed: Feed) => void,
): Lanes => {
  let slots = concurrency;
  let turn = 0;
  let filling = false;
  let stopped = false;

  /** Opens a feed that only time keeps closed. */
  const openIn = (feed: Feed, inMs: number): void => {
    if (inMs === Number.POSITIVE_INFINITY || feed.opening !== null || stopped) return;
    feed.opening = system.setTimer(inMs, () => {
      feed.opening = null;
      fill();
    });
  };

  const startNext = (feed: Feed): boolean => {
    const lane = peek(feed);
    const delivery = lane?.queue[0];
    if (lane === undefined || delivery === undefined) return false;
    const closedMs = waitMs(feed);
    if (closedMs > 0) {
      openIn(feed, closedMs);
      return false;
    }
    advance(feed);
    lane.running = 1;
    lane.slot = true;
    lane.called = false;
    if (!feed.needsNoSlot) slots -= 1;
    feed.running += 1;
    feed.rate?.reserve();
    lane.probe = feed.breaker?.start() === true;
    lane.holding.busy += 1;
    run(lane, delivery);
    return true;
  };

  const fill = (): void => {
    // What starts may free its slot at once: the round under way sees to it.
    if (filling) return;
    filling = true;
    for (let idle = 0; idle < feeds.length; ) {
      const feed = feeds[turn] as Feed;
      turn = turn + 1 === feeds.length ? 0 : turn + 1;
      idle = (slots > 0 || feed.needsNoSlot) && startNext(feed) ? 0 : idle + 1;
    }
    filling = false;
  };

  const giveBack = (lane: Lane): void => {
    if (!lane.slot) return;
    const { feed } = lane.holding;
    lane.slot = false;
    if (!feed.needsNoSlot) slots += 1;
    feed.running -= 1;
  };

  const forget = (holding: Holding, { parked }: InHand): void => {
    if (parked === null) holding.feed.fresh -= 1;
    else {
      holding.feed.parked -= 1;
      holding.inHand.delete(parked.id);
    }
  };

  return {
    add(holding, stream, delivery) {
      const { feed } = holding;
      if (delivery.parked === null) feed.fresh += 1;
      else {
        feed.parked += 1;
        holding.inHand.add(delivery.parked.id);
      }
      const name = holding.subscription.batch === undefined ? stream : '';
      const lane = holding.lanes.get(name);
      if (lane === undefined) {
        const opened: Lane = { holding, stream: name, queue: [delivery], running: 0, slot: false, called: false, probe: false, call: null };
        holding.lanes.set(name, opened);
        feed.ready.push(opened);
        return;
      }
      const order = orderOf(holding, delivery);
      let at = lane.queue.length;
      while (at > lane.running && orderOf(holding, lane.queue[at - 1] ?? delivery) > order) at -= 1;
      lane.queue.splice(at, 0, delivery);
    },
    fill,
    freeSlot(lane) {
      giveBack(lane);
      fill();
    },
    ended(lane) {
      const { holding, queue } = lane;
      const { feed } = holding;
      holding.busy -= 1;
      if (lane.running > 1) for (const delivery of queue.splice(1, lane.running - 1)) forget(holding, delivery);
      forget(holding, queue.shift() as InHand);
      lane.running = 0;
      if (!lane.called) feed.rate?.giveBack();
      if (lane.probe) feed.breaker?.unheard();
      if (queue.length > 0 && holding.live) feed.ready.push(lane);
      else if (queue.length === 0) holding.lanes.delete(lane.stream);
      giveBack(lane);
      fill();
      shrunk(feed);
    },
    drop(holding) {
      for (const lane of holding.lanes.values()) {
        for (const delivery of lane.queue.splice(lane.running)) forget(holding, delivery);
        if (lane.running === 0) holding.lanes.delete(lane.stream);
      }
    },
    stop() {
      stopped = true;
      for (const { opening } of feeds) opening?.cancel();
    },
  };
};
