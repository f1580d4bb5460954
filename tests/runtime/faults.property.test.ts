import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scenarios } from '../support/bus-scenarios.ts';
import { playBus } from '../support/bus-world.ts';
import { foundOnBus } from '../support/found.ts';

const numRuns = Number(process.env.ORDERFOLD_RUNS ?? 250);

describe('deliveries under failure', () => {
  it('R1 R2 R3 R6 R9 R16 R17 R22 R26 R28 hold through crashes, stalls, outages, lost replies and redrives, with a broker that loses, repeats and reorders and without', {
    timeout: 3_600_000,
  }, async () => {
    let struck = 0;
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        const world = await playBus(scenario);
        struck += world.struck;
        expect(world.faults).toEqual([]);
      }),
      {
        numRuns,
        examples: foundOnBus.map((scenario) => [scenario] as [typeof scenario]),
        ...(process.env.ORDERFOLD_SEED ? { seed: Number(process.env.ORDERFOLD_SEED) } : {}),
      },
    );
    expect(struck).toBeGreaterThan(0);
  });
});
