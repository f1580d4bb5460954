// A read model of one's own: the orders of a customer, kept beside the log and made anew from it at any time.
import { setTimeout as sleep } from 'node:timers/promises';
import { createOrders, isLeft, memoryStore, OrderSaga, refused, type View } from 'orderfold';

interface CustomerOrder {
  readonly orderId: string;
  readonly customerId: string;
  readonly totalMinor: number;
  readonly status: 'placed' | 'confirmed' | 'cancelled';
}

const saga = OrderSaga.define().step('payment', {
  do: ({ order }) => (order.totalMinor > 100_000 ? refused('over the limit') : { paidMinor: order.totalMinor }),
  undo: 'nothing',
});
const orders = createOrders({ store: memoryStore(), saga });

/** With its length in front, so that the orders of `a` are never those of `a/b`. */
const ordersOf = (customerId: string): string => `${customerId.length}:${customerId}/`;

const byCustomer: View<CustomerOrder> = orders.project<CustomerOrder>('orders-by-customer', {
  types: ['OrderPlaced', 'OrderConfirmed', 'OrderCancelled'],
  handle: async (events, view) => {
    // Later events do not name the customer, so each order is kept under its own id as well.
    const keep = (order: CustomerOrder): void => {
      view.set(order.orderId, order);
      view.set(`${ordersOf(order.customerId)}${order.orderId}`, order);
    };
    for (const event of events) {
      const found = await view.get(event.stream);
      if (event.type === 'OrderPlaced') {
        const { customerId, totalMinor } = event.data.details;
        keep({ orderId: event.stream, customerId, totalMinor, status: 'placed' });
      } else if (found !== null) {
        keep({ ...found, status: event.type === 'OrderConfirmed' ? 'confirmed' : 'cancelled' });
      }
    }
  },
});

const caughtUp = async (): Promise<void> => {
  while (!(await byCustomer.progress()).caughtUp) await sleep(10);
};
const show = async (title: string): Promise<void> => {
  console.log(title);
  for (const customerId of ['alice', 'bob']) {
    const { rows } = await byCustomer.list({ prefix: ordersOf(customerId) });
    const lines = rows.map(({ row }) => `${row.totalMinor} ${row.status}`).sort();
    console.log(`  ${customerId}: ${lines.join(', ') || 'nothing'}`);
  }
};

await orders.worker().start();
for (const [customerId, unitPriceMinor] of [
  ['alice', 1980],
  ['alice', 250_000],
  ['bob', 700],
] as const) {
  const placed = await orders.place({ customerId, currency: 'EUR', items: [{ sku: 'tea', quantity: 1, unitPriceMinor }] });
  if (isLeft(placed)) throw new Error(placed.left.message);
  await orders.settled(placed.right.orderId);
}
await caughtUp();
await show('as the orders went:');

await byCustomer.rebuild({ by: 'ops', reason: 'another shape of row' });
const { behind, total } = await byCustomer.progress();
console.log(`rebuilding: ${behind} of ${total} events to go`);
await caughtUp();
await show('made anew from the log:');
await orders.close();
