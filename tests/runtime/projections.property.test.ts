import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewScenarios } from '../support/view-scenarios.ts';
import { playViews } from '../support/view-world.ts';

const numRuns = Number(process.env.ORDERFOLD_RUNS ?? 250);

describe('views under failure', () => {
  it('R1 R12 count every event exactly once through crashes, stalls, outages, lost replies, redrives and rebuilds', {
    timeout: 3_600_000,
  }, async () => {
    let struck = 0;
    let calls = 0;
    let handed = 0;
    await fc.assert(
      fc.asyncProperty(viewScenarios, async (scenario) => {
        const world = await playViews(scenario);
        struck += world.struck;
        calls += world.calls;
        handed += world.handed;
        expect(world.faults).toEqual([]);
        expect(world.stored).toEqual(world.expected);
      }),
      { numRuns, ...(process.env.ORDERFOLD_SEED ? { seed: Number(process.env.ORDERFOLD_SEED) } : {}) },
    );
    expect(struck).toBeGreaterThan(0);
    expect(handed).toBeGreaterThan(2 * calls); // they really came in batches
  });
});
