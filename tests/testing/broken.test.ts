import { describe, expect, it } from 'vitest';
import { simulate } from '../../src/testing/index.ts';
import { withPatches } from './broken/patched.ts';
import { VARIANTS } from './broken/variants.ts';
import { shop } from './support/shop.ts';

const SCHEDULES = 2000;

describe('the simulator, over an engine or a store with one thing wrong', () => {
  it.each(VARIANTS.map(({ title, breaks, patches }) => [title, breaks, patches] as const))(
    `finds within ${SCHEDULES} schedules that %s`,
    { timeout: 300_000 },
    async (title, breaks, patches) => {
      await withPatches(patches, async (testing) => {
        const found = await testing.simulate({ ...shop, seed: 1, schedules: SCHEDULES }).then(
          () => undefined,
          (error: unknown) => error as InstanceType<typeof testing.SimulationFailed>,
        );
        expect(found?.name, `${title}: not found in ${SCHEDULES} schedules`).toBe('SimulationFailed');
        const broken = new Set(found?.violations.map(({ invariant }) => invariant));
        console.log(
          `${title}: found after ${found?.schedules} schedules (${[...broken].join(', ')}), ${found?.plan.actions.length} actions of ${found?.drawn.actions.length}`,
        );
        expect(
          [...broken].some((invariant) => breaks.includes(invariant)),
          `${title} broke ${[...broken].join(', ')}`,
        ).toBe(true);
        // The true engine comes through the very plan that undid the broken one.
        await simulate({ ...shop, replay: found?.replay ?? '' });
      });
    },
  );
});
