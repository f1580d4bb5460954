import { type Holding, type InHand, type Lane, orderOf } from './holding.ts';

export interface Lanes {
  /** Puts a delivery into its lane, in order behind what runs. */
  add(holding: Holding, stream: string, delivery: InHand): void;
  /** Deliveries in lanes that were read from the log, running ones included; the parked ones are in their holding's `inHand`. */
  fresh(): number;
  /** Forgets what has not started; resolves nothing, aborts nothing. */
  drop(holding: Holding): void;
}

/**
 * Different streams run concurrently, one stream strictly in version order: a delivery starts when the one before it has
 * its outcome in the store. `run` gets the delivery and a function that frees its slot early, once the handler has returned; it may take
 * more from the front of the lane by raising `running`. `shrunk` hears of every run that ended.
 */
export const createLanes = (
  concurrency: number,
  run: (lane: Lane, delivery: InHand, freeSlot: () => void) => Promise<void>,
  shrunk: () => void,
): Lanes => {
  let ready: Lane[] = [];
  let first = 0;
  let slots = concurrency;
  let fresh = 0;

  const enqueue = (lane: Lane): void => void ready.push(lane);

  const next = (): Lane | undefined => {
    const lane = ready[first];
    if (lane === undefined) return undefined;
    first += 1;
    if (first > 1024 && first * 2 > ready.length) {
      ready = ready.slice(first);
      first = 0;
    }
    return lane;
  };

  const forget = (holding: Holding, deliveries: readonly InHand[]): void => {
    for (const { parked } of deliveries) {
      if (parked === null) fresh -= 1;
      else holding.inHand.delete(parked.id);
    }
  };

  const start = (lane: Lane, delivery: InHand): void => {
    let freed = false;
    const freeSlot = (): void => {
      if (freed) return;
      freed = true;
      slots += 1;
    };
    slots -= 1;
    lane.running = 1;
    lane.holding.busy += 1;
    const ended = (): void => {
      const ran = lane.queue.splice(0, lane.running);
      lane.running = 0;
      lane.holding.busy -= 1;
      forget(lane.holding, ran);
      if (lane.queue.length > 0 && lane.holding.live) enqueue(lane);
      else if (lane.queue.length === 0) lane.holding.lanes.delete(lane.stream);
      freeSlot();
      fill();
      shrunk();
    };
    const freeAndFill = (): void => {
      freeSlot();
      fill();
    };
    run(lane, delivery, freeAndFill).then(ended, ended);
  };

  const fill = (): void => {
    while (slots > 0) {
      const lane = next();
      if (lane === undefined) return;
      const delivery = lane.queue[0];
      if (delivery !== undefined && lane.running === 0 && lane.holding.live) start(lane, delivery);
    }
  };

  return {
    add(holding, stream, delivery) {
      if (delivery.parked === null) fresh += 1;
      else holding.inHand.add(delivery.parked.id);
      const name = holding.subscription.batch === undefined ? stream : '';
      const lane = holding.lanes.get(name);
      if (lane === undefined) {
        const opened: Lane = { holding, stream: name, queue: [delivery], running: 0 };
        holding.lanes.set(name, opened);
        enqueue(opened);
      } else {
        const order = orderOf(holding, delivery);
        let at = lane.queue.length;
        while (at > lane.running && orderOf(holding, lane.queue[at - 1] ?? delivery) > order) at -= 1;
        lane.queue.splice(at, 0, delivery);
      }
      fill();
    },
    fresh: () => fresh,
    drop(holding) {
      for (const lane of holding.lanes.values()) {
        forget(holding, lane.queue.splice(lane.running));
        if (lane.running === 0) holding.lanes.delete(lane.stream);
      }
    },
  };
};
