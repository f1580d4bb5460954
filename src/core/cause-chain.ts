/** Chains longer than this are cut; a cyclic one ends where it began. */
const DEEPEST = 100;

/** Reads a property of anything; `undefined` where there is none, or where a getter or proxy throws. */
export const readProperty = (value: unknown, key: string): unknown => {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  try {
    return (value as Readonly<Record<string, unknown>>)[key];
  } catch {
    return undefined;
  }
};

/** A thrown value and its `cause`s, outermost first. Total: it bears cycles, proxies and getters that throw. */
export const causeChain = (error: unknown): readonly unknown[] => {
  const chain = [error];
  let cause = readProperty(error, 'cause');
  while (cause !== undefined && cause !== null && !chain.includes(cause) && chain.length < DEEPEST) {
    chain.push(cause);
    cause = readProperty(cause, 'cause');
  }
  return chain;
};

/** The `code` a thrown value carries itself, as text. */
export const codeOf = (error: unknown): string | undefined => {
  const code = readProperty(error, 'code');
  return typeof code === 'string' || typeof code === 'number' ? String(code) : undefined;
};

/**
 * How long the other side asked to be left alone: `retryAfterMs`, or `retryAfter` in seconds, of the first in the chain
 * that has one. Finite and not negative, else `undefined`.
 */
export const retryAfterOf = (error: unknown): number | undefined => {
  for (const link of causeChain(error)) {
    const milliseconds = readProperty(link, 'retryAfterMs');
    const seconds = readProperty(link, 'retryAfter');
    const asked = typeof milliseconds === 'number' ? milliseconds : isSeconds(seconds) ? Number(seconds) * 1000 : Number.NaN;
    if (Number.isFinite(asked) && asked >= 0) return Math.max(0, asked); // no −0
  }
  return undefined;
};

/** A header arrives as text; an HTTP date is no number of seconds and is left alone. */
const isSeconds = (value: unknown): boolean => typeof value === 'number' || (typeof value === 'string' && /^\d{1,12}$/.test(value.trim()));
