import { OrderfoldError } from '../core/errors.ts';

const LONGEST = 500;
const STRAY = /[\p{Surrogate}\0]/u;

/** A key of a view's document, or the beginning of some: text that every store takes and orders alike. @throws `CONFIG` */
export const documentKey = (given: unknown, what: 'key' | 'prefix' = 'key'): string => {
  const [least, most] = [what === 'key' ? 1 : 0, LONGEST];
  if (typeof given === 'string' && given.length >= least && given.length <= most && !STRAY.test(given)) return given;
  throw new OrderfoldError('CONFIG', `expected a view's ${what} to be well-formed text of ${least} to ${most} characters without NUL`);
};
