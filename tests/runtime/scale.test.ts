import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scenarios } from '../support/bus-scenarios.ts';
import { playBus } from '../support/bus-world.ts';
import { hundredsOfOrders, orderScenarios } from '../support/order-scenarios.ts';
import { playOrders } from '../support/order-world.ts';

const rounds = Number(process.env.ORDERFOLD_ROUNDS ?? 1);

describe('whole systems', () => {
  it('R30 the same seed gives the same trace, line by line', async () => {
    for (const scenario of fc.sample(scenarios, { seed: 7, numRuns: 12 })) {
      expect((await playBus(scenario)).trace).toEqual((await playBus(scenario)).trace);
    }
    for (const scenario of fc.sample(orderScenarios, { seed: 7, numRuns: 12 })) {
      expect((await playOrders(scenario)).trace).toEqual((await playOrders(scenario)).trace);
    }
  });

  it.each(Array.from({ length: rounds }, (_, round) => round + 1))(
    'S17 200 orders over three workers come to their end through every trouble there is, seed %i',
    async (seed) => {
      for (const scenario of fc.sample(hundredsOfOrders, { seed, numRuns: 1 })) {
        const { faults, struck, ends, shop } = await playOrders(scenario);
        expect(faults).toEqual([]);
        expect(struck).toBeGreaterThan(10);
        expect((ends.confirmed ?? 0) + (ends.cancelled ?? 0)).toBe(200);
        expect(ends.confirmed).toBeGreaterThan(10);
        expect(ends.cancelled).toBeGreaterThan(10);
        expect(shop.calls).toBeGreaterThan(600);
      }
    },
    600_000,
  );
});
