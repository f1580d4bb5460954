// What a user's first program looks like. It is compiled as an ES module and as CommonJS and run from the packed tarball.
import { createOrders, isLeft, OrderSaga, RetryPolicy, refused, type Store } from 'orderfold';

export const saga = OrderSaga.define({ deadlineMs: 60_000 })
  .step('payment', {
    do: async ({ order, effectKey }) => {
      if (order.totalMinor > 1_000_000) return refused('over the limit');
      return { chargeId: `charge of ${order.totalMinor} under ${effectKey}` };
    },
    undo: async ({ result }) => {
      console.log(result.chargeId.toUpperCase());
    },
    retry: RetryPolicy.exponential({ baseMs: 200, capMs: 60_000, jitter: 'full' }).maxAttempts(6),
  })
  .step('notification', {
    after: ['payment'],
    do: async ({ results }) => {
      console.log(results.payment.chargeId.length > 0 ? 'notified' : 'nothing to say');
    },
    undo: 'irreversible',
  });

export const open = (store: Store) => createOrders({ store, saga });
export const start = (store: Store) => open(store).worker();

export const runOrder = async (store: Store): Promise<void> => {
  const orders = createOrders({ store, saga });
  const placed = await orders.place({ customerId: 'c', currency: 'EUR', items: [{ sku: 'a', quantity: 1, unitPriceMinor: 100 }] });
  if (isLeft(placed)) throw new Error(placed.left.message);
  const worker = orders.worker();
  await worker.start();
  const order = await orders.settled(placed.right.orderId);
  await worker.stop();
  await orders.close();
  console.log(order.status);
};
