import type { RateLimit } from '../core/flow.ts';
import type { System } from '../core/system.ts';

/** Starts of one subscription in this process, held to its part of a limit that all processes share. */
export interface Rate {
  /** Milliseconds until another start is within the limit. @param share the part of all shards this process owns, above 0 and at most 1. */
  waitMs(share: number): number;
  /** One is about to start: its place is kept, whenever that will be. */
  reserve(): void;
  /** It starts now. */
  started(): void;
  /** It does not start after all. */
  giveBack(): void;
}

/**
 * In any window of the limit's length no more starts than the whole part of its share. Where that part is less than one start, one in a
 * longer window instead.
 */
export const createRate = (system: System, { count, perMs }: RateLimit): Rate => {
  let starts: number[] = [];
  let reserved = 0;

  return {
    waitMs(share) {
      const part = count * share + 1e-9;
      const most = Math.max(1, Math.floor(part));
      const windowMs = perMs / Math.min(1, part);
      if (reserved >= most) return windowMs;
      const earlier = starts[starts.length - most + reserved];
      return earlier === undefined ? 0 : Math.max(0, earlier + windowMs - system.monotonic());
    },
    reserve() {
      reserved += 1;
    },
    started() {
      if (reserved > 0) reserved -= 1;
      starts.push(system.monotonic());
      if (starts.length > 2 * count + 1000) starts = starts.slice(-count);
    },
    giveBack() {
      reserved -= 1;
    },
  };
};
