import { type Checker, count, fn, optional, resolveOptions } from '../../core/options.ts';
import type { AnyOrderSaga, InputOf } from '../../order/saga.ts';
import type { Orders } from '../../runtime/orders.ts';
import { system } from '../../system.ts';
import type { Invariant } from '../recorded-run.ts';
import { type Faults, resolveFaults } from './faults.ts';
import type { Outside } from './outside.ts';
import type { SimulationPlan } from './plan.ts';

/** A number, or the least and the most of it. */
export type Span = number | readonly [least: number, most: number];

export interface SimulateOptions<Services extends object, Saga extends AnyOrderSaga> {
  /**
   * The outside world of one run, made anew for each: an object of asynchronous methods, or of objects of them. Every call that a step makes
   * travels, and may meet any fate there is. Do what matters through `outside.once`, so that the invariants of money and stock can see it.
   */
  readonly services: (outside: Outside) => Services;
  /** The saga under test, made for each simulated process from the services as that process sees them. */
  readonly saga: (services: Services) => Saga;
  /** Declares subscriptions and views of one's own in each process. @default none */
  readonly setUp?: (orders: Orders<Saga>, services: Services) => void;
  /** Makes an order out of seeded numbers in [0, 1). @default a request of the standard order */
  readonly order?: (random: () => number) => InputOf<Saga>;
  /** Rules of one's own, beside the kit's; `services` are those of the run. @default none */
  readonly invariants?: (services: Services) => readonly Invariant[];
  /** How many runs are played. @default 200 */
  readonly schedules?: number;
  /** Where the runs begin: the n-th is played from `seed` + n − 1. @default another one each time, told in the report */
  readonly seed?: number;
  /** Orders of one run. @default [1, 6] */
  readonly orders?: Span;
  /** Processes that run a worker. @default [1, 3] */
  readonly workers?: Span;
  /** Processes that take orders and serve operators. @default [1, 2] */
  readonly apis?: Span;
  /** What may go wrong. @default all of it */
  readonly faults?: Faults;
  /** A plan, as an object or as an earlier violation printed it: that one is played, and nothing else. */
  readonly replay?: string | SimulationPlan;
}

export const MOST_SEED = 2 ** 31 - 1;

const spanCheck = (most: number, fallback: Span): Checker<Span> => ({
  expected: `a whole number from 1 to ${most}, or the least and the most of it`,
  accepts: (value): value is Span => {
    const [least, highest] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [value, value];
    return (
      Number.isSafeInteger(least) &&
      Number.isSafeInteger(highest) &&
      (least as number) >= 1 &&
      (least as number) <= (highest as number) &&
      (highest as number) <= most
    );
  },
  default: fallback,
});

const KINDS: ReadonlySet<unknown> = new Set<SimulationPlan['actions'][number]['do']>([
  'place',
  'cancel',
  'look',
  'pauseOrder',
  'resumeOrder',
  'cancelLater',
  'redrive',
  'discard',
  'edit',
  'crash',
  'stall',
  'cutOff',
  'stop',
  'storeClock',
  'wallClock',
  'away',
  'brokerAway',
]);

const isAction = (value: unknown): boolean => {
  const action = (value ?? {}) as { readonly do?: unknown; readonly at?: unknown; readonly fates?: unknown };
  return KINDS.has(action.do) && Number.isFinite(action.at) && (action.do !== 'place' || typeof action.fates === 'object');
};

const isPlan = (value: unknown): value is SimulationPlan => {
  const plan = (value ?? {}) as Partial<Record<keyof SimulationPlan, unknown>>;
  const numbers = [plan.seed, plan.shards, plan.apis, plan.workers, plan.concurrency, plan.leaseMs, plan.latencyMs];
  return (
    numbers.every(Number.isSafeInteger) &&
    [plan.shards, plan.apis, plan.workers, plan.concurrency, plan.leaseMs].every((most) => (most as number) >= 1) &&
    Array.isArray(plan.storeFaults) &&
    plan.storeFaults.every(Array.isArray) &&
    Array.isArray(plan.actions) &&
    plan.actions.every(isAction) &&
    (plan.broker === undefined || Array.isArray(plan.broker))
  );
};

/** A plan, or the plan in a text, if it is one. */
export const planIn = (given: unknown): SimulationPlan | undefined => {
  try {
    const plan: unknown = typeof given === 'string' ? JSON.parse(given) : given;
    return isPlan(plan) ? plan : undefined;
  } catch {
    return undefined;
  }
};

/** @throws OrderfoldError `CONFIG` */
export const resolveSimulation = <Services extends object, Saga extends AnyOrderSaga>(given: SimulateOptions<Services, Saga>) => {
  const options = resolveOptions('simulate', given, {
    services: fn<SimulateOptions<Services, Saga>['services']>(),
    saga: fn<SimulateOptions<Services, Saga>['saga']>(),
    setUp: optional(fn<NonNullable<SimulateOptions<Services, Saga>['setUp']>>()),
    order: optional(fn<NonNullable<SimulateOptions<Services, Saga>['order']>>()),
    invariants: optional(fn<NonNullable<SimulateOptions<Services, Saga>['invariants']>>()),
    schedules: count({ min: 1, max: MOST_SEED, default: 200 }),
    seed: count({ max: MOST_SEED, default: Math.floor(system.random() * MOST_SEED) }),
    orders: spanCheck(1000, [1, 6]),
    workers: spanCheck(16, [1, 3]),
    apis: spanCheck(8, [1, 2]),
    faults: { expected: 'an object of faults', accepts: (_): _ is Faults | undefined => true },
    replay: optional({
      expected: 'a plan as a violation printed it',
      accepts: (value): value is string | SimulationPlan => planIn(value) !== undefined,
    }),
  });
  return { ...options, faults: resolveFaults(options.faults) };
};
