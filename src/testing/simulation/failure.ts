import type { Violation } from '../recorded-run.ts';
import type { SimulationPlan } from './plan.ts';
import { reportOf } from './report.ts';

/** Thrown by `simulate`: its message is the whole story, for a person. */
export class SimulationFailed extends Error {
  override readonly name = 'SimulationFailed';
  readonly violations: readonly Violation[];
  /** The smallest plan that was found to break the same. */
  readonly plan: SimulationPlan;
  /** The plan as it was drawn, and from which seed. */
  readonly drawn: SimulationPlan;
  readonly seed: number;
  /** Runs it took to find it, the first counted as 1. */
  readonly schedules: number;
  readonly trace: readonly string[];
  /** For the option of the same name. */
  readonly replay: string;

  constructor(message: string, found: Omit<SimulationFailed, keyof Error>) {
    super(message);
    this.violations = found.violations;
    this.plan = found.plan;
    this.drawn = found.drawn;
    this.seed = found.seed;
    this.schedules = found.schedules;
    this.trace = found.trace;
    this.replay = found.replay;
  }
}

/** The failure of what was found, its report told. */
export const failed = (found: Omit<Parameters<typeof reportOf>[0], 'replay'> & Pick<SimulationFailed, 'drawn'>): SimulationFailed => {
  const replay = JSON.stringify(found.plan);
  const { plan, drawn, seed, nth: schedules, played } = found;
  return new SimulationFailed(reportOf({ ...found, replay }), {
    violations: played.violations,
    trace: played.trace,
    plan,
    drawn,
    seed,
    schedules,
    replay,
  });
};
