import { isLeft } from 'orderfold';
import { testApp } from 'orderfold/testing';
import { expect, it } from 'vitest';
import { orderSaga } from './saga.ts';
import type { Services } from './services.ts';

const HOUR_MS = 3_600_000;
const request = { customerId: 'c1', currency: 'EUR', items: [{ sku: 'tea', quantity: 2, unitPriceMinor: 990 }] };

/** Services that say yes, with a payment of the test's own. */
const withPayment = (charge: Services['payments']['charge']) => {
  const refunds: string[] = [];
  const services: Services = {
    payments: { charge, refund: async ({ chargeId }) => void refunds.push(chargeId) },
    stock: { reserve: async () => ({ reservationId: 'rs_1' }), release: async () => undefined },
    mail: { send: async () => undefined },
  };
  return { saga: orderSaga(services), refunds };
};

it('charges once the gateway is back, two hours later', async () => {
  let isBackAtMs = 0;
  const { saga } = withPayment(async () => {
    if (app.clock.now() < isBackAtMs) throw new Error('503');
    return { chargeId: 'ch_1' };
  });
  await using app = await testApp({ saga });
  isBackAtMs = app.clock.now() + 2 * HOUR_MS;

  const placed = await app.orders.place(request);
  if (isLeft(placed)) throw new Error(placed.left.message);
  await app.clock.advance(HOUR_MS);
  expect(await app.orders.get(placed.right.orderId)).toMatchObject({ status: 'placed' });
  expect(await app.settle()).toEqual([]); // nothing is left that waits for anything
  expect(await app.orders.get(placed.right.orderId)).toMatchObject({ status: 'confirmed' });
});

it('gives up after a day and takes back what it did', async () => {
  const { saga, refunds } = withPayment(async () => ({ chargeId: 'ch_1' }));
  await using app = await testApp({ saga });
  await app.orders.pause({ subscription: 'stock' }, { by: 'anna', reason: 'stocktaking' });
  const placed = await app.orders.place(request);
  if (isLeft(placed)) throw new Error(placed.left.message);
  await app.clock.advance(24 * HOUR_MS);
  await app.orders.resume({ subscription: 'stock' }, { by: 'anna', reason: 'counted' });
  const order = await app.orders.settled(placed.right.orderId);
  expect(order).toMatchObject({ status: 'cancelled', reason: 'the deadline passed' });
  expect(refunds).toEqual(['ch_1']);
});

it('lies dead when the gateway never comes back, and goes on after a redrive', async () => {
  let isDown = true;
  const { saga } = withPayment(async () => {
    if (isDown) throw new Error('503');
    return { chargeId: 'ch_1' };
  });
  await using app = await testApp({ saga });
  const placed = await app.orders.place(request);
  if (isLeft(placed)) throw new Error(placed.left.message);
  expect((await app.settle()).map(({ state }) => state)).toEqual(['dead', 'timer']); // the timer is the deadline

  isDown = false;
  await app.orders.deadLetters.redrive({ filter: {} }, { by: 'anna', reason: 'the gateway is back' });
  expect(await app.orders.settled(placed.right.orderId)).toMatchObject({ status: 'confirmed' });
});
