import { OrderfoldError } from '../core/errors.ts';

/**
 * The text a value is kept as.
 * @param what names it in the message: `the payload of Paid`.
 * @throws `CONFIG` for what JSON cannot hold.
 */
export const jsonText = (what: string, value: unknown): string => {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new OrderfoldError('CONFIG', `${what} cannot be written as JSON`, { cause });
  }
  if (text === undefined) throw new OrderfoldError('CONFIG', `expected ${what} to be JSON, got ${typeof value}`);
  return text;
};
