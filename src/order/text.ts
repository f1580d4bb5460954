import type { Issue } from './rejection.ts';

/** What is wrong with a text that is stored and shown, or `undefined`. Counts characters as readers do, not UTF-16 units. */
export const textProblem = (value: unknown, max: number): string | undefined => {
  const expected = `expected a text of 1 to ${max} characters`;
  if (typeof value !== 'string' || value === '') return expected;
  if (value.length > 2 * max || (value.length > max && [...value].length > max)) return expected;
  if (/\p{Surrogate}|\0/u.test(value)) return `${expected}, without NUL and half characters`;
  return undefined;
};

/** The issues of several fields at once. `limits` names each field and its longest length. */
export const textIssues = (given: object, limits: Readonly<Record<string, number>>): readonly Issue[] =>
  Object.entries(limits).flatMap(([path, max]) => {
    const message = textProblem((given as Readonly<Record<string, unknown>>)[path], max);
    return message === undefined ? [] : [{ path, message }];
  });
