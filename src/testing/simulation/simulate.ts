import type { AnyOrderSaga } from '../../order/saga.ts';
import { audit, invariants as kit } from '../audit.ts';
import type { Violation } from '../recorded-run.ts';
import { drawPlan, type PlanSpace } from './draw-plan.ts';
import { failed } from './failure.ts';
import { MOST_SEED, planIn, resolveSimulation, type SimulateOptions, type Span } from './options.ts';
import { standardRequest } from './orders.ts';
import { methodNames, type Outside } from './outside.ts';
import type { SimulationPlan } from './plan.ts';
import { type Game, type Played, play } from './play.ts';
import { shrink } from './shrink.ts';

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
  const options = resolveSimulation(given);
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

  const space = spaceOf(options, game);
  process.on('unhandledRejection', hear);
  try {
    const plan = options.replay === undefined ? undefined : planIn(options.replay);
    if (plan !== undefined) {
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

/** What there is to go wrong with, by the application's own names. */
const spaceOf = <Services extends object>(
  { orders, workers, apis, faults }: Pick<PlanSpace, 'faults'> & { readonly orders: Span; readonly workers: Span; readonly apis: Span },
  game: Game<Services>,
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
