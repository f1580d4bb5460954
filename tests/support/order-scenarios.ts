import fc from 'fast-check';
import type { StoreFault } from '../../src/testing/simulation/store-fault.ts';
import type { CallFate, Fates } from './shop.ts';

export type OrderAction =
  | { readonly at: number; readonly do: 'place'; readonly fates: Fates; readonly twice: boolean }
  | { readonly at: number; readonly do: 'cancel'; readonly order: number }
  | { readonly at: number; readonly do: 'redrive' | 'discard'; readonly by: 'api' | number }
  | { readonly at: number; readonly do: 'look'; readonly order: number }
  | { readonly at: number; readonly do: 'crash'; readonly worker: number; readonly arrive: boolean }
  | { readonly at: number; readonly do: 'stall'; readonly worker: number; readonly forMs: number }
  | { readonly at: number; readonly do: 'stop'; readonly worker: number; readonly graceMs: number }
  | { readonly at: number; readonly do: 'storeClock' }
  | { readonly at: number; readonly do: 'wallClock'; readonly worker: number; readonly byMs: number }
  | { readonly at: number; readonly do: 'away'; readonly forMs: number; readonly when: 'before' | 'after' };

export interface OrderScenario {
  readonly seed: number;
  readonly saga: keyof typeof SAGAS;
  readonly deadlineMs: number | null;
  readonly query: boolean;
  readonly workers: number;
  readonly latencyMs: number;
  readonly hints: 'others' | 'none';
  readonly faults: readonly (readonly StoreFault[])[];
  readonly actions: readonly OrderAction[];
}

/** Steps with what they run after and how they are taken back. */
export const SAGAS = {
  parallel: [
    { name: 'payment', after: [], undo: 'undo' },
    { name: 'inventory', after: [], undo: 'undo' },
    { name: 'notification', after: ['payment', 'inventory'], undo: 'irreversible' },
  ],
  chain: [
    { name: 'fraud', after: [], undo: 'nothing' },
    { name: 'payment', after: ['fraud'], undo: 'undo' },
    { name: 'inventory', after: ['payment'], undo: 'undo' },
    { name: 'shipping', after: ['inventory'], undo: 'irreversible' },
    { name: 'receipt', after: ['shipping'], undo: 'nothing' },
  ],
  reversible: [
    { name: 'payment', after: [], undo: 'undo' },
    { name: 'inventory', after: ['payment'], undo: 'undo' },
  ],
} as const satisfies Record<string, readonly { name: string; after: readonly string[]; undo: 'undo' | 'nothing' | 'irreversible' }[]>;

const fate = fc.constantFrom<CallFate>('ok', 'slow', 'down', 'lost', 'hang', 'late', 'decline', 'wrong', 'kill', 'killBefore', 'secret');
const undoFate = fc.constantFrom<CallFate>('ok', 'slow', 'down', 'down', 'lost', 'hang', 'kill', 'killBefore');
const several = (one: fc.Arbitrary<CallFate>, most: number) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.array(one, { maxLength: most }) },
    { weight: 1, arbitrary: fc.constant<CallFate[]>(Array<CallFate>(12).fill('down')) },
  );

/** Steps that promised not to refuse are never declined. */
const unrefused = several(
  fate.filter((one) => one !== 'decline'),
  3,
);
const fates: fc.Arbitrary<Fates> = fc
  .record(
    {
      payment: several(fate, 4),
      inventory: several(fate, 4),
      fraud: several(fate, 3),
      shipping: several(fate, 3),
      receipt: unrefused,
      notification: unrefused,
      'payment:undo': several(undoFate, 4),
      'inventory:undo': several(undoFate, 4),
      'payment:query': several(fc.constantFrom<CallFate>('ok', 'down', 'slow'), 2),
    },
    { requiredKeys: [] },
  )
  .map((given) => given as Fates);

const at = fc.integer({ min: 0, max: 5000 });
const worker = fc.nat(2);
const order = fc.nat(5);
const when = fc.constantFrom('before' as const, 'after' as const);

const place = fc.record({ at: fc.integer({ min: 0, max: 2000 }), do: fc.constant('place' as const), fates, twice: fc.boolean() });
const wish: fc.Arbitrary<OrderAction> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ at, do: fc.constant('cancel' as const), order }) },
  fc.record({
    at,
    do: fc.constantFrom('redrive' as const, 'redrive' as const, 'discard' as const),
    by: fc.oneof(fc.constant('api' as const), worker),
  }),
  fc.record({ at, do: fc.constant('look' as const), order }),
);
const trouble: fc.Arbitrary<OrderAction> = fc.oneof(
  fc.record({ at, do: fc.constant('crash' as const), worker, arrive: fc.boolean() }),
  fc.record({ at, do: fc.constant('stall' as const), worker, forMs: fc.integer({ min: 100, max: 4000 }) }),
  fc.record({ at, do: fc.constant('stop' as const), worker, graceMs: fc.constantFrom(0, 20, 1000) }),
  fc.record({ at, do: fc.constant('away' as const), forMs: fc.integer({ min: 10, max: 3000 }), when }),
  fc.record({ at, do: fc.constant('storeClock' as const) }),
  fc.record({ at, do: fc.constant('wallClock' as const), worker, byMs: fc.constantFrom(-3_600_000, 3_600_000) }),
);
const storeFault: fc.Arbitrary<StoreFault> = fc.record({
  of: fc.constantFrom<StoreFault['of']>('any', 'commit', 'commit', 'lookUp', 'tick', 'heads', 'read', 'due', 'held', 'stream'),
  nth: fc.integer({ min: 1, max: 40 }),
  kind: fc.constantFrom<StoreFault['kind']>('rejectBefore', 'rejectAfter', 'crashBefore', 'crashAfter', 'slow'),
});

/** A handful of orders and every trouble there is. */
export const orderScenarios: fc.Arbitrary<OrderScenario> = fc.record({
  seed: fc.nat(),
  saga: fc.constantFrom('parallel' as const, 'chain' as const, 'reversible' as const),
  deadlineMs: fc.constantFrom(null, 300, 1500),
  query: fc.boolean(),
  workers: fc.integer({ min: 1, max: 3 }),
  latencyMs: fc.constantFrom(0, 0, 4),
  hints: fc.constantFrom('others' as const, 'none' as const),
  faults: fc.array(fc.array(storeFault, { maxLength: 2 }), { maxLength: 4 }),
  actions: fc
    .tuple(fc.array(place, { minLength: 1, maxLength: 6 }), fc.array(wish, { maxLength: 5 }), fc.array(trouble, { maxLength: 4 }))
    .map(([a, b, c]) => [...a, ...b, ...c]),
});

/** Two hundred orders within ten seconds, many cancelled, three workers, an operator, and forty troubles. */
export const hundredsOfOrders: fc.Arbitrary<OrderScenario> = fc.record({
  seed: fc.nat(),
  saga: fc.constantFrom('parallel' as const, 'chain' as const, 'reversible' as const),
  deadlineMs: fc.constantFrom(null, 60_000),
  query: fc.boolean(),
  workers: fc.constant(3),
  latencyMs: fc.constant(4),
  hints: fc.constant('others' as const),
  faults: fc.array(fc.array(storeFault, { minLength: 3, maxLength: 6 }), { minLength: 4, maxLength: 4 }),
  actions: fc
    .tuple(
      fc.array(place, { minLength: 200, maxLength: 200, size: 'max' }),
      fc.array(fc.record({ at: fc.integer({ min: 0, max: 12_000 }), do: fc.constant('cancel' as const), order: fc.nat(199) }), {
        minLength: 30,
        maxLength: 60,
        size: 'max',
      }),
      fc.array(wish, { minLength: 20, maxLength: 20, size: 'max' }),
      // A jump of the store's clock passes every deadline at once: there would be nothing left to look at.
      fc.array(
        trouble.filter((one) => one.do !== 'storeClock'),
        { minLength: 40, maxLength: 40, size: 'max' },
      ),
    )
    .map(([places, cancels, wishes, troubles]) => [
      ...places.map((one) => ({ ...one, at: one.at * 5 })),
      ...cancels,
      ...[...wishes, ...troubles].map((one) => ({ ...one, at: one.at * 2.4 })),
    ]),
});
