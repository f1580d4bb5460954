import type { refused } from 'orderfold';

/** What a service may answer for good instead of doing it. */
export type No = ReturnType<typeof refused>;

/** The same key, the same effect: a service that is asked twice under one key acts once. */
export interface Call {
  readonly key: string;
  readonly signal: AbortSignal;
  /** The trace that the order is part of. */
  readonly traceparent?: string | undefined;
}

export interface Charge {
  readonly orderId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

export interface Item {
  readonly sku: string;
  readonly quantity: number;
}

/**
 * The outside world of an order. Each method resolves when it is done, or with a `No`; it throws when that is not known, and
 * may then be called again under the same key.
 */
export interface Services {
  charge(charge: Charge, call: Call): Promise<{ readonly chargeId: string } | No>;
  /** The charge made under this key; undefined if there is none so far. */
  findCharge(call: Call): Promise<{ readonly chargeId: string } | undefined>;
  refund(refund: { readonly chargeId: string; readonly amountMinor: number }, call: Call): Promise<void>;
  reserve(
    reservation: { readonly orderId: string; readonly items: readonly Item[] },
    call: Call,
  ): Promise<{ readonly reservationId: string } | No>;
  release(release: { readonly reservationId: string }, call: Call): Promise<void>;
  notify(notification: { readonly orderId: string; readonly kind: 'confirmed' }, call: Call): Promise<void>;
}
