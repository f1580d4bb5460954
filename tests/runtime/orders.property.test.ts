import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foundOnOrders } from '../support/found.ts';
import { orderScenarios } from '../support/order-scenarios.ts';
import { playOrders } from '../support/order-world.ts';

const numRuns = Number(process.env.ORDERFOLD_RUNS ?? 250);

describe('orders under failure', () => {
  it('S1 to S23 and S25 hold through crashes, stalls, outages, lost replies, cancels, deadlines and operators', {
    timeout: 3_600_000,
  }, async () => {
    let struck = 0;
    await fc.assert(
      fc.asyncProperty(orderScenarios, async (scenario) => {
        const world = await playOrders(scenario);
        struck += world.struck;
        expect(world.faults).toEqual([]);
      }),
      {
        numRuns,
        examples: foundOnOrders.map((scenario) => [scenario] as [typeof scenario]),
        ...(process.env.ORDERFOLD_SEED ? { seed: Number(process.env.ORDERFOLD_SEED) } : {}),
      },
    );
    expect(struck).toBeGreaterThan(0);
  });
});
