import { type Checker, count, fn, optional, resolveOptions, text } from '../../core/options.ts';
import type { AnyOrderSaga, InputOf } from '../../order/saga.ts';
import type { Orders } from '../../runtime/orders.ts';
import { system } from '../../system.ts';
import { audit, invariants as kit } from '../audit.ts';
import type { Invariant, Violation } from '../recorded-run.ts';
import { drawPlan, type PlanSpace } from './draw-plan.ts';
import { type Faults, resolveFaults } from './faults.ts';
import { standardRequest } from './orders.ts';
import { methodNames, type Outside } from './outside.ts';
import type { SimulationPlan } from './plan.ts';
import { type Game, type Played, play } from './play.ts';
import { reportOf } from './report.ts';
import { shrink } from './shrink.ts';

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
  /** Where the runs begin: the n-th is played from `seed` + n. @default another one each time, told in the report */
  readonly seed?: number;
  /** Orders of one run. @default [1, 6] */
  readonly orders?: Span;
  /** Processes that run a worker. @default [1, 3] */
  readonly workers?: Span;
  /** Processes that take orders and serve operators. @default [1, 2] */
  readonly apis?: Span;
  /** What may go wrong. @default all of it */
  readonly faults?: Faults;
  /** A plan as an earlier violation printed it: that one is played, and nothing else. */
  readonly replay?: string;
}

/** What was played, and came out as it should. */
export interface SimulationReport {
  readonly seed: number;
  readonly schedules: number;
  /** Faults that really struck, by kind. */
  readonly struck: Readonly<Record<string, number>>;
  /** How often each invariant had something to look at. */
  readonly checked: Readonly<Record<string, number>>;
  /** Orders by the status they ended in. */
  readonly ends: Readonly<Record<string, number>>;
}

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

const MOST_SEED = 2 ** 31 - 1;

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

const both = (span: Span): readonly [number, number] => (typeof span === 'number' ? [span, span] : span);

/** Adds up what several runs counted. */
const add = (sum: Record<string, number>, more: Readonly<Record<string, number>>): void => {
  for (const [name, howMany] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + howMany;
};

/** The event loop turns, so that rejections nobody handled are told, and whoever watches this process is not kept waiting. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/**
 * Plays an application's order flow under many schedules of failures, each on one virtual clock with every interleaving decided by a seed:
 * the real engine, saga and store logic, in several simulated processes that crash, stall, lose their leases, their replies and their store.
 * After each run the kit's invariants and the caller's own are checked. 200 schedules of up to six orders take about two seconds.
 * @throws SimulationFailed at the first run that breaks an invariant, with the smallest plan found that does.
 * @throws OrderfoldError `CONFIG` for unusable options, and when fast-check is missing
 * @example
 * await simulate({
 *   services: (outside) => ({ payments: { charge: async (key: string) => outside.once(key, { amountMinor: 990 }, () => ({ chargeId: key })) } }),
 *   saga: ({ payments }) => OrderSaga.define().step('payment', { do: ({ effectKey }) => payments.charge(effectKey), undo: 'nothing' }),
 * });
 */
export const simulate = async <Services extends object, Saga extends AnyOrderSaga>(
  given: SimulateOptions<Services, Saga>,
): Promise<SimulationReport> => {
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
    replay: optional(text({ max: 10_000_000 })),
  });
  const faults = resolveFaults(options.faults);
  const struck: Record<string, number> = {};
  const checked: Record<string, number> = {};
  const ends: Record<string, number> = {};
  const unhandled: unknown[] = [];
  const hear = (error: unknown): void => void unhandled.push(error);

  let rules = kit;
  const game: Game<Services> = {
    services(outside) {
      const services = options.services(outside);
      rules = [...kit, ...(options.invariants?.(services) ?? [])];
      return services;
    },
    saga: options.saga,
    setUp: options.setUp as Game<Services>['setUp'],
    order: options.order ?? standardRequest,
    audit(run) {
      const result = audit(run, rules);
      add(checked, result.checked);
      return result.violations;
    },
  };
  const playOnce = async (plan: SimulationPlan, traced = false): Promise<Played> => {
    const played = await play(game, plan, traced);
    await turn();
    const late = unhandled
      .splice(0)
      .map((error): Violation => ({ invariant: 'R25', text: `a rejection nobody handled: ${String(error)}` }));
    return late.length === 0 ? played : { ...played, violations: [...played.violations, ...late] };
  };

  const space = spaceOf(options, game, faults);
  process.on('unhandledRejection', hear);
  try {
    if (options.replay !== undefined) {
      const plan = JSON.parse(options.replay) as SimulationPlan;
      const played = await playOnce(plan, true);
      if (played.violations.length > 0) throw failed({ plan, drawn: plan, played, tried: 1, seed: plan.seed, nth: 1 });
      return { seed: plan.seed, schedules: 1, struck: played.struck, checked, ends: played.ends };
    }
    for (let nth = 1; nth <= options.schedules; nth += 1) {
      const seed = (options.seed + nth - 1) % MOST_SEED;
      const drawn = drawPlan(seed, space);
      const played = await playOnce(drawn);
      if (played.violations.length > 0) {
        const broken = new Set(played.violations.map(({ invariant }) => invariant));
        const breaksTheSame = async (plan: SimulationPlan): Promise<boolean> =>
          (await playOnce(plan)).violations.some(({ invariant }) => broken.has(invariant));
        const { plan, tried } = await shrink(drawn, space, breaksTheSame);
        throw failed({ plan, drawn, played: await playOnce(plan, true), tried, seed, nth });
      }
      add(struck, played.struck);
      add(ends, played.ends);
    }
  } finally {
    process.off('unhandledRejection', hear);
  }
  return { seed: options.seed, schedules: options.schedules, struck, checked, ends };
};

const failed = (found: Omit<Parameters<typeof reportOf>[0], 'replay'>): SimulationFailed => {
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

/** What there is to go wrong with, by the application's own names. */
const spaceOf = <Services extends object>(
  { orders, workers, apis }: { readonly orders: Span; readonly workers: Span; readonly apis: Span },
  game: Game<Services>,
  faults: PlanSpace['faults'],
): PlanSpace => {
  const nowhere: Outside = {
    now: () => 0,
    random: () => 0,
    sleep: async () => {},
    chance: () => false,
    once: (_, __, make) => make(),
    find: () => undefined,
  };
  const services = game.services(nowhere);
  const saga = game.saga(services);
  const handlers = saga.steps.flatMap(({ name, undo, query }) => [
    name,
    ...(undo === undefined ? [] : [`${name}:undo`]),
    ...(query === undefined ? [] : [`${name}:query`]),
  ]);
  const subscribed: string[] = [];
  const recorder = new Proxy(
    {},
    { get: (_, key) => (key === 'subscribe' ? (name: string) => void subscribed.push(name) : () => () => {}) },
  );
  game.setUp?.(recorder as never, services);
  return {
    orders: both(orders),
    workers: both(workers),
    apis: both(apis),
    calls: methodNames(services),
    handlers: [...handlers, ...subscribed],
    deadlineMs: saga.plan.deadlineMs,
    faults,
  };
};
