import { OrderSaga, RetryPolicy, refused } from 'orderfold';
import type { Patience } from './saga.ts';
import type { Services } from './services.ts';

const HOUR_MS = 3_600_000;

/** The saga as it was first written: `saga.ts` but for its charge. */
export const orderSaga = ({ payments, stock, mail }: Services, { baseMs, capMs, timeoutMs }: Patience) => {
  const patient = { retry: RetryPolicy.exponential({ baseMs, capMs, jitter: 'equal' }).maxAttempts(10), timeoutMs };

  return OrderSaga.define({ deadlineMs: 24 * HOUR_MS })
    .step('payment', {
      do: async ({ order }) => {
        const answer = await payments.charge({ amountMinor: order.totalMinor });
        return 'declined' in answer ? refused(answer.declined) : answer;
      },
      undo: ({ order, result, effectKey }) =>
        payments.refund({ chargeId: result.chargeId, amountMinor: order.totalMinor, idempotencyKey: effectKey }),
      ...patient,
    })
    .step('stock', {
      do: async ({ order, effectKey }) => {
        const answer = await stock.reserve({ skus: order.items.map(({ sku }) => sku), idempotencyKey: effectKey });
        return 'soldOut' in answer ? refused(`sold out: ${answer.soldOut}`) : answer;
      },
      undo: ({ result, effectKey }) => stock.release({ reservationId: result.reservationId, idempotencyKey: effectKey }),
      ...patient,
    })
    .step('mail', {
      after: ['payment', 'stock'],
      do: ({ orderId, effectKey }) => mail.send({ orderId, idempotencyKey: effectKey }),
      undo: 'irreversible',
      ...patient,
    });
};
