import { isOrderfoldError } from '../../core/errors.ts';
import type { PlanSpace } from './draw-plan.ts';
import type { SimulationPlan } from './plan.ts';
import type { Played } from './play.ts';
import { shrink } from './shrink.ts';

/** The smallest failure that can be told of one that was drawn, and how it came about. */
export const smallest = async (
  drawn: SimulationPlan,
  played: Played,
  space: PlanSpace,
  playOnce: (plan: SimulationPlan, traced?: boolean) => Promise<Played>,
): Promise<{ readonly plan: SimulationPlan; readonly played: Played; readonly how: string }> => {
  const broken = new Set(played.violations.map(({ invariant }) => invariant));
  const breaksTheSame = ({ violations }: Played): boolean => violations.some(({ invariant }) => broken.has(invariant));
  const again = await playOnce(drawn, true);
  if (!breaksTheSame(again)) {
    const how =
      'it did not happen again: something in the application is not decided by the seed (Date.now, Math.random, state that outlives a run?)';
    return { plan: drawn, played: { ...again, violations: played.violations }, how };
  }
  try {
    const { plan, tried } = await shrink(drawn, space, async (candidate) => breaksTheSame(await playOnce(candidate)));
    const how = `the smallest found in ${tried} runs, ${plan.actions.length} actions of ${drawn.actions.length}`;
    return { plan, played: await playOnce(plan, true), how };
  } catch (error) {
    if (!isOrderfoldError(error, 'CONFIG')) throw error;
    return { plan: drawn, played: again, how: `as it was drawn; ${error.message}` };
  }
};
