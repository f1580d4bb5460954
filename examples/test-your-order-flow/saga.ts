import { OrderSaga, RetryPolicy, refused } from 'orderfold';
import type { Services } from './services.ts';

const HOUR_MS = 3_600_000;

/** How long the steps wait. */
export interface Patience {
  readonly baseMs: number;
  readonly capMs: number;
  readonly timeoutMs: number;
}

/** Ten attempts wait for 121 to 243 minutes in all. */
const HOURS: Patience = { baseMs: 60_000, capMs: HOUR_MS, timeoutMs: 10_000 };

/** Payment and stock side by side, then the mail, from which on there is no way back. */
export const orderSaga = ({ payments, stock, mail }: Services, { baseMs, capMs, timeoutMs }: Patience = HOURS) => {
  const patient = { retry: RetryPolicy.exponential({ baseMs, capMs, jitter: 'equal' }).maxAttempts(10), timeoutMs };

  return OrderSaga.define({ deadlineMs: 24 * HOUR_MS })
    .step('payment', {
      do: async ({ order, effectKey }) => {
        const answer = await payments.charge({ amountMinor: order.totalMinor, idempotencyKey: effectKey });
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
