import type { Either } from 'fp-ts/lib/Either.js';
import { isLeft, isRight, match } from 'fp-ts/lib/Either.js';
import type { EventMap } from './core/envelope.ts';
import { count, resolveOptions } from './core/options.ts';
import { createRetry } from './core/retry.ts';
import type { Store } from './core/store.ts';
import type { Transport } from './core/transport.ts';
import type { AnyOrderSaga } from './order/saga.ts';
import { createEventBus } from './runtime/create-event-bus.ts';
import type { EventBus as Bus, EventBusOptions } from './runtime/event-bus.ts';
import { createOrdersOn, type Orders, type OrdersOptions } from './runtime/orders.ts';
import { createMemoryStore } from './stores/memory/memory-store.ts';
import { system } from './system.ts';

/** A log of events with subscriptions, retries and dead letters. */
export type EventBus<Events extends EventMap = Record<string, unknown>, State = unknown> = Bus<Events, State>;

/**
 * Makes buses.
 * @example
 * const bus = EventBus.create<{ UserSignedUp: { userId: string } }>({ store: memoryStore() });
 * bus.subscribe('mail', { on: { UserSignedUp: async ({ data }) => console.log(`welcome, ${data.userId}`) } });
 * await bus.start();
 * await bus.publish({ stream: 'u1', type: 'UserSignedUp', data: { userId: 'u1' } });
 * await bus.close();
 */
export const EventBus = /* @__PURE__ */ Object.freeze({
  /** @throws OrderfoldError `CONFIG` */
  create: <Events extends EventMap = Record<string, unknown>, State = unknown>(options: EventBusOptions<State>): EventBus<Events, State> =>
    createEventBus<Events, State>(system, options),
});

/**
 * Orders over a store, processed by a saga.
 * @throws OrderfoldError `CONFIG`
 * @example
 * const orders = createOrders({ store: memoryStore(), saga });
 * const placed = await orders.place({ customerId: 'c1', currency: 'EUR', items: [{ sku: 'a', quantity: 1, unitPriceMinor: 990 }] });
 */
export const createOrders = <const Saga extends AnyOrderSaga>(options: OrdersOptions<Saga>): Orders<Saga> =>
  createOrdersOn(system, options);

/**
 * The reference store: in this process's memory and gone with it, otherwise just like the durable ones.
 * @param options.shards 1 to 1024, fixed for the store's life. @default 16
 */
export const memoryStore = (options?: { readonly shards?: number }): Store => {
  const { shards } = resolveOptions('memoryStore', options, { shards: count({ min: 1, max: 1024, default: 16 }) });
  return createMemoryStore(system, shards);
};

/** Calls `fn` until it succeeds or the policy gives up; then its last error is thrown as it is. */
export const retry = createRetry(system);

export type { Envelope } from './core/envelope.ts';
export { isOrderfoldError, OrderfoldError } from './core/errors.ts';
export { permanent } from './core/permanent.ts';
export { RetryPolicy } from './core/retry-policy.ts';
export type { Order } from './order/order.ts';
export { refused } from './order/refused.ts';
export type { Rejection } from './order/rejection.ts';
export type { OrderOf } from './order/saga.ts';
export { OrderSaga } from './order/saga.ts';
export { DeadLetterStore } from './runtime/dead-letters/dead-letter-store.ts';
export type { DeadLetter } from './runtime/dead-letters/letter.ts';
export type { Orders } from './runtime/orders.ts';
export type { Delivery } from './runtime/subscription.ts';
export type { View } from './runtime/view.ts';
export type { Store, Transport };
export { type Either, isLeft, isRight, match };
