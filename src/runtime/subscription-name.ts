import { OrderfoldError } from '../core/errors.ts';
import { TIMERS } from './parking.ts';

/** The subscription that publishes to the transport. */
export const RELAY = 'relay';

const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,99}$/;

/** @throws `CONFIG` */
export const checkSubscriptionName = (name: unknown): void => {
  if (typeof name === 'string' && NAME.test(name) && name !== TIMERS && name !== RELAY) return;
  const expected = `letters, digits, . _ - (not '${TIMERS}' or '${RELAY}')`;
  throw new OrderfoldError('CONFIG', `expected a subscription's name to be ${expected}, got ${JSON.stringify(name)}`);
};
