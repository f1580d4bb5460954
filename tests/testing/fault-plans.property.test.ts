import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraries, simulate } from '../../src/testing/index.ts';
import { shop } from './support/shop.ts';

const numRuns = Number(process.env.ORDERFOLD_RUNS ?? 150);
const { faultPlans } = arbitraries(fc);
const names = {
  calls: ['payments.charge', 'payments.refund', 'stock.reserve', 'post.send', 'books.enter'],
  handlers: ['payment', 'payment:undo', 'inventory', 'books'],
};

describe('plans of faults made by fast-check', () => {
  it('R1 S17 are all played to a settled end', { timeout: 3_600_000 }, async () => {
    let struck = 0;
    await fc.assert(
      fc.asyncProperty(faultPlans(names), async (replay) => {
        const report = await simulate({ ...shop, replay });
        struck += Object.values(report.struck).reduce((sum, times) => sum + times, 0);
      }),
      { numRuns },
    );
    expect(struck).toBeGreaterThan(numRuns);
  });
});
