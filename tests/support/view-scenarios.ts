import fc from 'fast-check';
import type { StoreFault } from '../../src/testing/simulation/store-fault.ts';

export type ViewAction =
  | { readonly at: number; readonly do: 'publish'; readonly events: number; readonly streams: number; readonly bad: readonly number[] }
  | { readonly at: number; readonly do: 'crash'; readonly worker: number; readonly arrive: boolean }
  | { readonly at: number; readonly do: 'stall'; readonly worker: number; readonly forMs: number }
  | { readonly at: number; readonly do: 'stop'; readonly worker: number; readonly graceMs: number }
  | { readonly at: number; readonly do: 'away'; readonly forMs: number; readonly when: 'before' | 'after' }
  | { readonly at: number; readonly do: 'redrive' | 'rebuild'; readonly worker: number };

/** Bursts of events for a view that counts them, and every trouble there is. */
export interface ViewScenario {
  readonly seed: number;
  readonly shards: number;
  readonly workers: number;
  readonly batch: number;
  readonly latencyMs: number;
  readonly hints: 'others' | 'none';
  /** How long a call of the handler takes. */
  readonly slowMs: number;
  /** By worker, and by its life. */
  readonly faults: readonly (readonly (readonly StoreFault[])[])[];
  readonly actions: readonly ViewAction[];
}

const at = fc.integer({ min: 0, max: 3000 });
const worker = fc.nat(2);

const publish = fc.record({
  at,
  do: fc.constant('publish' as const),
  events: fc.integer({ min: 1, max: 40 }),
  streams: fc.integer({ min: 1, max: 6 }),
  bad: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(fc.nat(39), { maxLength: 3 }) }),
});
const trouble: fc.Arbitrary<ViewAction> = fc.oneof(
  fc.record({ at, do: fc.constant('crash' as const), worker, arrive: fc.boolean() }),
  fc.record({ at, do: fc.constant('stall' as const), worker, forMs: fc.integer({ min: 100, max: 3000 }) }),
  fc.record({ at, do: fc.constant('stop' as const), worker, graceMs: fc.constantFrom(0, 20, 1000) }),
  fc.record({ at, do: fc.constant('away' as const), forMs: fc.integer({ min: 10, max: 2000 }), when: fc.constantFrom('before', 'after') }),
  fc.record({ at, do: fc.constantFrom('redrive' as const, 'rebuild' as const), worker }),
);
const fault: fc.Arbitrary<StoreFault> = fc.record({
  of: fc.constantFrom<StoreFault['of']>('any', 'commit', 'commit', 'commit', 'documents', 'lookUp', 'tick', 'read', 'due', 'held'),
  nth: fc.integer({ min: 1, max: 12 }),
  kind: fc.constantFrom<StoreFault['kind']>('rejectBefore', 'rejectAfter', 'crashBefore', 'crashAfter', 'slow', 'lag'),
});

export const viewScenarios: fc.Arbitrary<ViewScenario> = fc.record({
  seed: fc.nat(),
  shards: fc.integer({ min: 1, max: 4 }),
  workers: fc.integer({ min: 1, max: 3 }),
  batch: fc.constantFrom(1, 3, 20, 500),
  latencyMs: fc.constantFrom(0, 0, 4),
  hints: fc.constantFrom('others' as const, 'none' as const),
  slowMs: fc.constantFrom(0, 0, 10, 150),
  faults: fc.array(fc.array(fc.array(fault, { minLength: 1, maxLength: 3 }), { maxLength: 4 }), { maxLength: 3 }),
  actions: fc
    .tuple(fc.array(publish, { minLength: 1, maxLength: 8 }), fc.array(trouble, { maxLength: 6 }), fc.constantFrom(1, 3, 40))
    .map(([a, b, haste]) => [...a, ...b].map((action) => ({ ...action, at: Math.floor(action.at / haste) }))),
});
