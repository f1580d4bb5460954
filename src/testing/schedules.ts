import type { Arbitrary } from 'fast-check';
import type { Plan, UndoKind } from '../order/plan.ts';
import type { FastCheck } from './arbitraries.ts';

const NAMES = ['payment', 'inventory', 'shipping', 'loyalty', 'notification'] as const;
const UNDO: readonly UndoKind[] = ['undo', 'undo', 'undo', 'nothing', 'irreversible'];

/**
 * One thing that happens. `pick` chooses among what there is to choose from at that moment, so every list of moves makes sense
 * for every plan; a move with nothing to choose from is passed over.
 */
export type Move =
  | { readonly move: 'succeed' | 'refuse' | 'skip' | 'late'; readonly pick: number }
  /** Attempts used up. `happened`: the call had its effect, only the reply was lost. */
  | { readonly move: 'die'; readonly pick: number; readonly happened: boolean }
  | { readonly move: 'redrive' | 'discard' | 'repeat'; readonly pick: number }
  | { readonly move: 'cancel' }
  | { readonly move: 'deadline' };

/** How the rest is played once the moves are used up. Requests are refused only where they may be. */
export interface Ending {
  readonly letters: 'redrive' | 'discard';
  readonly answers: 'succeed' | 'refuse';
}

/** What happens to one order under a plan: data, so that a counterexample can be read. */
export interface Schedule {
  readonly plan: Plan;
  readonly moves: readonly Move[];
  readonly ending: Ending;
}

/** Any plan of 1 to 5 steps: every `after` is a subset of the earlier steps, about every second one has a point of no return, and a deadline. */
export const plansOf = (fc: FastCheck): Arbitrary<Plan> => {
  const step = fc.record({ after: fc.nat(31), undo: fc.constantFrom(...UNDO) });
  const steps = fc.array(step, { minLength: 1, maxLength: 5 }).map((all) =>
    all.map(({ after, undo }, at) => ({
      name: NAMES[at] as string,
      after: NAMES.slice(0, at).filter((_, bit) => (after >> bit) & 1),
      undo,
    })),
  );
  return fc.record({ steps, deadlineMs: fc.integer({ min: 1, max: 900_000 }) }, { requiredKeys: ['steps'] });
};

const movesOf = (fc: FastCheck): Arbitrary<readonly Move[]> => {
  const pick = fc.nat(11);
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ move: fc.constant('succeed' as const), pick }) },
      { weight: 2, arbitrary: fc.record({ move: fc.constantFrom('refuse' as const, 'skip' as const, 'late' as const), pick }) },
      { weight: 3, arbitrary: fc.record({ move: fc.constant('die' as const), pick, happened: fc.boolean() }) },
      { weight: 3, arbitrary: fc.record({ move: fc.constantFrom('redrive' as const, 'discard' as const, 'repeat' as const), pick }) },
      { weight: 1, arbitrary: fc.record({ move: fc.constantFrom('cancel' as const, 'deadline' as const) }) },
    ),
    { maxLength: 30, size: 'max' },
  );
};

/** Anything that can happen to one order of any plan. */
export const schedulesOf = (fc: FastCheck): Arbitrary<Schedule> =>
  fc.record({
    plan: plansOf(fc),
    moves: movesOf(fc),
    ending: fc.record({ letters: fc.constantFrom('redrive', 'discard'), answers: fc.constantFrom('succeed', 'refuse') }),
  });
