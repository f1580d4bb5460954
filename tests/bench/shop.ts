import type { Store } from '../../src/core/store.ts';
import { atATime } from './harness.ts';
import { createOrders, isLeft, OrderSaga } from './orderfold.ts';

/** An order as a customer sends it. */
export const request = {
  customerId: 'c-1',
  currency: 'EUR',
  items: [
    { sku: 'book', quantity: 2, unitPriceMinor: 1250 },
    { sku: 'pen', quantity: 1, unitPriceMinor: 300 },
  ],
};

/** Payment and inventory side by side, then the notification; the services answer at once. */
export const saga = OrderSaga.define({ deadlineMs: 15 * 60_000 })
  .step('payment', { do: async () => ({ chargeId: 'ch_1' }), undo: async () => {} })
  .step('inventory', { do: async () => ({ reservationId: 'r_1' }), undo: async () => {} })
  .step('notification', { after: ['payment', 'inventory'], do: async () => ({ messageId: 'm_1' }), undo: 'irreversible' });

export const shop = (store: Store) => createOrders({ store, saga });

export type Shop = ReturnType<typeof shop>;

let placed = 0;

/** Places so many orders, 100 at a time, each under a key of its own. */
export const place = (orders: Shop, count: number): Promise<void> =>
  atATime(100, count, async () => {
    placed += 1;
    const order = await orders.place(request, { idempotencyKey: `${process.pid}-${placed}` });
    if (isLeft(order)) throw new Error(order.left.message);
  });

/** Resolves each time so many more orders have been confirmed by this process: with the outcome of their last step. Ask before placing them. */
export const confirmations = (orders: Shop): ((count: number) => Promise<void>) => {
  let left = Number.POSITIVE_INFINITY;
  let resolve = (): void => {};
  orders.on('handled', ({ subscription }) => {
    if (subscription !== 'notification') return;
    left -= 1;
    if (left > 0) return;
    left = Number.POSITIVE_INFINITY;
    resolve();
  });
  return (count) =>
    new Promise((done) => {
      left = count;
      resolve = done;
    });
};

/** Throws unless every order of the store is confirmed. */
export const allConfirmed = async (orders: Shop): Promise<void> => {
  const { confirmed = 0, ...others } = (await orders.counts()).streams;
  if (confirmed === 0 || Object.values(others).some((count) => count > 0)) {
    throw new Error(`expected all orders to be confirmed, got ${JSON.stringify({ confirmed, ...others })}`);
  }
};
