import { loadFastCheck } from '../fast-check.ts';
import type { PlanSpace } from './draw-plan.ts';
import type { Action, SimulationPlan } from './plan.ts';
import { planArbitrary } from './plan-arbitrary.ts';

/** What is tried at most, first by leaving parts out, then by making what is left smaller; each try costs one run. */
const MOST_RUNS = { without: 600, smaller: 600 } as const;
/** And so long, by the real clock, for an application whose runs are long. */
const MOST_MS = 60_000;

/** Without the parts for which `keep` says no, asked in the order of the plan. */
const partsOf = (plan: SimulationPlan, keep: () => boolean): SimulationPlan => ({
  ...plan,
  actions: plan.actions.flatMap((action): Action[] => {
    const stays = keep();
    if (action.do !== 'place') return stays ? [action] : [];
    const fates = Object.fromEntries(Object.entries(action.fates).filter(() => keep()));
    return stays ? [{ ...action, fates }] : [];
  }),
  storeFaults: plan.storeFaults.map((faults) => faults.filter(() => keep())),
});

/** How often `partsOf` asks when everything is kept. */
const countParts = (plan: SimulationPlan): number => {
  let parts = 0;
  partsOf(plan, () => {
    parts += 1;
    return true;
  });
  return parts;
};

/**
 * The smallest plan found that still breaks the same, by fast-check: fewer actions, fewer faults, fewer processes, earlier. The same plan gives
 * the same answer, unless a pass runs out of its minute of real time.
 */
export const shrink = async (
  plan: SimulationPlan,
  space: Pick<PlanSpace, 'calls' | 'handlers'>,
  breaks: (plan: SimulationPlan) => Promise<boolean>,
): Promise<{ readonly plan: SimulationPlan; readonly tried: number }> => {
  const fc = await loadFastCheck();
  let smallest = plan;
  let tried = 0;
  /** A property that fails as the plan does, until its budget is spent: then nothing fails any more, which ends the search. */
  const trying = (mostRuns: number) => {
    const until = tried + mostRuns;
    const endsAt = performance.now() + MOST_MS;
    return async (candidate: SimulationPlan): Promise<boolean> => {
      if (tried >= until || performance.now() > endsAt) return true;
      tried += 1;
      if (!(await breaks(candidate))) return true;
      smallest = candidate;
      return false;
    };
  };
  const tryWithout = trying(MOST_RUNS.without);
  const all = Array.from({ length: countParts(plan) }, () => true);
  const kept = fc.asyncProperty(fc.tuple(...all.map(() => fc.boolean())), (mask) => {
    const left = [...mask];
    return tryWithout(partsOf(plan, () => left.shift() === true));
  });
  await fc.check(kept, { examples: [[all]], numRuns: 1, seed: 1 });
  const trySmaller = trying(MOST_RUNS.smaller);
  await fc.check(fc.asyncProperty(planArbitrary(fc, space), trySmaller), { examples: [[smallest]], numRuns: 1, seed: 1 });
  return { plan: smallest, tried };
};
