import type { Invariant } from 'orderfold/testing';

/** A rule of the shop's own: no mail to anybody who has not paid, or was paid back. */
export const mailMeansPaid: Invariant = {
  id: 'mail-means-paid',
  says: 'who got the mail has paid once, and it was not paid back',
  check: ({ effects }) => {
    const paid = new Map<string, number>();
    for (const { orderId, step, direction } of effects)
      if (step === 'payment') paid.set(orderId, (paid.get(orderId) ?? 0) + (direction === 'do' ? 1 : -1));
    return effects
      .filter(({ step, orderId }) => step === 'mail' && paid.get(orderId) !== 1)
      .map(({ orderId }) => ({ orderId, text: `got a mail, and has paid ${paid.get(orderId) ?? 0} times` }));
  },
};
