import { expect, it } from 'vitest';
import { seeded } from '../../src/core/seeded.ts';

const first = (seed: number, many: number) => {
  const next = seeded(seed);
  return Array.from({ length: many }, () => next() * 2 ** 32);
};

it.each([
  [0, [609_994_695, 3_002_680_967, 3_326_627_503]],
  [7, [4_204_661_873, 3_439_728_777, 1_011_842_992]],
  [-1, [4_217_637_114, 2_986_420_558, 1_838_824_848]],
  [2 ** 40 + 3, [971_414_295, 1_464_131_670, 1_054_739_455]],
])('R30 the seed %i gives the numbers it always gave, on every machine and in every version', (seed, numbers) => {
  expect(first(seed, 3)).toEqual(numbers);
});

it('R30 a seed above 2^32 is another than its lower half', () => {
  expect(first(2 ** 32 + 7, 3)).not.toEqual(first(7, 3));
  expect(first(7, 1_000).at(-1)).toBe(2_300_629_421);
});
