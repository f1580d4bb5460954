import type { Holding, InHand, Lane } from './holding.ts';

export interface Lanes {
  /** Puts a delivery into the lane of its stream, in version order behind what runs. */
  add(holding: Holding, stream: string, delivery: InHand): void;
  /** Deliveries in lanes that were read from the log, running ones included; the parked ones are in their holding's `inHand`. */
  fresh(): number;
  /** Forgets what has not started; resolves nothing, aborts nothing. */
  drop(holding: Holding): void;
}

/**
 * Different streams run concurrently, one stream strictly in version order: a delivery starts when the one before it has
 * its outcome in the store. `run` gets the delivery and a function that frees its slot early, once the handler has returned; `shrunk` hears of every delivery that ended.
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

  const start = (lane: Lane, delivery: InHand): void => {
    let freed = false;
    const freeSlot = (): void => {
      if (freed) return;
      freed = true;
      slots += 1;
    };
    slots -= 1;
    lane.running = true;
    lane.holding.busy += 1;
    const ended = (): void => {
      lane.running = false;
      lane.holding.busy -= 1;
      lane.queue.shift();
      if (delivery.parked === null) fresh -= 1;
      else lane.holding.inHand.delete(delivery.parked.id);
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
      if (delivery !== undefined && !lane.running && lane.holding.live) start(lane, delivery);
    }
  };

  return {
    add(holding, stream, delivery) {
      if (delivery.parked === null) fresh += 1;
      else holding.inHand.add(delivery.parked.id);
      const lane = holding.lanes.get(stream);
      if (lane === undefined) {
        const opened: Lane = { holding, stream, queue: [delivery], running: false };
        holding.lanes.set(stream, opened);
        enqueue(opened);
      } else {
        let at = lane.queue.length;
        while (at > (lane.running ? 1 : 0) && (lane.queue[at - 1]?.version ?? 0) > delivery.version) at -= 1;
        lane.queue.splice(at, 0, delivery);
      }
      fill();
    },
    fresh: () => fresh,
    drop(holding) {
      for (const lane of holding.lanes.values()) {
        const kept = lane.running ? 1 : 0;
        for (const { parked } of lane.queue.splice(kept)) {
          if (parked === null) fresh -= 1;
          else holding.inHand.delete(parked.id);
        }
        if (kept === 0) holding.lanes.delete(lane.stream);
      }
    },
  };
};
