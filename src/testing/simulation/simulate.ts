import { OrderfoldError } from '../../core/errors.ts';
import type { AnyOrderSaga } from '../../order/saga.ts';
import { createOrdersOn, type Orders } from '../../runtime/orders.ts';
import { createMemoryStore } from '../../stores/memory/memory-store.ts';
import { audit, invariants as kit } from '../audit.ts';
import type { Invariant, Violation } from '../recorded-run.ts';
import { virtualSystem } from '../virtual-system.ts';
import { drawPlan, type PlanSpace } from './draw-plan.ts';
import { failed } from './failure.ts';
import { MOST_SEED, planIn, resolveSimulation, type SimulateOptions, type Span } from './options.ts';
import { standardRequest } from './orders.ts';
import { methodNames, type Outside } from './outside.ts';
import type { SimulationPlan } from './plan.ts';
import { type Game, type Played, play } from './play.ts';
import { smallest } from './smallest.ts';

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
  /** Dead letters that died with every fault lifted, five redrives in a row: a handler that can't do its work. */
  readonly discarded: number;
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
 * After each run the kit's invariants and the caller's own are checked. 200 schedules of up to six orders take two to four seconds of CPU.
 * @throws SimulationFailed at the first run that breaks an invariant, with the smallest plan found that does.
 * @throws OrderfoldError `CONFIG` for unusable options, when the application throws, and when it accepts no order. Without fast-check a failure
 * is told as it was drawn.
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
  let discarded = 0;
  let refused: string | undefined;
  const unhandled: unknown[] = [];
  const hear = (error: unknown): void => void unhandled.push(error);

  let rules = kit;
  const game: Game<Services> = {
    services(outside) {
      const services = options.services(outside);
      rules = [...kit, ...ownRules(options.invariants?.(services) ?? [])];
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
    const played = await play(game, plan, traced).catch((cause: unknown) => {
      const what = cause instanceof Error ? cause.message : String(cause);
      throw new OrderfoldError('CONFIG', `simulate: the application threw in the run of seed ${plan.seed}: ${what}`, { cause });
    });
    await turn();
    const late = unhandled
      .splice(0)
      .map((error): Violation => ({ invariant: 'R25', text: `a rejection nobody handled: ${String(error)}` }));
    return late.length === 0 ? played : { ...played, violations: [...played.violations, ...late] };
  };
  const count = (played: Played): void => {
    add(struck, played.struck);
    add(ends, played.ends);
    discarded += played.discarded;
    refused ??= played.refused;
  };

  const space = spaceOf(options, game);
  const plan = options.replay === undefined ? undefined : planIn(options.replay);
  process.on('unhandledRejection', hear);
  try {
    if (plan !== undefined) {
      checkNames(plan, space);
      const played = await playOnce(plan, true);
      if (played.violations.length > 0) throw failed({ plan, drawn: plan, played, how: 'as it was given', seed: plan.seed, nth: 1 });
      count(played);
    }
    for (let nth = 1; plan === undefined && nth <= options.schedules; nth += 1) {
      const seed = (options.seed + nth - 1) % MOST_SEED;
      const drawn = drawPlan(seed, space);
      const played = await playOnce(drawn);
      if (played.violations.length > 0) throw failed({ ...(await smallest(drawn, played, space, playOnce)), drawn, seed, nth });
      count(played);
    }
  } finally {
    process.off('unhandledRejection', hear);
  }
  if (refused !== undefined && Object.keys(ends).length === 0)
    throw new OrderfoldError('CONFIG', `simulate: not one order was accepted: ${refused}`);
  return { seed: plan?.seed ?? options.seed, schedules: plan === undefined ? options.schedules : 1, struck, checked, ends, discarded };
};

/** Rules of the caller's own: whatever one throws is what breaks it. */
const ownRules = (given: readonly Invariant[]): readonly Invariant[] => {
  const taken = given.find(({ id }) => kit.some((rule) => rule.id === id));
  if (taken !== undefined)
    throw new OrderfoldError('CONFIG', `simulate: expected an invariant of one's own, got the library's ${taken.id}`);
  return given.map((rule) => ({
    ...rule,
    check(run) {
      try {
        const violations: unknown = rule.check(run);
        return Array.isArray(violations) ? violations : [{ text: 'its check returned no array of violations' }];
      } catch (error) {
        return [{ text: error instanceof Error ? error.message : String(error) }];
      }
    },
  }));
};

/** A plan of an application whose names were other ones would strike nothing. */
const checkNames = ({ actions }: SimulationPlan, { calls, handlers }: PlanSpace): void => {
  const known = new Set([...calls, ...handlers]);
  const unknown = actions.flatMap((action) => (action.do === 'place' ? Object.keys(action.fates) : [])).find((name) => !known.has(name));
  if (unknown !== undefined)
    throw new OrderfoldError('CONFIG', `simulate: the plan to replay speaks of ${unknown}, expected one of ${[...known].join(', ')}`);
};

/** What there is to go wrong with, by the application's own names. */
const spaceOf = <Services extends object>(
  {
    orders: howMany,
    workers,
    apis,
    faults,
  }: Pick<PlanSpace, 'faults'> & { readonly orders: Span; readonly workers: Span; readonly apis: Span },
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
  const system = virtualSystem();
  const orders = createOrdersOn(system, { store: createMemoryStore(system, 1), saga }) as Orders;
  const subscribe: Orders['subscribe'] = (name, given) => {
    orders.subscribe(name, given);
    subscribed.push(name);
  };
  game.setUp?.({ ...orders, subscribe } as never, services);
  return {
    orders: both(howMany),
    workers: both(workers),
    apis: both(apis),
    calls: methodNames(services),
    handlers: [...handlers, ...subscribed],
    deadlineMs: saga.plan.deadlineMs,
    faults,
  };
};
