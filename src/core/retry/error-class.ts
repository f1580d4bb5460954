import { causeChain, codeOf } from '../cause-chain.ts';
import { fn, listOf, resolveOptions, text } from '../options.ts';

/** Some errors: by their codes, or by a name and a predicate. The name is all that is compared, printed and stored. */
export interface ErrorClass {
  readonly name: string;
  readonly codes?: readonly string[];
}

/** How a caller writes one. */
export type ErrorClassArgs = readonly [codes: readonly string[]] | readonly [name: string, predicate: (error: unknown) => boolean];

/** Not enumerable: a policy stays plain data to JSON and to structural comparison. */
const TEST = 'test';

export const errorClass = (where: string, [of, predicate]: ErrorClassArgs): ErrorClass => {
  if (typeof of !== 'string') {
    const { codes } = resolveOptions(where, { codes: of }, { codes: listOf(text({ max: 100 })) });
    return Object.freeze({ name: codes.length === 0 ? 'no code' : `code ${codes.join(' or ')}`, codes: Object.freeze([...codes]) });
  }
  const { name } = resolveOptions(where, { name: of, predicate }, { name: text({ max: 100 }), predicate: fn() });
  return Object.freeze(Object.defineProperty({ name }, TEST, { value: predicate }));
};

/** Whether the error belongs to the class. Codes are looked for along its causes; a predicate that throws has not said yes. */
export const belongsTo = (errors: ErrorClass, error: unknown): boolean => {
  if (errors.codes !== undefined) return causeChain(error).some((link) => errors.codes?.includes(codeOf(link) ?? 'HANDLER'));
  try {
    return (errors as { readonly [TEST]?: (error: unknown) => boolean })[TEST]?.(error) === true;
  } catch {
    return false;
  }
};
