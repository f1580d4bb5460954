import { OrderfoldError } from '../core/errors.ts';
import { resolveOptions, text } from '../core/options.ts';

/** The longest name of a stream or of something scheduled, in UTF-16 units. */
export const LONGEST_NAME = 200;

/** Nearly all of them. */
const PLAIN = /^[\x20-\x7e]{1,200}$/;

export const isPlainName = (given: unknown): given is string => typeof given === 'string' && PLAIN.test(given);

/** A name, checked: every store takes it and no log line breaks on it. @throws `CONFIG` */
export const storedName = (what: string, given: unknown): string => {
  if (isPlainName(given)) return given;
  const { [what]: name = '' } = resolveOptions(what, { [what]: given }, { [what]: text({ max: LONGEST_NAME }) });
  if (/[\p{Surrogate}\0]/u.test(name))
    throw new OrderfoldError('CONFIG', `expected ${what} to be well-formed text, got a lone surrogate or NUL`);
  return name;
};
