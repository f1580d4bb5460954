import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backlogOf, checkpointAt, isDone, markDone } from '../../src/core/checkpoint.ts';
import type { Range } from '../../src/core/store.ts';

const HEAD = 40;
const positions = Array.from({ length: HEAD }, (_, index) => index + 1);

const range: fc.Arbitrary<Range> = fc
  .tuple(fc.integer({ min: 1, max: HEAD }), fc.integer({ min: 0, max: 6 }))
  .map(([from, more]) => [from, Math.min(HEAD, from + more)] as const);
/** Units one after another, each with its done ranges. */
const units = fc.array(fc.array(range, { maxLength: 4 }), { maxLength: 6 });

const marked = (low: number, all: readonly (readonly Range[])[]) => all.reduce(markDone, checkpointAt(low));

it('R1 a checkpoint knows exactly the positions that are done, and counts the others', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: HEAD }), units, (low, all) => {
      const done = positions.filter((at) => at <= low || all.flat().some(([from, to]) => from <= at && at <= to));
      const checkpoint = marked(low, all);
      expect(positions.filter((at) => isDone(checkpoint, at))).toEqual(done);
      expect(isDone(checkpoint, HEAD + 1)).toBe(false);
      expect(backlogOf(checkpoint, HEAD)).toBe(HEAD - done.length);
    }),
  );
});

it('a checkpoint is as short as it can be, whatever order the ranges come in: everything below the first gap is one number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: HEAD }), units, (low, all) => {
      const checkpoint = marked(low, all);
      const firstGap = positions.find((at) => !isDone(checkpoint, at)) ?? HEAD + 1;
      expect(checkpoint.low).toBe(firstGap - 1);
      // Between two ranges, and below the first, at least one position is open.
      let last = checkpoint.low;
      for (const [from, to] of checkpoint.done) {
        expect(from).toBeGreaterThan(last + 1);
        expect(to).toBeGreaterThanOrEqual(from);
        last = to;
      }
      expect(marked(low, [all.flat().reverse()])).toEqual(checkpoint);
    }),
  );
});

it('a checkpoint is a new value each time, but for nothing done', () => {
  const before = checkpointAt(3);
  expect(before).toEqual({ low: 3, done: [] });
  expect(markDone(before, [])).toBe(before);
  const after = markDone(before, [[6, 7]]);
  expect(markDone(after, [[8, 9]])).toEqual({ low: 3, done: [[6, 9]] });
  expect(after).toEqual({ low: 3, done: [[6, 7]] });
});
