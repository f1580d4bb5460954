import { isRight } from 'fp-ts/lib/Either.js';
import { expect, it } from 'vitest';
import { refused } from '../../src/order/refused.ts';
import { OrderSaga } from '../../src/order/saga.ts';
import { createOrdersOn } from '../../src/runtime/orders.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

const request = { customerId: 'c', currency: 'EUR', items: [{ sku: 'a', quantity: 1, unitPriceMinor: 5 }] };

it('S24 an undo that only newer code has waits for it without an attempt, and is not passed over by the old', async () => {
  const system = virtualSystem();
  const store = createMemoryStore(system, 1);
  const released: string[] = [];
  const start = OrderSaga.define();
  const before = start
    .step('inventory', { do: () => 'reserved', undo: 'nothing' })
    .step('payment', { after: ['inventory'], do: () => refused('no'), undo: 'nothing' });
  const after = start
    .step('inventory', { do: () => 'reserved', undo: ({ orderId }) => void released.push(orderId) })
    .step('payment', { after: ['inventory'], do: () => refused('no'), undo: 'nothing' });

  const old = createOrdersOn(system, { store, saga: before });
  const fresh = createOrdersOn(system, { store, saga: after });
  await system.run(old.worker().start());
  const placed = await system.run(fresh.place(request));
  const orderId = isRight(placed) ? placed.right.orderId : '';
  await system.advance(60_000);
  expect(await system.run(fresh.get(orderId))).toMatchObject({ status: 'cancelling' });
  expect(await store.parkedOf(orderId, 'open')).toMatchObject([{ type: 'InventoryUndoRequested', state: 'scheduled', attempts: 0 }]);

  await system.run(old.close());
  await system.run(fresh.worker().start());
  await system.advance(10_000);
  expect(await system.run(fresh.get(orderId))).toMatchObject({ status: 'cancelled' });
  expect(released).toEqual([orderId]);
  await system.run(fresh.close());
});
