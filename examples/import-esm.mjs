// The built package, as an ES module.
import { createOrders, isLeft, memoryStore, OrderSaga } from 'orderfold';

const saga = OrderSaga.define().step('payment', {
  do: ({ order }) => ({ chargeId: `charge of ${order.totalMinor}` }),
  undo: ({ result }) => console.log(`refund of the ${result.chargeId}`),
});
const orders = createOrders({ store: memoryStore(), saga });
const worker = orders.worker();
await worker.start();

const placed = await orders.place({ customerId: 'c1', currency: 'EUR', items: [{ sku: 'book', quantity: 2, unitPriceMinor: 1250 }] });
if (isLeft(placed)) throw new Error(placed.left.message);
const order = await orders.settled(placed.right.orderId);
console.log(`${order.status} at ${order.details.totalMinor}`);
await orders.close();
