import type { System, Timer } from '../core/system.ts';

/** Something that has to end in time. */
export interface Timed {
  /** Monotonic. */
  readonly deadline: number;
  readonly ended: boolean;
  timeOut(): void;
}

export interface Timeouts {
  /** Calls `timeOut` at the deadline, `afterMs` from now, unless it has ended by then. */
  watch(timed: Timed, afterMs: number): void;
  stop(): void;
}

interface Queue {
  entries: Timed[];
  first: number;
  /** Where those that have ended are taken out of the middle. */
  sweepAt: number;
  timer: Timer | null;
}

const SWEEP_AT = 1024;

/**
 * Timeouts for many calls at the price of one timer per distinct length: those of one length run out in the order they
 * started, and those that have ended are passed over.
 */
export const createTimeouts = (system: System): Timeouts => {
  const queues = new Map<number, Queue>();

  const skipEnded = (queue: Queue): Timed | undefined => {
    while (queue.entries[queue.first]?.ended === true) queue.first += 1;
    return queue.entries[queue.first];
  };

  const sweep = (queue: Queue): void => {
    queue.entries = queue.entries.slice(queue.first).filter(({ ended }) => !ended);
    queue.first = 0;
    queue.sweepAt = Math.max(SWEEP_AT, 2 * queue.entries.length);
  };

  const expire = (queue: Queue): void => {
    queue.timer = null;
    const now = system.monotonic();
    for (let next = skipEnded(queue); next !== undefined; next = skipEnded(queue)) {
      if (next.deadline > now) {
        queue.timer = system.setTimer(next.deadline - now, () => expire(queue));
        return;
      }
      queue.first += 1;
      next.timeOut();
    }
    sweep(queue);
  };

  return {
    watch(timed, afterMs) {
      let queue = queues.get(afterMs);
      if (queue === undefined) {
        queue = { entries: [], first: 0, sweepAt: SWEEP_AT, timer: null };
        queues.set(afterMs, queue);
      }
      if (queue.entries.length >= queue.sweepAt) sweep(queue);
      queue.entries.push(timed);
      const armed = queue;
      queue.timer ??= system.setTimer(afterMs, () => expire(armed));
    },
    stop() {
      for (const { timer } of queues.values()) timer?.cancel();
      queues.clear();
    },
  };
};
