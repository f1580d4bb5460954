const BRAND = 'orderfold.refused';

/** A business "no" of a step, such as a declined card. Not an error: it becomes an event, and compensation follows. */
export interface Refused {
  readonly [BRAND]: true;
  readonly reason: string;
  readonly details?: unknown;
}

/**
 * Returned by a step's `do` (never thrown) to say no for good: the order is cancelled and what succeeded is undone.
 * For trouble that may pass, throw instead, and the retry policy decides.
 * @param reason stored and shown; at most 1,000 characters of it are kept.
 * @param details plain JSON, stored with the event.
 * @example
 * const charge = ({ declined }: { declined: boolean }) => (declined ? refused('card declined') : { chargeId: 'ch_1' });
 */
export const refused = (reason: string, details?: unknown): Refused =>
  Object.freeze({ [BRAND]: true as const, reason, ...(details === undefined ? {} : { details }) });

/** Recognises a refusal made by any copy of orderfold. */
export const isRefused = (value: unknown): value is Refused =>
  typeof value === 'object' && value !== null && (value as { readonly [BRAND]?: unknown })[BRAND] === true;
