import assert from 'node:assert/strict';

/** Fails like `assert.deepStrictEqual`, with a word in front of its difference of what it was about. */
export const expectSame = (actual: unknown, expected: unknown, about: string): void => {
  try {
    assert.deepStrictEqual(actual, expected);
  } catch (error) {
    if (!(error instanceof assert.AssertionError)) throw error;
    fail(`${about}\n${error.message}`, actual, expected);
  }
};

/** Throws an `AssertionError` that test runners show as a difference. */
export const fail = (message: string, actual?: unknown, expected?: unknown): never => {
  throw new assert.AssertionError({ message, actual, expected, operator: 'deepStrictEqual', stackStartFn: fail });
};

/** What a decision came to: events, or a refusal. */
export type Came<Event> = { readonly events: readonly Event[] } | { readonly refusal: unknown };

/** The code of a refusal: its `code`, or itself where it is a text. */
const codeOf = (refusal: unknown): unknown => (refusal as { readonly code?: unknown } | null | undefined)?.code ?? refusal;

/** The events of what should be no refusal. */
export const eventsOf = <Event>(came: Came<Event>, about: string): readonly Event[] =>
  'events' in came ? came.events : fail(`${about}\nit was refused: ${JSON.stringify(came.refusal)}`, came.refusal);

/** Checks that it was refused, and with this code. */
export const expectRefusal = (came: Came<unknown>, code: string, about: string): void => {
  if ('events' in came) fail(`${about}\nit was to be refused as ${code}, and it was not`, came.events, code);
  else expectSame(codeOf(came.refusal), code, `${about}\nit was refused otherwise`);
};

/**
 * `await` and `return` call what has a method `then`. Whoever leaves out the expectation is told so instead of waiting for good.
 */
export const refuseToBeAwaited = (given: readonly unknown[]): void => {
  if (given.some((one) => typeof one === 'function')) fail('this is no promise: say what has to follow, .then(…) or .thenRejected(…)');
};
