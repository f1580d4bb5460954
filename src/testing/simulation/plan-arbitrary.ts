import type { Arbitrary } from 'fast-check';
import type { FastCheck } from '../arbitraries.ts';
import type { BrokerFault } from './broker.ts';
import { CALL_FATES, DEADLY_FATES, MESSAGE_KINDS, type PlanSpace, PUBLISH_KINDS, RUN_FATES, STORE_CALLS } from './draw-plan.ts';
import type { Action, CallFate, Fates, RunFate, SimulationPlan } from './plan.ts';
import type { StoreFault } from './store-fault.ts';

/**
 * Plans as data that fast-check can make smaller, wherever they came from: every part shrinks without knowing how it was drawn.
 * @param fc fast-check, which is the caller's
 */
export const planArbitrary = (fc: FastCheck, space: Pick<PlanSpace, 'calls' | 'handlers'>): Arbitrary<SimulationPlan> => {
  const ms = fc.integer({ min: 0, max: 60_000 });
  const index = fc.nat(1000);
  const fate = (of: readonly (CallFate | RunFate)[]) =>
    fc.array(fc.constantFrom<CallFate | RunFate>('ok', ...of, ...DEADLY_FATES), { maxLength: 25 });
  const fates: Arbitrary<Fates> = fc.record(
    Object.fromEntries([
      ...space.calls.map((name) => [name, fate(CALL_FATES)] as const),
      ...space.handlers.map((name) => [name, fate(RUN_FATES)] as const),
    ]),
    { requiredKeys: [] },
  ) as Arbitrary<Fates>;
  const flag = fc.boolean();
  const action = fc.oneof(
    fc.record({ at: ms, do: fc.constant('place' as const), order: index, fates, times: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ at: ms, do: fc.constantFrom('cancel', 'look', 'pauseOrder', 'resumeOrder'), order: index, by: index }),
    fc.record({ at: ms, do: fc.constant('cancelLater' as const), order: index, by: index, inMs: ms }),
    fc.record({ at: ms, do: fc.constantFrom('redrive', 'discard', 'edit'), by: index, times: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ at: ms, do: fc.constant('crash' as const), who: index, arrive: flag }),
    fc.record({ at: ms, do: fc.constantFrom('stall', 'cutOff'), who: index, forMs: ms }),
    fc.record({ at: ms, do: fc.constant('stop' as const), who: index, graceMs: ms }),
    fc.record({ at: ms, do: fc.constant('storeClock' as const), byMs: fc.nat(86_400_000) }),
    fc.record({ at: ms, do: fc.constant('wallClock' as const), who: index, byMs: fc.integer({ min: -86_400_000, max: 86_400_000 }) }),
    fc.record({ at: ms, do: fc.constant('away' as const), forMs: ms, when: fc.constantFrom('before', 'after', 'full') }),
    fc.record({ at: ms, do: fc.constant('brokerAway' as const), forMs: ms }),
  ) as Arbitrary<Action>;
  const storeFault: Arbitrary<StoreFault> = fc.record({
    of: fc.constantFrom(...new Set(STORE_CALLS)),
    nth: fc.integer({ min: 1, max: 60 }),
    kind: fc.constantFrom('rejectBefore', 'rejectAfter', 'slow', 'lag', 'stuck', 'crashBefore', 'crashAfter'),
  });
  const brokerFault: Arbitrary<BrokerFault> = fc.oneof(
    fc.record({ of: fc.constant('publish' as const), nth: fc.integer({ min: 1, max: 60 }), kind: fc.constantFrom(...PUBLISH_KINDS) }),
    fc.record({ of: fc.constant('message' as const), nth: fc.integer({ min: 1, max: 600 }), kind: fc.constantFrom(...MESSAGE_KINDS) }),
  );
  const whole = {
    seed: fc.nat(),
    shards: fc.integer({ min: 1, max: 8 }),
    apis: fc.integer({ min: 1, max: 4 }),
    workers: fc.integer({ min: 1, max: 8 }),
    concurrency: fc.constantFrom(1, 8, 64),
    leaseMs: fc.constantFrom(1000, 10_000),
    latencyMs: fc.constantFrom(0, 2, 5),
    hints: fc.constantFrom('others' as const, 'none' as const),
    storeFaults: fc.array(fc.array(storeFault, { maxLength: 6 }), { maxLength: 12 }),
    actions: fc.array(action, { maxLength: 600 }),
    broker: fc.array(brokerFault, { maxLength: 12 }),
  };
  const { broker: _, ...required } = whole;
  return fc.record(whole, { requiredKeys: Object.keys(required) as (keyof typeof required)[] });
};
