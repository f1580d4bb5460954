import { OrderSaga, RetryPolicy } from '../../../src/index.ts';

export const MAX_ATTEMPTS = 4;

/** What the steps of this saga do beside deciding nothing. */
export interface Poison {
  pay(customerId: string, attempt: number): Promise<void>;
}

/** One customer's payment is the end of every process that tries it. */
export const poisonedSaga = ({ pay }: Poison) =>
  OrderSaga.define().step('payment', {
    do: async ({ order, attempt }) => {
      await pay(order.customerId, attempt);
      return { paid: true };
    },
    undo: 'nothing',
    retry: RetryPolicy.fixed({ delayMs: 20 }).maxAttempts(MAX_ATTEMPTS),
  });
