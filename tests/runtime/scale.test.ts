import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../src/testing/index.ts';
import { drawPlan } from '../../src/testing/simulation/draw-plan.ts';
import { resolveFaults } from '../../src/testing/simulation/faults.ts';
import { standardRequest } from '../../src/testing/simulation/orders.ts';
import { play } from '../../src/testing/simulation/play.ts';
import { scenarios } from '../support/bus-scenarios.ts';
import { playBus } from '../support/bus-world.ts';
import { shopOf } from '../testing/support/shops.ts';

const rounds = Number(process.env.ORDERFOLD_ROUNDS ?? 1);

describe('whole systems', () => {
  it('R30 the same seed gives the same trace, line by line', async () => {
    for (const scenario of fc.sample(scenarios, { seed: 7, numRuns: 12 })) {
      expect((await playBus(scenario)).trace).toEqual((await playBus(scenario)).trace);
    }
  });

  it('R30 the same plan of orders gives the same trace, byte for byte', async () => {
    const { services, saga, setUp } = shopOf({ shape: 'chain', query: true, deadlineMs: 1500 });
    const game = { services, saga, setUp: setUp as (orders: never, services: unknown) => void, order: standardRequest, audit: () => [] };
    const space = {
      orders: [1, 6],
      workers: [1, 3],
      apis: [1, 2],
      calls: ['payments.charge', 'payments.find', 'payments.refund', 'stock.reserve', 'carrier.send'],
      handlers: ['payment', 'payment:undo', 'shipping', 'receipt', 'books'],
      deadlineMs: 1500,
      faults: resolveFaults(undefined),
    } as const;
    let struck = 0;
    for (let seed = 1; seed <= 12; seed += 1) {
      const plan = drawPlan(seed, space);
      const played = await play(game, plan, true);
      const again = await play(game, JSON.parse(JSON.stringify(plan)) as typeof plan, true);
      expect(played.trace.length).toBeGreaterThan(20);
      expect(again.trace.join('\n')).toBe(played.trace.join('\n'));
      struck += Object.keys(played.struck).length;
    }
    expect(struck).toBeGreaterThan(12);
  }, 60_000);

  it.each(Array.from({ length: rounds }, (_, round) => round + 1))(
    'S17 200 orders over three workers come to their end through every trouble there is, seed %i',
    async (round) => {
      const shop = shopOf({
        shape: (['parallel', 'chain', 'reversible'] as const)[round % 3] ?? 'chain',
        query: round % 2 === 0,
        deadlineMs: undefined,
      });
      // Three, because some plans leave all in peace.
      const { struck, ends, checked } = await simulate({ ...shop, orders: 200, workers: 3, schedules: 3, seed: 3 * round });
      expect(Object.values(struck).reduce((sum, times) => sum + times, 0)).toBeGreaterThan(100);
      expect((ends.confirmed ?? 0) + (ends.cancelled ?? 0)).toBe(600);
      expect(ends.confirmed).toBeGreaterThan(30);
      expect(ends.cancelled).toBeGreaterThan(30);
      expect(checked.S1).toBeGreaterThan(600);
    },
    600_000,
  );
});
