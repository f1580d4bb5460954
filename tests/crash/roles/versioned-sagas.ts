import type { Services } from '../../../examples/services/services.ts';
import { OrderSaga, RetryPolicy } from '../../../src/index.ts';

const common = {
  retry: RetryPolicy.exponential({ baseMs: 30, capMs: 200 }).maxAttempts(4),
  timeoutMs: 10_000,
} as const;

/** What is deployed first: nothing to release, because nothing is reserved yet that could be kept from others. */
export const saga1 = (services: Services) =>
  OrderSaga.define()
    .step('payment', {
      ...common,
      do: ({ order, effectKey: key, signal }) =>
        services.charge({ orderId: order.orderId, amountMinor: order.totalMinor, currency: order.currency }, { key, signal }),
      undo: ({ order, result, effectKey: key, signal }) =>
        services.refund({ chargeId: result.chargeId, amountMinor: order.totalMinor }, { key, signal }),
      query: ({ effectKey: key, signal }) => services.findCharge({ key, signal }),
    })
    .step('inventory', {
      ...common,
      do: ({ order, effectKey: key, signal }) => services.reserve({ orderId: order.orderId, items: order.items }, { key, signal }),
      undo: 'nothing',
    })
    .step('notification', {
      ...common,
      after: ['payment', 'inventory'],
      do: ({ orderId, effectKey: key, signal }) => services.notify({ orderId, kind: 'confirmed' }, { key, signal }),
      undo: 'irreversible',
    });

/** What is deployed next: a fourth step before the notification, and reservations that are released. */
export const saga2 = (services: Services, score: (orderId: string) => number) =>
  OrderSaga.define()
    .step('payment', {
      ...common,
      do: ({ order, effectKey: key, signal }) =>
        services.charge({ orderId: order.orderId, amountMinor: order.totalMinor, currency: order.currency }, { key, signal }),
      undo: ({ order, result, effectKey: key, signal }) =>
        services.refund({ chargeId: result.chargeId, amountMinor: order.totalMinor }, { key, signal }),
      query: ({ effectKey: key, signal }) => services.findCharge({ key, signal }),
    })
    .step('inventory', {
      ...common,
      do: ({ order, effectKey: key, signal }) => services.reserve({ orderId: order.orderId, items: order.items }, { key, signal }),
      undo: ({ result, effectKey: key, signal }) => services.release(result, { key, signal }),
    })
    .step('fraud', { ...common, after: ['payment'], do: ({ order }) => ({ score: score(order.orderId) }), undo: 'nothing' })
    .step('notification', {
      ...common,
      after: ['payment', 'inventory', 'fraud'],
      do: ({ orderId, effectKey: key, signal }) => services.notify({ orderId, kind: 'confirmed' }, { key, signal }),
      undo: 'irreversible',
    });
