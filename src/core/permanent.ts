import { causeChain, codeOf, readProperty } from './cause-chain.ts';

const BRAND = 'orderfold.permanent';

/**
 * Marks an error as one that no repetition can cure: its delivery is dead at once, whatever the retry policy says.
 * Returns a new error with the given one as its `cause` and with its `code`, so throw the result. The mark is seen
 * through errors that wrap it, and by another copy of the package.
 * @param message left out, the message of the error it wraps.
 * @example
 * const refuse = (sku: string) => permanent(`no such article: ${sku}`);
 */
export const permanent = (error: unknown, message?: string): Error => {
  const inner = readProperty(error, 'message');
  const text = message ?? (typeof error === 'string' ? error : typeof inner === 'string' ? inner : 'a permanent error');
  const marked = new Error(text, typeof error === 'string' ? undefined : { cause: error });
  Error.captureStackTrace?.(marked, permanent); // V8 only: its first frame is the caller's
  const code = codeOf(error);
  return Object.assign(marked, { name: 'PermanentError', [BRAND]: true }, code === undefined ? {} : { code });
};

/** Whether `permanent` marked this error or one of its causes. Total for anything thrown. */
export const isPermanent = (error: unknown): boolean => causeChain(error).some((link) => readProperty(link, BRAND) === true);
