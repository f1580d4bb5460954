import fc from 'fast-check';
import type { BrokerFault } from '../../src/testing/simulation/broker.ts';
import { MESSAGE_KINDS, PUBLISH_KINDS } from '../../src/testing/simulation/draw-plan.ts';
import type { StoreFault } from '../../src/testing/simulation/store-fault.ts';

/** What a handler does at one of its starts. `block` keeps its whole process from doing anything; `never` fails until the world is healed. */
export type Behaviour = 'ok' | 'slow' | 'throw' | 'permanent' | 'hang' | 'kill' | 'append' | 'block' | 'never';

/** The subscriptions of the world: see `SUBSCRIPTIONS` in bus-judge.ts. */
export type SubscriptionName = 'holding' | 'going' | 'viewing';

/** `target` is `subscription/<name>` or `stream/<name>`. The worker number 3 is the API, which runs nothing. */
export interface PauseAction {
  readonly at: number;
  readonly do: 'pause' | 'resume';
  readonly worker: number;
  readonly target: string;
}

export type Action =
  | PauseAction
  | {
      readonly at: number;
      readonly do: 'publish';
      readonly stream: number;
      readonly script: readonly Behaviour[];
      readonly of: SubscriptionName;
    }
  | { readonly at: number; readonly do: 'crash'; readonly worker: number; readonly arrive: boolean }
  | { readonly at: number; readonly do: 'stall'; readonly worker: number; readonly forMs: number }
  | { readonly at: number; readonly do: 'stop'; readonly worker: number; readonly graceMs: number }
  | { readonly at: number; readonly do: 'away'; readonly forMs: number; readonly when: 'before' | 'after' }
  | { readonly at: number; readonly do: 'brokerAway'; readonly forMs: number }
  | { readonly at: number; readonly do: 'redrive' | 'discard'; readonly worker: number }
  | { readonly at: number; readonly do: 'storeClock' }
  | { readonly at: number; readonly do: 'wallClock'; readonly worker: number; readonly byMs: number };

export interface Scenario {
  readonly seed: number;
  readonly shards: number;
  readonly workers: number;
  readonly concurrency: number;
  /** See `PACES` in bus-judge.ts. @default 'free' */
  readonly pace?: 'free' | 'bounded' | 'breaker';
  readonly latencyMs: number;
  readonly hints: 'others' | 'none';
  /** Of the workers' first lives, by worker. */
  readonly faults: readonly (readonly StoreFault[])[];
  readonly actions: readonly Action[];
  /** A broker carries the events. */
  readonly broker?: readonly BrokerFault[] | undefined;
}

const behaviour = fc.constantFrom<Behaviour>('ok', 'slow', 'throw', 'throw', 'permanent', 'hang', 'kill', 'append', 'block');
const script = fc.oneof(
  { weight: 3, arbitrary: fc.array(behaviour, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constant<Behaviour[]>(['never']) },
);
const at = fc.integer({ min: 0, max: 4000 });
const worker = fc.nat(2);
const when = fc.constantFrom('before' as const, 'after' as const);

const publish = fc.record({
  at,
  do: fc.constant('publish' as const),
  stream: fc.nat(4),
  script,
  of: fc.constantFrom<SubscriptionName>('holding', 'going', 'viewing'),
});
const trouble: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ at, do: fc.constant('crash' as const), worker, arrive: fc.boolean() }),
  fc.record({ at, do: fc.constant('stall' as const), worker, forMs: fc.integer({ min: 100, max: 4000 }) }),
  fc.record({ at, do: fc.constant('stop' as const), worker, graceMs: fc.constantFrom(0, 20, 1000) }),
  fc.record({ at, do: fc.constant('away' as const), forMs: fc.integer({ min: 10, max: 3000 }), when }),
  fc.record({ at, do: fc.constant('brokerAway' as const), forMs: fc.integer({ min: 10, max: 3000 }) }),
  fc.record({ at, do: fc.constantFrom('redrive' as const, 'redrive' as const, 'discard' as const), worker }),
  fc.record({ at, do: fc.constant('storeClock' as const) }),
  fc.record({
    at,
    do: fc.constantFrom('pause' as const, 'pause' as const, 'resume' as const),
    worker: fc.nat(3),
    target: fc.constantFrom('subscription/holding', 'subscription/going', 'subscription/viewing', 'stream/s0', 'stream/s1', 'stream/s2'),
  }),
  fc.record({ at, do: fc.constant('wallClock' as const), worker, byMs: fc.constantFrom(-3_600_000, 3_600_000) }),
);
const storeFault: fc.Arbitrary<StoreFault> = fc.record({
  of: fc.constantFrom<StoreFault['of']>('any', 'commit', 'commit', 'lookUp', 'tick', 'heads', 'read', 'due', 'held', 'documents'),
  nth: fc.integer({ min: 1, max: 40 }),
  kind: fc.constantFrom<StoreFault['kind']>('rejectBefore', 'rejectAfter', 'crashBefore', 'crashAfter', 'slow'),
});

const brokerFault: fc.Arbitrary<BrokerFault> = fc.oneof(
  fc.record({ of: fc.constant('publish' as const), nth: fc.integer({ min: 1, max: 12 }), kind: fc.constantFrom(...PUBLISH_KINDS) }),
  fc.record({ of: fc.constant('message' as const), nth: fc.integer({ min: 1, max: 40 }), kind: fc.constantFrom(...MESSAGE_KINDS) }),
);

/** Some dozens of events in a few streams, and every trouble there is. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(),
  shards: fc.integer({ min: 1, max: 3 }),
  workers: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.constantFrom(1, 2, 8),
  pace: fc.constantFrom('free' as const, 'bounded' as const, 'breaker' as const),
  latencyMs: fc.constantFrom(0, 0, 4),
  hints: fc.constantFrom('others' as const, 'none' as const),
  faults: fc.array(fc.array(storeFault, { maxLength: 3 }), { maxLength: 3 }),
  broker: fc.option(fc.array(brokerFault, { maxLength: 5 }), { nil: undefined }),
  // In a rush or with time between: what meets what differs.
  actions: fc
    .tuple(fc.array(publish, { minLength: 1, maxLength: 25 }), fc.array(trouble, { maxLength: 6 }), fc.constantFrom(1, 3, 40))
    .map(([a, b, haste]) => [...a, ...b].map((action) => ({ ...action, at: Math.floor(action.at / haste) }))),
});
