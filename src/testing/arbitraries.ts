import type { Arbitrary } from 'fast-check';
import type { RetryPolicy } from '../core/retry-policy.ts';
import type { OrderCommand } from '../order/commands.ts';
import type { Plan } from '../order/plan.ts';
import type { OrderRequest } from '../order/standard-order.ts';
import { commandsOf } from './any-commands.ts';
import { type History, play } from './histories.ts';
import { requestsOf } from './order-requests.ts';
import { policiesOf } from './policies.ts';
import { plansOf, type Schedule, schedulesOf } from './schedules.ts';
import type { SimulationPlan } from './simulation/plan.ts';
import { planArbitrary } from './simulation/plan-arbitrary.ts';

/** The fast-check module, as its default export or its namespace. */
export type FastCheck = Omit<typeof import('fast-check'), 'default' | 'fc'>;

/** Random orders, commands and histories for one's own properties. What they make is data, and shrinks to something one can read. */
export interface Arbitraries {
  /** What `place` takes by default, valid, up to its limits, with texts in every script. */
  orders(): Arbitrary<OrderRequest>;
  /** Plans of 1 to 5 steps, with and without a point of no return and a deadline. */
  plans(): Arbitrary<Plan>;
  /** Any command to an order of this plan, fitting or not. @param orderId @default 'o-1' */
  commands(plan: Plan, orderId?: string): Arbitrary<OrderCommand>;
  /** What may happen to one order, for `play`. */
  schedules(): Arbitrary<Schedule>;
  /** Orders from their placing to their quiet end, as the library decides them; they shrink to the schedule that made them. */
  histories(): Arbitrary<History>;
  /** Policies of every constructor and combinator, of at most 50 attempts. */
  retryPolicies(): Arbitrary<RetryPolicy>;
  /**
   * What befalls a simulated application, for the option `replay` of `simulate`.
   * @param names what there is to go wrong: methods of the services (`payments.charge`) and handlers (`payment`, `payment:undo`)
   */
  faultPlans(names: { readonly calls: readonly string[]; readonly handlers: readonly string[] }): Arbitrary<SimulationPlan>;
}

/**
 * @param fc the caller's own fast-check, version 3 or 4: the library brings none.
 * @example
 * import fc from 'fast-check';
 * const { orders } = arbitraries(fc);
 * fc.assert(fc.property(orders(), (order) => order.items.length > 0));
 */
export const arbitraries = (fc: FastCheck): Arbitraries => ({
  orders: () => requestsOf(fc),
  plans: () => plansOf(fc),
  commands: (plan, orderId = 'o-1') => commandsOf(fc, plan, orderId),
  schedules: () => schedulesOf(fc),
  histories: () => schedulesOf(fc).map(play),
  retryPolicies: () => policiesOf(fc),
  faultPlans: (names) => planArbitrary(fc, names),
});
