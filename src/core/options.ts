import { OrderfoldError } from './errors.ts';
import { redact } from './redact.ts';

/** 100 years: anything longer is a slip of units, and dates stay valid with room to spare. */
const LONGEST_MS = 3_155_760_000_000;

/** What one option must look like. `default` stands in for `undefined`; without it the option is required. */
export interface Checker<T> {
  /** Ends the sentence "expected baseMs to be …". */
  readonly expected: string;
  accepts(value: unknown): value is T;
  readonly default?: T;
}

/** The options after checking: every key present, defaults filled in. */
export type Resolved<Spec> = { readonly [Key in keyof Spec]: Spec[Key] extends Checker<infer T> ? T : never };

interface Limits {
  readonly min?: number;
  readonly max?: number;
  readonly default?: number;
}

const checker = <T>(expected: string, accepts: (value: unknown) => boolean, fallback?: T): Checker<T> => ({
  expected,
  accepts: accepts as (value: unknown) => value is T,
  ...(fallback === undefined ? {} : { default: fallback }),
});

const numeric = (noun: string, isOne: (value: unknown) => boolean, { min, max, default: fallback }: Limits): Checker<number> => {
  const low = min === undefined ? '' : ` of at least ${min}`;
  const high = max === undefined ? '' : `${low === '' ? ' of' : ' and'} at most ${max}`;
  const inRange = (value: unknown) => (value as number) >= (min ?? -Infinity) && (value as number) <= (max ?? Infinity);
  return checker(`${noun}${low}${high}`, (value) => isOne(value) && inRange(value), fallback);
};

/** A finite number. */
export const number = (limits: Limits = {}): Checker<number> => numeric('a finite number', Number.isFinite, limits);

/** A whole number, 0 and up unless `min` says otherwise. */
export const count = (limits: Limits = {}): Checker<number> => numeric('a whole number', Number.isSafeInteger, { min: 0, ...limits });

/** Milliseconds: 0 to 100 years unless the limits say otherwise. */
export const ms = (limits: Limits = {}): Checker<number> =>
  numeric('a number of milliseconds', Number.isFinite, { min: 0, max: LONGEST_MS, ...limits });

/** Milliseconds above 0: at least 1, at most 100 years. */
export const positiveMs = (limits: Limits = {}): Checker<number> => ms({ min: 1, ...limits });

/** A string that is not empty, at most `max` UTF-16 units long. */
export const text = ({ max = 10_000, default: fallback }: { readonly max?: number; readonly default?: string } = {}): Checker<string> =>
  checker(`a text of 1 to ${max} characters`, (value) => typeof value === 'string' && value !== '' && value.length <= max, fallback);

/** `true` or `false`, nothing that merely looks like it. */
export const flag = (fallback?: boolean): Checker<boolean> => checker('true or false', (value) => typeof value === 'boolean', fallback);

/** One of the literals. */
export const oneOf = <const T extends string | number>(values: readonly T[], fallback?: NoInfer<T>): Checker<T> =>
  checker(`one of ${values.map((value) => JSON.stringify(value)).join(', ')}`, (value) => values.includes(value as T), fallback);

/** A moment as ISO 8601 text in UTC: `2026-01-31T09:00:00Z`, seconds and their fraction as one likes. */
export const utcTime = (): Checker<string> =>
  checker('a time in UTC such as 2026-01-31T09:00:00Z', (value) => {
    if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z$/.test(value)) return false;
    const time = Date.parse(value);
    // The 31st of February reads as a day in March.
    return Number.isFinite(time) && new Date(time).toISOString().slice(0, 16) === value.slice(0, 16);
  });

/** A function; its type is the caller's word. */
export const fn = <F extends (...args: never[]) => unknown>(fallback?: F): Checker<F> =>
  checker('a function', (value) => typeof value === 'function', fallback);

/** An array whose every item the given checker accepts. */
export const listOf = <T>(item: Checker<T>, fallback?: readonly T[]): Checker<readonly T[]> =>
  checker(`an array, each item ${item.expected}`, (value) => Array.isArray(value) && value.every((one) => item.accepts(one)), fallback);

/** An object with the given methods: `port<Store>('a store', ['append', 'read'])`. */
export const port = <T extends object>(noun: string, methods: readonly (keyof T & string)[], fallback?: T): Checker<T> =>
  checker(
    methods.length === 0 ? noun : `${noun} (an object with ${methods.join(', ')})`,
    (value) => typeof value === 'object' && value !== null && methods.every((name) => typeof (value as T)[name] === 'function'),
    fallback,
  );

/** Makes an option one may leave out: it resolves to `undefined`. */
export const optional = <T>(of: Checker<T>): Checker<T | undefined> => ({
  ...of,
  accepts: (value): value is T | undefined => value === undefined || of.accepts(value),
});

const shown = (value: unknown): string => {
  if (typeof value === 'string') return value.length > 60 ? `a text of ${value.length} characters` : JSON.stringify(redact(value));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? `an array of ${value.length}` : 'an object';
  return String(value);
};

/**
 * Checks options once, where something is made, and fills in the defaults; the result is frozen.
 * `undefined` means the default, 0 means 0, and what is not in the spec is refused.
 * @param where names the caller at the start of every message: `'RetryPolicy.fixed'`.
 * @throws OrderfoldError `CONFIG`: "RetryPolicy.fixed: expected delayMs to be a number of milliseconds of at least 0 …, got -1".
 * @example
 * const { delayMs } = resolveOptions('RetryPolicy.fixed', { delayMs: 50 }, { delayMs: ms({ default: 1000 }) });
 */
export const resolveOptions = <const Spec extends Readonly<Record<string, Checker<unknown>>>>(
  where: string,
  given: object | undefined,
  spec: Spec,
): Resolved<Spec> => {
  const refuse = (problem: string) => new OrderfoldError('CONFIG', `${where}: ${problem}`);
  if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given))) {
    throw refuse(`expected an object of options, got ${shown(given)}`);
  }
  const options = (given ?? {}) as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(spec, key)) continue;
    throw refuse(`expected only the options ${Object.keys(spec).join(', ') || '(none)'}, got ${shown(key)}`);
  }
  const resolved: Record<string, unknown> = {};
  for (const key of Object.keys(spec)) {
    const check = spec[key] as Checker<unknown>;
    const value = options[key] === undefined ? check.default : options[key];
    if (!check.accepts(value)) throw refuse(`expected ${key} to be ${check.expected}, got ${shown(value)}`);
    resolved[key] = value;
  }
  return Object.freeze(resolved) as Resolved<Spec>;
};
