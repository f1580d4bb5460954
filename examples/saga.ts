import { OrderSaga, type Orders, RetryPolicy } from 'orderfold';
import type { Call, Services } from './services/services.ts';
import type { Settings } from './settings.ts';

/** What of the settings says how patiently orders are processed. */
export type Patience = Pick<Settings, 'retryBaseMs' | 'retryMaxMs' | 'retryMaxAttempts' | 'serviceTimeoutMs' | 'orderDeadlineMs'>;

/** What a service is told of the step that calls it. */
const callOf = (step: { readonly effectKey: string; readonly signal: AbortSignal; readonly traceparent?: string }): Call => ({
  key: step.effectKey,
  signal: step.signal,
  traceparent: step.traceparent,
});

/** Payment and inventory side by side, then the notification, from which on there is no way back. */
export const orderSaga = (services: Services, patience: Patience) => {
  const retry = RetryPolicy.exponential({ baseMs: patience.retryBaseMs, capMs: patience.retryMaxMs, jitter: 'full' })
    .maxAttempts(patience.retryMaxAttempts)
    .honourRetryAfter();
  // The services' own deadline comes first, so that what is recorded is what they said; this one is for code that hangs.
  const timeoutMs = patience.serviceTimeoutMs + 1000;

  return OrderSaga.define({ deadlineMs: patience.orderDeadlineMs })
    .step('payment', {
      do: ({ order, ...step }) =>
        services.charge({ orderId: order.orderId, amountMinor: order.totalMinor, currency: order.currency }, callOf(step)),
      undo: ({ order, result, ...step }) => services.refund({ chargeId: result.chargeId, amountMinor: order.totalMinor }, callOf(step)),
      query: (step) => services.findCharge(callOf(step)),
      retry,
      timeoutMs,
    })
    .step('inventory', {
      do: ({ order, ...step }) => services.reserve({ orderId: order.orderId, items: order.items }, callOf(step)),
      undo: ({ result, ...step }) => services.release(result, callOf(step)),
      retry,
      timeoutMs,
    })
    .step('notification', {
      after: ['payment', 'inventory'],
      do: ({ orderId, ...step }) => services.notify({ orderId, kind: 'confirmed' }, callOf(step)),
      undo: 'irreversible',
      retry,
      timeoutMs,
    });
};

/** Orders that this saga processes. */
export type ShopOrders = Orders<ReturnType<typeof orderSaga>>;
