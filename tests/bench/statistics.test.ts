import { describe, expect, it } from 'vitest';
import { estimate, median, quantile, verdict } from './statistics.ts';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

describe('the statistics of the benchmarks', () => {
  it('take the middle value, or the middle of two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(() => median([])).toThrow(RangeError);
  });

  it('take the smallest value that so many do not exceed', () => {
    expect(quantile(upTo(100), 0.99)).toBe(99);
    expect(quantile(upTo(1000), 0.99)).toBe(990);
    expect(quantile(upTo(10), 0.99)).toBe(10);
    expect(quantile(upTo(3), 0)).toBe(1);
    expect(quantile(upTo(3), 1)).toBe(3);
  });

  it('give seven pairs their whole range and leave out the outermost of nine, in whatever order they come', () => {
    expect(estimate([5, 1, 7, 2, 6, 3, 4])).toEqual({ value: 4, low: 1, high: 7 });
    expect(estimate([9, 1, 8, 2, 7, 3, 6, 4, 5])).toEqual({ value: 5, low: 2, high: 8 });
    expect(estimate([2])).toEqual({ value: 2, low: 2, high: 2 });
  });

  it('narrow the interval of a median as the values grow in number', () => {
    const { low, high } = estimate(upTo(101));
    expect([low, high]).toEqual([41, 61]);
  });

  it('know how little a few hundred values tell about a 99th percentile', () => {
    const few = estimate(upTo(200), 0.99);
    expect(few.value).toBe(198);
    expect([few.low, few.high]).toEqual([195, 200]);
    const many = estimate(upTo(10_000), 0.99);
    expect(many.value).toBe(9900);
    expect(many.low).toBeGreaterThan(9875);
    expect(many.high).toBeLessThan(9925);
  });

  it('cover the true median in at least 95 of 100 samples of skewed values', () => {
    let seed = 42;
    const random = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed / 2 ** 32;
    };
    const runs = 2000;
    let covered = 0;
    for (let run = 0; run < runs; run += 1) {
      const { low, high } = estimate(Array.from({ length: 15 }, () => -Math.log(1 - random())));
      if (low <= Math.LN2 && Math.LN2 <= high) covered += 1;
    }
    expect(covered / runs).toBeGreaterThanOrEqual(0.95);
  });

  it('call a limit missed only when the whole interval is outside it', () => {
    const least = { at: 'least', value: 0.5 } as const;
    expect(verdict({ value: 0.6, low: 0.4, high: 0.7 }, least)).toBe('met');
    expect(verdict({ value: 0.5, low: 0.4, high: 0.7 }, least)).toBe('met');
    expect(verdict({ value: 0.45, low: 0.4, high: 0.5 }, least)).toBe('unclear');
    expect(verdict({ value: 0.45, low: 0.4, high: 0.49 }, least)).toBe('missed');
    const most = { at: 'most', value: 6 } as const;
    expect(verdict({ value: 5, low: 4, high: 9 }, most)).toBe('met');
    expect(verdict({ value: 7, low: 6, high: 9 }, most)).toBe('unclear');
    expect(verdict({ value: 7, low: 6.1, high: 9 }, most)).toBe('missed');
  });
});
