import { RetryPolicy } from '../../../src/core/retry-policy.ts';
import { refused } from '../../../src/order/refused.ts';
import { OrderSaga } from '../../../src/order/saga.ts';
import type { Orders } from '../../../src/runtime/orders.ts';
import type { Outside } from '../../../src/testing/index.ts';

interface Asked {
  readonly key: string;
  readonly amountMinor: number;
}

/** Payment, stock and post, every one idempotent by key; every tenth order is declined. */
const services = (outside: Outside) => ({
  payments: {
    charge: async ({ key, amountMinor }: Asked) =>
      outside.chance(`declined: ${key}`, 0.1) ? 'declined' : outside.once(key, { amountMinor }, () => ({ chargeId: key, amountMinor })),
    refund: async ({ key, amountMinor }: Asked) => outside.once(key, { amountMinor }, () => ({ refundId: key })),
  },
  stock: {
    reserve: async (key: string) => outside.once(key, {}, () => ({ reservationId: key })),
    find: async (key: string) => outside.find(key) as { readonly reservationId: string } | undefined,
    release: async (key: string) => outside.once(key, {}, () => ({})),
  },
  post: { send: async (key: string) => outside.once(key, {}, () => ({ sent: true })) },
  books: { enter: async (_id: string) => {} },
});

type Services = ReturnType<typeof services>;

const retry = RetryPolicy.fixed({ delayMs: 60 }).maxAttempts(3);
const timeoutMs = 300;

const saga = ({ payments, stock, post }: Services) =>
  OrderSaga.define({ deadlineMs: 60_000 })
    .step('payment', {
      do: async ({ order, effectKey: key }) => {
        const answer = await payments.charge({ key, amountMinor: order.totalMinor });
        return answer === 'declined' ? refused('declined') : (answer as { readonly chargeId: string });
      },
      undo: ({ order, effectKey: key }) => payments.refund({ key, amountMinor: order.totalMinor }),
      retry,
      timeoutMs,
    })
    .step('inventory', {
      do: ({ effectKey }) => stock.reserve(effectKey),
      undo: ({ effectKey }) => stock.release(effectKey),
      query: ({ effectKey }) => stock.find(effectKey),
      retry,
      timeoutMs,
    })
    .step('notification', {
      after: ['payment', 'inventory'],
      do: ({ effectKey }) => post.send(effectKey),
      undo: 'irreversible',
      retry,
      timeoutMs,
    });

/** An application of three steps and a subscription that enters every event of interest into the books. */
export const shop = {
  services,
  saga,
  setUp: (orders: Orders<ReturnType<typeof saga>>, { books }: Services) => {
    const enter = ({ id }: { readonly id: string }) => books.enter(id);
    orders.subscribe('books', {
      on: { OrderPlaced: enter, PaymentSucceeded: enter, InventorySucceeded: enter, OrderConfirmed: enter, OrderCancelled: enter },
      start: 'beginning',
      retry,
      timeoutMs,
    });
  },
};
