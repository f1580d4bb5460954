import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { OrderSaga } from '../../src/order/saga.ts';
import { createOrdersOn } from '../../src/runtime/orders.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

const request = { customerId: 'c', currency: 'EUR', items: [{ sku: 'a', quantity: 1, unitPriceMinor: 5 }] };

describe('an order that newer code has written to', () => {
  it('R23 waits an hour for code that knows it, then lies dead; nobody else waits, and no lease changes hands', async () => {
    const system = virtualSystem();
    const store = createMemoryStore(system, 1);
    const ran: string[] = [];
    const saga = OrderSaga.define().step('payment', { do: ({ orderId }) => void ran.push(orderId), undo: 'nothing' });
    const orders = createOrdersOn(system, { store, saga });
    const lost: string[] = [];
    orders.on('leaseLost', ({ subscription }) => lost.push(subscription));
    orders.on('trouble', ({ where }) => lost.push(where));
    const place = async (): Promise<string> => {
      const placed = await system.run(orders.place(request));
      return isRight(placed) ? placed.right.orderId : '';
    };
    const foreign = await place();
    const event = { type: 'GiftWrapped', schema: 1, data: '{}', time: system.now() };
    await store.commit({ owner: 'new', id: '1', progress: [], units: [{ appends: [{ stream: foreign, expected: 2, events: [event] }] }] });
    const another = createOrdersOn(system, { store, saga });
    another.on('leaseLost', ({ subscription }) => lost.push(subscription));
    another.on('trouble', ({ where }) => lost.push(where));
    await system.run(another.worker({ leaseMs: 1000 }).start());
    await system.advance(60_000);
    const own = await place();
    await system.advance(1_800_000);
    expect(ran).toEqual([own]);
    expect(await store.parkedOf(foreign, 'open')).toMatchObject([{ state: 'scheduled', attempts: 0 }]);
    await system.advance(2_000_000);
    expect(await store.parkedOf(foreign, 'open')).toMatchObject([{ state: 'dead', attempts: 1 }]);
    expect((await system.run(another.deadLetters.list())).deadLetters).toHaveLength(1);
    expect(lost).toEqual([]);
    await system.run(another.close());
    await system.run(orders.close());
  });

  it('R19 S17 a letter the order never heard of can be redriven all the same', async () => {
    const system = virtualSystem();
    const store = createMemoryStore(system, 1);
    let broken = true;
    const pay = (): void => {
      if (broken) throw new Error('no');
    };
    const saga = OrderSaga.define().step('payment', { do: pay, undo: 'nothing', retry: RetryPolicy.fixed({ delayMs: 5000 }) });
    const orders = createOrdersOn(system, { store, saga });
    await system.run(orders.worker({ leaseMs: 60_000 }).start());
    const placed = await system.run(orders.place(request));
    const orderId = isRight(placed) ? placed.right.orderId : '';
    await system.advance(1000);
    const [record] = await store.parkedOf(orderId, 'open');
    if (record === undefined) throw new Error('expected the payment to be scheduled');
    await store.commit({
      owner: 'x',
      id: '1',
      progress: [],
      units: [{ park: [{ record: { ...record, state: 'dead' }, expect: record.revision }] }],
    });
    broken = false;
    const changes = await system.run(orders.deadLetters.redrive({ filter: {} }, { by: 'op', reason: 'try' }));
    expect(changes.changed).toEqual([record.id]);
    await system.advance(1000);
    expect(await system.run(orders.get(orderId))).toMatchObject({ status: 'confirmed' });
    await system.run(orders.close());
  });
});
