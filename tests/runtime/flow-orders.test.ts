import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { OrderSaga } from '../../src/order/saga.ts';
import { createOrdersOn } from '../../src/runtime/orders.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

const audit = { by: 'anna', reason: 'fraud desk is looking' };
const tea = { customerId: 'c1', currency: 'EUR', items: [{ sku: 'tea', quantity: 1, unitPriceMinor: 500 }] };

const shop = ({ deadlineMs = 3_600_000 } = {}) => {
  const system = virtualSystem();
  const log: string[] = [];
  const state = { failing: false };
  const saga = OrderSaga.define({ deadlineMs })
    .step('payment', {
      do: ({ orderId }) => {
        log.push(`payment ${orderId}`);
        if (state.failing) throw new Error('no');
        return { chargeId: orderId };
      },
      undo: ({ orderId }) => void log.push(`refund ${orderId}`),
      retry: RetryPolicy.fixed({ delayMs: 1000 }),
    })
    .step('post', { after: ['payment'], do: ({ orderId }) => void log.push(`post ${orderId}`), undo: 'irreversible' });
  const store = createMemoryStore(system, 2);
  const orders = createOrdersOn(system, { store, saga });
  const place = async (): Promise<string> => {
    const placed = await system.run(orders.place(tea));
    if (!isRight(placed)) throw new Error('not placed');
    return placed.right.orderId;
  };
  return { system, store, saga, orders, log, state, place };
};

describe('orders that are told to wait', () => {
  it('a paused order waits before its next step and others do not; its timeline says who, why and what is held', async () => {
    const { system, orders, log, place } = shop();
    const [waits, goes] = [await place(), await place()];
    await system.run(orders.pause({ orderId: waits }, audit));
    const pausedAt = new Date(system.now()).toISOString();
    await system.run(orders.worker().start());
    await system.advance(10_000);
    expect(log).toEqual([`payment ${goes}`, `post ${goes}`]);
    expect(await system.run(orders.paused())).toEqual([{ orderId: waits, ...audit, at: pausedAt }]);
    const before = await system.run(orders.timeline(waits));
    expect(before.filter(({ kind }) => kind !== 'event')).toMatchObject([
      { kind: 'action', action: 'paused', at: pausedAt, ...audit },
      { kind: 'parked', state: 'held', subscription: 'payment' },
    ]);
    await system.run(orders.resume({ orderId: waits }, { by: 'ben', reason: 'all is well' }));
    await system.advance(100);
    expect((await system.run(orders.get(waits)))?.status).toBe('confirmed');
    const after = await system.run(orders.timeline(waits));
    expect(after.filter(({ kind }) => kind !== 'event')).toMatchObject([
      { action: 'paused', ...audit },
      { action: 'resumed', by: 'ben', reason: 'all is well' },
    ]);
    await system.run(orders.close());
  });

  it('a delivery in retry is shown as held while its step is paused, and as scheduled again afterwards', async () => {
    const { system, orders, state, place } = shop();
    state.failing = true;
    await system.run(orders.worker().start());
    const orderId = await place();
    await system.advance(500);
    const parked = async () => (await system.run(orders.timeline(orderId))).filter(({ kind }) => kind === 'parked');
    expect(await parked()).toMatchObject([{ state: 'scheduled' }]);
    await system.run(orders.pause({ subscription: 'payment' }, audit));
    expect(await parked()).toMatchObject([{ state: 'held' }]);
    await system.run(orders.resume({ subscription: 'payment' }, audit));
    expect(await parked()).toMatchObject([{ state: 'scheduled' }]);
    await system.run(orders.close());
  });

  it('a paused order takes a cancel, and what that leads to waits as well', async () => {
    const { system, orders, log, state, place } = shop();
    state.failing = true;
    await system.run(orders.worker().start());
    const orderId = await place();
    await system.run(orders.pause({ orderId }, audit));
    state.failing = false;
    expect(isRight(await system.run(orders.cancel(orderId, { reason: 'changed my mind' })))).toBe(true);
    await system.advance(5000);
    expect((await system.run(orders.get(orderId)))?.status).toBe('cancelling');
    await system.run(orders.resume({ orderId }, audit));
    await system.advance(1000);
    expect((await system.run(orders.get(orderId)))?.status).toBe('cancelled');
    expect(log).toEqual([`payment ${orderId}`, `payment ${orderId}`, `refund ${orderId}`]);
    await system.run(orders.close());
  });

  it('the deadline of a paused order goes on', async () => {
    const { system, orders, log, place } = shop({ deadlineMs: 60_000 });
    const orderId = await place();
    await system.run(orders.pause({ orderId }, audit));
    await system.run(orders.worker().start());
    await system.advance(61_000);
    expect((await system.run(orders.get(orderId)))?.status).toBe('cancelling');
    await system.run(orders.resume({ orderId }, audit));
    await system.advance(1000);
    expect((await system.run(orders.get(orderId)))?.status).toBe('cancelled');
    expect(log).toEqual([]);
    await system.run(orders.close());
  });

  it('an API without a worker can pause, and an order that does not exist is refused', async () => {
    const { system, store, saga, orders, log, place } = shop();
    await system.run(orders.worker({ leaseMs: 3000 }).start());
    const api = createOrdersOn(system, { store, saga });
    await system.run(api.pause({ subscription: 'payment' }, audit));
    await system.advance(1001);
    const orderId = await place();
    await system.advance(5000);
    expect(log).toEqual([]);
    await expect(api.pause({ orderId: 'nobody' }, audit)).rejects.toMatchObject({ code: 'CONFIG' });
    await expect(api.pause({ stream: orderId } as never, audit)).rejects.toMatchObject({ code: 'CONFIG' });
    await system.run(api.resume({ subscription: 'payment' }, audit));
    await system.advance(1001);
    expect((await system.run(api.get(orderId)))?.status).toBe('confirmed');
    await system.run(orders.close());
  });
});
