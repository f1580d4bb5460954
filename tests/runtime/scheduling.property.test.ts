import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { playTimers, timerScenarios } from '../support/timer-world.ts';

const numRuns = Number(process.env.ORDERFOLD_RUNS ?? 250);

describe('what is scheduled, under failure', () => {
  it('S18 S19 fires once, never early, or is taken back: through crashes, stalls, outages, lost replies, clock steps and races', {
    timeout: 3_600_000,
  }, async () => {
    const sum = { fired: 0, taken: 0, replaced: 0, struck: 0 };
    await fc.assert(
      fc.asyncProperty(timerScenarios, async (scenario) => {
        const { faults, ...tally } = await playTimers(scenario);
        for (const what of ['fired', 'taken', 'replaced', 'struck'] as const) sum[what] += tally[what];
        expect(faults).toEqual([]);
      }),
      { numRuns, ...(process.env.ORDERFOLD_SEED ? { seed: Number(process.env.ORDERFOLD_SEED) } : {}) },
    );
    for (const [what, times] of Object.entries(sum)) expect(times, what).toBeGreaterThan(0);
  });
});
