import { describe, expect, expectTypeOf, it } from 'vitest';
import { isOrderfoldError } from '../../src/core/errors.ts';
import { count, flag, fn, listOf, ms, number, oneOf, optional, port, positiveMs, resolveOptions, text } from '../../src/core/options.ts';

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
