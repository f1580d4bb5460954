import type { EventMap } from '../core/envelope.ts';
import { fn, number, optional, resolveOptions } from '../core/options.ts';
import type { AnyOrderSaga } from '../order/saga.ts';
import { createEventBus } from '../runtime/create-event-bus.ts';
import type { EventBus } from '../runtime/event-bus.ts';
import { createOrdersOn, type Orders } from '../runtime/orders.ts';
import { moving } from './moving.ts';
import { LEASE_MS, type TestBench, type TestOptions, testBench } from './test-bench.ts';

/** Orders and their worker in this process, on virtual time. */
export interface TestApp<Saga extends AnyOrderSaga> extends TestBench {
  /** Everything orders can do. A plain `await` does: what needs time to settle, such as `settled`, moves it. */
  readonly orders: Orders<Saga>;
}

export interface TestAppOptions<Saga extends AnyOrderSaga> extends TestOptions {
  readonly saga: Saga;
  /** For subscriptions, projections and listeners of one's own, before anything runs. */
  readonly setUp?: ((orders: Orders<Saga>) => void) | undefined;
}

/** A bus and its subscriptions in this process, on virtual time. */
export interface TestBus<Events extends EventMap> extends TestBench {
  /** Everything a bus can do. A plain `await` does. */
  readonly bus: EventBus<Events>;
}

const spec = {
  seed: number({ default: 1 }),
  startMs: optional(number()),
};

/**
 * A saga with a memory store and a worker, in virtual time: retries over hours take milliseconds, and the same seed gives the same run.
 * Handlers run as they are, and may await anything that does not need real time; a handler that waits for the network or a real timer is timed out.
 * Close it at the end.
 * @throws OrderfoldError `CONFIG`
 * @example
 * const app = await testApp({ saga });
 * const placed = await app.orders.place({ customerId: 'c1', currency: 'EUR', items: [{ sku: 'a', quantity: 1, unitPriceMinor: 990 }] });
 * console.log(await app.settle(), await app.orders.list({ status: 'confirmed' }));
 * await app.close();
 */
export const testApp = async <const Saga extends AnyOrderSaga>(given: TestAppOptions<Saga>): Promise<TestApp<Saga>> => {
  const { saga, setUp, ...options } = resolveOptions('testApp', given, {
    saga: { expected: 'a saga made by OrderSaga.define', accepts: (value): value is Saga => Array.isArray((value as Saga | null)?.steps) },
    setUp: optional(fn<(orders: Orders<Saga>) => void>()),
    ...spec,
  });
  const { system, store, bench } = testBench(options);
  const orders = createOrdersOn(system, { store, saga }) as Orders<Saga>;
  setUp?.(orders);
  await system.run(orders.worker({ leaseMs: LEASE_MS }).start());
  return { ...bench(orders.close), orders: moving(orders, system) };
};

/**
 * The same for an event bus: `setUp` subscribes.
 * @throws OrderfoldError `CONFIG`
 * @example
 * const { bus, settle, close } = await testBus<{ UserSignedUp: { userId: string } }>({
 *   setUp: (bus) => bus.subscribe('mail', { on: { UserSignedUp: async ({ data }) => console.log(data.userId) } }),
 * });
 * await bus.publish({ stream: 'u1', type: 'UserSignedUp', data: { userId: 'u1' } });
 * await settle();
 * await close();
 */
export const testBus = async <Events extends EventMap = Record<string, unknown>>(
  given: TestOptions & { readonly setUp: (bus: EventBus<Events>) => void },
): Promise<TestBus<Events>> => {
  const { setUp, ...options } = resolveOptions('testBus', given, { setUp: fn<(bus: EventBus<Events>) => void>(), ...spec });
  const { system, store, bench } = testBench(options);
  const bus: EventBus<Events> = createEventBus<Events>(system, { store });
  setUp(bus);
  await system.run(bus.start({ leaseMs: LEASE_MS }));
  return { ...bench(bus.close), bus: moving(bus, system) };
};
