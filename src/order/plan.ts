import { isStepName, type StepTypes, stepTypes } from './names.ts';

/** How a step is taken back: by its undo function, by nothing because it has no effect, or not at all (the point of no return). */
export type UndoKind = 'undo' | 'nothing' | 'irreversible';

/** A step as far as finishing an order under it needs. */
export interface PlannedStep {
  readonly name: string;
  /** Steps that have to succeed first. Each stands earlier in the plan, so there are no cycles. */
  readonly after: readonly string[];
  readonly undo: UndoKind;
}

/**
 * What an order was promised when it was placed. Stored in `OrderPlaced`; the order is finished under it, whatever the code says by then.
 */
export interface Plan {
  readonly steps: readonly PlannedStep[];
  /** Cancelled when not past the point of no return after this long. */
  readonly deadlineMs?: number;
}

const UNDO_KINDS: ReadonlySet<unknown> = new Set<UndoKind>(['undo', 'nothing', 'irreversible']);

const parse = (value: unknown): Plan | undefined => {
  const { steps, deadlineMs } = (value ?? {}) as { readonly steps?: unknown; readonly deadlineMs?: unknown };
  if (!Array.isArray(steps) || (deadlineMs !== undefined && typeof deadlineMs !== 'number')) return undefined;
  const earlier = new Set<string>();
  const known: PlannedStep[] = [];
  for (const step of steps as readonly (Partial<PlannedStep> | null)[]) {
    if (typeof step !== 'object' || step === null) return undefined;
    const { name, after, undo } = step;
    if (!isStepName(name) || earlier.has(name) || undo === undefined || !UNDO_KINDS.has(undo)) return undefined;
    if (!Array.isArray(after) || !after.every((one) => earlier.has(one))) return undefined;
    earlier.add(name);
    known.push(Object.freeze({ name, after: Object.freeze([...after]), undo }));
  }
  return Object.freeze({ steps: Object.freeze(known), ...(deadlineMs === undefined ? {} : { deadlineMs }) });
};

const sameNames = (some: readonly string[], others: unknown): boolean => {
  if (!Array.isArray(others) || some.length !== others.length) return false;
  for (let i = 0; i < some.length; i += 1) if (some[i] !== others[i]) return false;
  return true;
};

const same = (plan: Plan, value: Partial<Plan> | null | undefined): boolean => {
  const others: unknown = value?.steps;
  if (plan.deadlineMs !== value?.deadlineMs || !Array.isArray(others) || plan.steps.length !== others.length) return false;
  for (let i = 0; i < others.length; i += 1) {
    const { name, undo, after } = plan.steps[i] as PlannedStep;
    const other = others[i] as Partial<PlannedStep> | null;
    if (other?.name !== name || other.undo !== undo || !sameNames(after, other.after)) return false;
  }
  return true;
};

let latest: { readonly plan: Plan; readonly types: StepTypes } = { plan: Object.freeze({ steps: Object.freeze([]) }), types: new Map() };

const known = (value: unknown): typeof latest | undefined => {
  if (value === latest.plan || same(latest.plan, value as Partial<Plan> | null)) return latest;
  const plan = parse(value);
  if (plan !== undefined) latest = { plan, types: stepTypes(plan.steps.map(({ name }) => name)) };
  return plan && latest;
};

/**
 * A stored value as a plan this code can finish an order under, frozen, or `undefined`. Equal plans in a row are one object,
 * since nearly all orders of a process share theirs.
 */
export const planOf = (value: unknown): Plan | undefined => known(value)?.plan;

/** Which step and kind each event type of a plan's steps means. */
export const typesOf = (plan: Plan): StepTypes => known(plan)?.types ?? new Map();

/** Everything a step runs after, directly or through others. */
const allBefore = (steps: readonly PlannedStep[], name: string): ReadonlySet<string> => {
  const before = new Set<string>();
  const wanted = new Set([name]);
  for (const step of steps.toReversed()) {
    if (!wanted.has(step.name)) continue;
    for (const one of step.after) {
      before.add(one);
      wanted.add(one);
    }
  }
  return before;
};

/**
 * Steps that may run while, or after, an irreversible one was requested: all but those it waits for. From there on nothing
 * can be taken back, so these may not refuse.
 */
export const mustNotRefuse = (steps: readonly PlannedStep[]): readonly { readonly step: string; readonly irreversible: string }[] =>
  steps
    .filter((step) => step.undo === 'irreversible')
    .flatMap(({ name: irreversible }) => {
      const before = allBefore(steps, irreversible);
      return steps.filter(({ name }) => name !== irreversible && !before.has(name)).map(({ name }) => ({ step: name, irreversible }));
    });
