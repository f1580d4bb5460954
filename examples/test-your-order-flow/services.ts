import type { Outside } from 'orderfold/testing';

/** Asked again under the same key, a service answers as before and does nothing more. Without a key it does it again. */
interface Call {
  readonly idempotencyKey?: string;
}

/** Whom the shop asks. */
export interface Services {
  readonly payments: {
    charge(charge: Call & { readonly amountMinor: number }): Promise<{ readonly chargeId: string } | { readonly declined: string }>;
    refund(refund: Call & { readonly chargeId: string; readonly amountMinor: number }): Promise<void>;
  };
  readonly stock: {
    reserve(items: Call & { readonly skus: readonly string[] }): Promise<{ readonly reservationId: string } | { readonly soldOut: string }>;
    release(reservation: Call & { readonly reservationId: string }): Promise<void>;
  };
  readonly mail: { send(mail: Call & { readonly orderId: string }): Promise<void> };
}

/** The services of a simulated run: one order in ten has a card that is declined, one in twenty wants something that is gone. */
export const fakeServices = (outside: Outside): Services => ({
  payments: {
    charge: async ({ idempotencyKey, amountMinor }) =>
      outside.chance(`declined ${amountMinor}`, 0.1)
        ? { declined: 'not enough money' }
        : outside.once(idempotencyKey, { amountMinor }, () => ({ chargeId: `ch_${outside.now()}` })),
    refund: async ({ idempotencyKey, amountMinor }) => outside.once(idempotencyKey, { amountMinor }, () => undefined),
  },
  stock: {
    reserve: async ({ idempotencyKey, skus }) =>
      outside.chance(`sold out ${idempotencyKey}`, 0.05)
        ? { soldOut: skus.join(', ') }
        : outside.once(idempotencyKey, {}, () => ({ reservationId: `rs_${outside.now()}` })),
    release: async ({ idempotencyKey }) => outside.once(idempotencyKey, {}, () => undefined),
  },
  mail: { send: async ({ idempotencyKey }) => outside.once(idempotencyKey, {}, () => undefined) },
});
