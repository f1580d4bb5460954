import type { Checkpoint, Range } from './store.ts';

/** Where a subscription stands that has done nothing yet above `low`. */
export const checkpointAt = (low: number): Checkpoint => ({ low, done: [] });

/** The checkpoint after these positions are done too. Order and overlap of `ranges` do not matter. */
export const markDone = (checkpoint: Checkpoint, ranges: readonly Range[]): Checkpoint => {
  if (ranges.length === 0) return checkpoint;
  const sorted = [...checkpoint.done, ...ranges].sort((a, b) => a[0] - b[0]);
  let low = checkpoint.low;
  const done: [number, number][] = [];
  for (const [from, to] of sorted) {
    if (from <= low + 1) {
      low = Math.max(low, to);
      continue;
    }
    const last = done.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else done.push([from, to]);
  }
  return { low, done };
};

export const isDone = (checkpoint: Checkpoint, position: number): boolean =>
  position <= checkpoint.low || checkpoint.done.some(([from, to]) => from <= position && position <= to);

/** How many positions up to `head` are not done. */
export const backlogOf = (checkpoint: Checkpoint, head: number): number =>
  head - checkpoint.low - checkpoint.done.reduce((sum, [from, to]) => sum + to - from + 1, 0);
