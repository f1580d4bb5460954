import type { RateLimit } from '../core/flow.ts';
import type { System } from '../core/system.ts';

/** Starts of one subscription in this process, held to its part of a limit that all processes share. */
export interface Rate {
  /** Milliseconds until another start is within the limit. @param share the part of all shards this process owns, above 0 and at most 1. */
  waitMs(share: number): number;
  started(): void;
  /** The last start was none after all. */
  takeBack(): void;
}

/** In any window of the limit's length there are never more starts than it allows. */
export const createRate = (system: System, { count, perMs }: RateLimit): Rate => {
  let starts: number[] = [];

  return {
    waitMs(share) {
      const part = count * share;
      // A part of less than one start makes the window longer instead.
      const most = Math.max(1, Math.floor(part));
      const earlier = starts[starts.length - most];
      return earlier === undefined ? 0 : Math.max(0, earlier + (perMs * most) / part - system.monotonic());
    },
    started() {
      starts.push(system.monotonic());
      if (starts.length > 2 * count + 1000) starts = starts.slice(-count);
    },
    takeBack: () => void starts.pop(),
  };
};
