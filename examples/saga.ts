import { OrderSaga, type Orders, RetryPolicy } from 'orderfold';
import type { Services } from './services/services.ts';
import type { Settings } from './settings.ts';

/** What of the settings says how patiently orders are processed. */
export type Patience = Pick<Settings, 'retryBaseMs' | 'retryMaxMs' | 'retryMaxAttempts' | 'serviceTimeoutMs' | 'orderDeadlineMs'>;

/** Payment and inventory side by side, then the notification, from which on there is no way back. */
export const orderSaga = (services: Services, patience: Patience) => {
  const retry = RetryPolicy.exponential({ baseMs: patience.retryBaseMs, capMs: patience.retryMaxMs, jitter: 'full' })
    .maxAttempts(patience.retryMaxAttempts)
    .honourRetryAfter();
  // The services' own deadline comes first, so that what is recorded is what they said; this one is for code that hangs.
  const timeoutMs = patience.serviceTimeoutMs + 1000;

  return OrderSaga.define({ deadlineMs: patience.orderDeadlineMs })
    .step('payment', {
      do: ({ order, effectKey: key, signal }) =>
        services.charge({ orderId: order.orderId, amountMinor: order.totalMinor, currency: order.currency }, { key, signal }),
      undo: ({ order, result, effectKey: key, signal }) =>
        services.refund({ chargeId: result.chargeId, amountMinor: order.totalMinor }, { key, signal }),
      query: ({ effectKey: key, signal }) => services.findCharge({ key, signal }),
      retry,
      timeoutMs,
    })
    .step('inventory', {
      do: ({ order, effectKey: key, signal }) => services.reserve({ orderId: order.orderId, items: order.items }, { key, signal }),
      undo: ({ result, effectKey: key, signal }) => services.release(result, { key, signal }),
      retry,
      timeoutMs,
    })
    .step('notification', {
      after: ['payment', 'inventory'],
      do: ({ orderId, effectKey: key, signal }) => services.notify({ orderId, kind: 'confirmed' }, { key, signal }),
      undo: 'irreversible',
      retry,
      timeoutMs,
    });
};

/** Orders that this saga processes. */
export type ShopOrders = Orders<ReturnType<typeof orderSaga>>;
