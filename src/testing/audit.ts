import { attempts } from './invariants/attempts.ts';
import { conservation } from './invariants/conservation.ts';
import { ending } from './invariants/ending.ts';
import { folding } from './invariants/folding.ts';
import { lanes } from './invariants/lanes.ts';
import { letters } from './invariants/letters.ts';
import { money } from './invariants/money.ts';
import { outcomes } from './invariants/outcomes.ts';
import { starting } from './invariants/starting.ts';
import { undoing } from './invariants/undoing.ts';
import type { Invariant, RecordedRun, Violation } from './recorded-run.ts';

const numberOf = ({ id }: Invariant): number => Number(id.slice(1)) + (id.startsWith('S') ? 0 : 1_000);

/**
 * All that must never be violated and that a finished run can show, by number: `S…` are about orders, `R…` about deliveries. Each says
 * nothing it can't know: effects that nobody kept, or what may still happen while the run is `running`.
 */
export const invariants: readonly Invariant[] = /* @__PURE__ */ Object.freeze(
  [...starting, ...ending, ...outcomes, ...undoing, ...folding, ...money, ...attempts, ...lanes, ...letters, ...conservation].sort(
    (a, b) => numberOf(a) - numberOf(b),
  ),
);

/** What an audit found, and how much it looked at. */
export interface Audited {
  /** By invariant, on how many orders or deliveries it had something to say: 0 means that it held because there was nothing to see. */
  readonly checked: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
}

/**
 * Looks at a run with every invariant. Pure; the run must not change afterwards, because what was read of it is kept for the next look.
 * @param which one's own beside the library's, or some of them. @default invariants
 * @example
 * const { violations } = audit(await recordRun(store, { stage: 'settled' }));
 */
export const audit = (run: RecordedRun, which: readonly Invariant[] = invariants): Audited => {
  const checked: Record<string, number> = {};
  const violations: Violation[] = [];
  for (const invariant of which) {
    const { id } = invariant;
    const looked = invariant.look?.(run) ?? { checked: 1, violations: invariant.check(run) };
    checked[id] = (checked[id] ?? 0) + looked.checked;
    for (const violation of looked.violations) violations.push({ invariant: id, ...violation });
  }
  return { checked, violations };
};
