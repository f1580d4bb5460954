import type { PlanSpace } from './draw-plan.ts';
import { loadFastCheck } from './fast-check.ts';
import type { SimulationPlan } from './plan.ts';
import { planArbitrary } from './plan-arbitrary.ts';

/** What is tried at most; each costs one run. */
const MOST_RUNS = 1500;

/**
 * The smallest plan found that still breaks one of these invariants, by fast-check: fewer actions, fewer faults, fewer processes, earlier.
 * The same plan gives the same answer.
 */
export const shrink = async (
  plan: SimulationPlan,
  space: Pick<PlanSpace, 'calls' | 'handlers'>,
  breaks: (plan: SimulationPlan) => Promise<boolean>,
): Promise<{ readonly plan: SimulationPlan; readonly tried: number }> => {
  const fc = await loadFastCheck();
  let smallest = plan;
  let tried = 0;
  const property = fc.asyncProperty(planArbitrary(fc, space), async (candidate) => {
    // Once the budget is spent nothing fails any more, which ends the search.
    if (tried >= MOST_RUNS) return true;
    tried += 1;
    if (!(await breaks(candidate))) return true;
    smallest = candidate;
    return false;
  });
  await fc.check(property, { examples: [[plan]], numRuns: 1, seed: 1 });
  return { plan: smallest, tried };
};
