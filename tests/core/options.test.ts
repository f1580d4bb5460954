import { describe, expect, expectTypeOf, it } from 'vitest';
import { isOrderfoldError } from '../../src/core/errors.ts';
import {
  type Checker,
  count,
  flag,
  fn,
  listOf,
  ms,
  number,
  oneOf,
  optional,
  port,
  positiveMs,
  resolveOptions,
  text,
  utcTime,
} from '../../src/core/options.ts';

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isOrderfoldError(error, 'CONFIG')) return error.message;
    throw error;
  }
  throw new Error('expected a refusal');
};

const spec = {
  leaseMs: positiveMs({ default: 10_000 }),
  graceMs: ms({ default: 500 }),
  concurrency: count({ min: 1, max: 1024, default: 64 }),
  factor: number({ min: 1, default: 2 }),
  onDead: oneOf(['hold', 'continue'], 'hold'),
  name: text({ default: 'mail' }),
  durable: flag(true),
  types: listOf(text(), []),
  handler: optional(fn<(value: string) => number>()),
};

describe('options', () => {
  it('take their defaults where nothing or undefined is given', () => {
    const defaults = {
      leaseMs: 10_000,
      graceMs: 500,
      concurrency: 64,
      factor: 2,
      onDead: 'hold',
      name: 'mail',
      durable: true,
      types: [],
      handler: undefined,
    };
    expect(resolveOptions('bus', undefined, spec)).toEqual(defaults);
    expect(resolveOptions('bus', {}, spec)).toEqual(defaults);
    expect(resolveOptions('bus', { leaseMs: undefined, onDead: undefined, handler: undefined }, spec)).toEqual(defaults);
  });

  it('keep what is given: 0 means 0, false means false', () => {
    const given = { graceMs: 0, durable: false, concurrency: 1, onDead: 'continue' };
    expect(resolveOptions('bus', given, spec)).toMatchObject(given);
  });

  it('come back frozen and typed', () => {
    const resolved = resolveOptions('bus', {}, spec);
    expect(Object.isFrozen(resolved)).toBe(true);
    expect(Object.keys(resolved)).toEqual(Object.keys(spec));
    expectTypeOf(resolved.leaseMs).toEqualTypeOf<number>();
    expectTypeOf(resolved.onDead).toEqualTypeOf<'hold' | 'continue'>();
    expectTypeOf(resolved.handler).toEqualTypeOf<((value: string) => number) | undefined>();
    expectTypeOf(resolved.types).toEqualTypeOf<readonly string[]>();
  });

  it.each([
    [{ leaseMS: 1 }, 'bus: expected only the options leaseMs, graceMs,', 'got "leaseMS"'],
    [JSON.parse('{"__proto__": {"leaseMs": 1}}'), 'expected only the options', 'got "__proto__"'],
    [{ constructor: 1 }, 'expected only the options', 'got "constructor"'],
    [{ leaseMs: 0 }, 'expected leaseMs to be a number of milliseconds of at least 1', 'got 0'],
    [{ leaseMs: Number.NaN }, 'expected leaseMs', 'got NaN'],
    [{ graceMs: -1 }, 'expected graceMs to be a number of milliseconds of at least 0', 'got -1'],
    [{ graceMs: Number.POSITIVE_INFINITY }, 'expected graceMs', 'got Infinity'],
    [{ graceMs: 1e13 }, 'at most 3155760000000', 'got 10000000000000'],
    [{ graceMs: '5' }, 'expected graceMs', 'got "5"'],
    [{ graceMs: 5n }, 'expected graceMs', 'got 5n'],
    [{ graceMs: null }, 'expected graceMs', 'got null'],
    [{ concurrency: 1.5 }, 'expected concurrency to be a whole number of at least 1 and at most 1024', 'got 1.5'],
    [{ concurrency: 1025 }, 'expected concurrency', 'got 1025'],
    [{ factor: 0.5 }, 'expected factor to be a finite number of at least 1', 'got 0.5'],
    [{ onDead: 'stop' }, 'expected onDead to be one of "hold", "continue"', 'got "stop"'],
    [{ name: '' }, 'expected name to be a text of 1 to 10000 characters', 'got ""'],
    [{ name: 'x'.repeat(10_001) }, 'expected name', 'got a text of 10001 characters'],
    [{ durable: 'yes' }, 'expected durable to be true or false', 'got "yes"'],
    [{ types: ['a', ''] }, 'expected types to be an array, each item a text', 'got an array of 2'],
    [{ types: 'a' }, 'expected types', 'got "a"'],
    [{ handler: {} }, 'expected handler to be a function', 'got an object'],
    [{ graceMs: 'postgres://u:hunter2@h' }, 'expected graceMs', 'got "postgres://[redacted]@h"'],
  ])('are refused with what was expected and what was got, case %#', (given, expected, got) => {
    const message = refusal(() => resolveOptions('bus', given, spec));
    expect(message).toContain(expected);
    expect(message.endsWith(got)).toBe(true);
  });

  it.each([null, 7, 'leaseMs', [], () => 1])('are an object or left out, not %j', (given) => {
    expect(refusal(() => resolveOptions('bus', given as never, spec))).toContain('bus: expected an object of options, got');
  });

  it('are required where there is no default', () => {
    expect(refusal(() => resolveOptions('bus', {}, { store: port<{ read(): void }>('a store', ['read']) }))).toBe(
      'bus: expected store to be a store (an object with read), got undefined',
    );
  });

  it('take a port that has the methods and no other', () => {
    const store = { read: () => undefined };
    const wanted = { store: port<typeof store>('a store', ['read']) };
    expect(resolveOptions('bus', { store }, wanted).store).toBe(store);
    expect(refusal(() => resolveOptions('bus', { store: { read: 1 } }, wanted))).toContain('got an object');
  });

  it('can be none at all', () => {
    expect(refusal(() => resolveOptions('stop', { now: true }, {}))).toBe('stop: expected only the options (none), got "now"');
  });
});

describe('a checker', () => {
  const hundredYears = 3_155_760_000_000;

  it.each<[string, Checker<unknown>, string, readonly unknown[], readonly unknown[]]>([
    ['number', number(), 'a finite number', [-1e300, 0, 0.5], [Number.NaN, Infinity, '1', 1n, null, undefined]],
    ['number to 9', number({ max: 9 }), 'a finite number of at most 9', [-1e300, 9], [9.5]],
    ['count', count(), 'a whole number of at least 0', [0, 7, Number.MAX_SAFE_INTEGER], [-1, 0.5, 2 ** 53, '1']],
    ['count from -5', count({ min: -5 }), 'a whole number of at least -5', [-5, 0], [-6]],
    ['ms', ms(), `a number of milliseconds of at least 0 and at most ${hundredYears}`, [0, 0.5, hundredYears], [-1, hundredYears + 1]],
    ['positiveMs', positiveMs(), `a number of milliseconds of at least 1 and at most ${hundredYears}`, [1, hundredYears], [0, 0.5]],
    ['text', text({ max: 3 }), 'a text of 1 to 3 characters', ['a', 'abc'], ['', 'abcd', 7, ['a'], null]],
    ['flag', flag(), 'true or false', [true, false], [0, 1, 'true', null, undefined]],
    ['oneOf', oneOf(['a', 2]), 'one of "a", 2', ['a', 2], ['2', 'b', undefined]],
    ['fn', fn(), 'a function', [() => 1, class {}], [{}, 'f', null]],
    ['listOf', listOf(flag()), 'an array, each item true or false', [[], [true]], [[true, 1], true, { length: 0 }, undefined]],
    [
      'port',
      port<{ a(): void; b(): void }>('a pair', ['a', 'b']),
      'a pair (an object with a, b)',
      [{ a: fn, b: fn }],
      [{ a: fn }, { b: fn }, null, fn, 'ab'],
    ],
    ['port of nothing', port('{ count }', []), '{ count }', [{}, []], [null, undefined, 5]],
    ['optional', optional(flag()), 'true or false', [undefined, true], [null, 1]],
  ])('%s accepts what it says and nothing else', (_, checker, expected, good, bad) => {
    expect(checker.expected).toBe(expected);
    expect(good.filter((value) => !checker.accepts(value))).toEqual([]);
    expect(bad.filter((value) => checker.accepts(value))).toEqual([]);
    expect('default' in checker).toBe(false);
  });

  it('hands on the default it was given', () => {
    const defaults = [
      number({ default: 0 }),
      count({ default: 3 }),
      text({ default: 'x' }),
      flag(false),
      oneOf(['a'], 'a'),
      listOf(flag(), []),
    ];
    expect(defaults.map((checker) => checker.default)).toEqual([0, 3, 'x', false, 'a', []]);
    expect(optional(positiveMs({ default: 5 })).default).toBe(5);
  });

  it('takes a time in UTC to the minute or finer, and no day that is none', () => {
    const { accepts, expected } = utcTime();
    const good = [
      '2026-01-31T09:00Z',
      '2026-01-31T09:00:00Z',
      '2024-02-29T23:59:59.5Z',
      '2026-01-31T09:00:00.123456789Z',
      '0001-01-01T00:00Z',
    ];
    const bad = [
      '2026-02-31T09:00:00Z',
      '2023-02-29T00:00Z',
      '2026-13-01T00:00Z',
      '2026-01-31T24:00Z',
      '2026-01-31T09:60Z',
      '2026-01-31T09:00:61Z',
      '2026-01-31T09:00:00',
      '2026-01-31T09:00:00+01:00',
      '2026-01-31T09:00:00.Z',
      '2026-01-31T09:00:00.1234567890Z',
      ' 2026-01-31T09:00:00Z',
      '2026-01-31T09:00:00Z ',
      '2026-01-31T09:00:00Z (noon)',
      '2026-01-31 09:00:00Z',
      '2026-01-31',
      '12026-01-31T09:00Z',
      1_700_000_000_000,
      new Date(0),
      Object('2026-01-31T09:00:00Z'),
      undefined,
    ];
    expect(expected).toBe('a time in UTC such as 2026-01-31T09:00:00Z');
    expect(good.filter((value) => !accepts(value))).toEqual([]);
    expect(bad.filter((value) => accepts(value))).toEqual([]);
  });
});

describe('what was got', () => {
  const got = (value: unknown) => refusal(() => resolveOptions('bus', { on: value }, { on: flag() })).split('got ')[1];

  it('is shown as far as it says something: kinds of things, never what is in them, and no long text', () => {
    const values = [undefined, null, Number.NaN, -5, 12n, Symbol('s'), 'yes', 'x'.repeat(60), 'x'.repeat(61), [1, 2], { a: 1 }, () => 1];
    expect(values.map(got)).toEqual([
      'undefined',
      'null',
      'NaN',
      '-5',
      '12n',
      'Symbol(s)',
      '"yes"',
      `"${'x'.repeat(60)}"`,
      'a text of 61 characters',
      'an array of 2',
      'an object',
      'a function',
    ]);
  });
});
