import { describe, expect, it } from 'vitest';
import { isOrderfoldError } from '../../src/core/errors.ts';
import type { StandardSchemaV1 } from '../../src/order/standard-schema.ts';
import { validate } from '../../src/order/validate.ts';

const schemaOf = <Output>(run: StandardSchemaV1<unknown, Output>['~standard']['validate']): StandardSchemaV1<unknown, Output> => ({
  '~standard': { version: 1, vendor: 'test', validate: run },
});
const passing = (value: unknown) => schemaOf(() => ({ value }));
const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

describe('validate', () => {
  it('keeps what the schema returns, not what it was given', async () => {
    const trimmed = schemaOf((value) => ({ value: { name: (value as { name: string }).name.trim() } }));
    expect(await validate(trimmed, { name: ' x ' })).toEqual({ _tag: 'Right', right: { name: 'x' } });
  });

  it('waits for an asynchronous schema', async () => {
    const later = schemaOf(async (value) => ({ value: value as object }));
    expect(await validate(later, { a: 1 })).toEqual({ _tag: 'Right', right: { a: 1 } });
  });

  it('writes paths as people do', async () => {
    const path = ['items', 2, { key: 'sku' }, 'odd key', Symbol('s')];
    const refusing = schemaOf(() => ({ issues: [{ message: 'bad', path }, { message: 'worse' }] }));
    expect(await validate(refusing, {})).toMatchObject({
      left: {
        code: 'INVALID',
        issues: [
          { path: 'items[2].sku["odd key"]["Symbol(s)"]', message: 'bad' },
          { path: '', message: 'worse' },
        ],
      },
    });
  });

  it.each<[string, () => never | Promise<never>]>([
    [
      'throws',
      () => {
        throw new TypeError('boom');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('boom'))],
  ])('tells a schema that %s from one that refuses', async (_, run) => {
    const error: unknown = await validate(schemaOf(run), {}).catch((reason: unknown) => reason);
    expect(isOrderfoldError(error, 'HANDLER')).toBe(true);
    expect((error as Error).cause).toBeInstanceOf(TypeError);
  });

  it.each<[string, unknown, string]>([
    ['a date', { at: new Date(0) }, 'at'],
    ['a map', { m: new Map() }, 'm'],
    ['an instance', { e: new (class Money {})() }, 'e'],
    ['a function', { f: () => 1 }, 'f'],
    ['a symbol', { s: Symbol('s') }, 's'],
    ['a bigint', { n: 1n }, 'n'],
    ['NaN', { n: [0, Number.NaN] }, 'n[1]'],
    ['Infinity', { n: Infinity }, 'n'],
    ['undefined in a list', { list: [1, undefined] }, 'list[1]'],
    ['a hole in a list', { list: new Array(1) }, 'list[0]'],
    ['half a character', { s: 'x\ud800' }, 's'],
    ['half a character in a name', { 'x\ud800': 1 }, ''],
    ['a __proto__ key', JSON.parse('{"a":{"__proto__":1}}'), 'a.__proto__'],
    ['101 levels', nested(101), nested.name],
    ['a cycle', cyclic, 'self'],
    ['a text', 'x', ''],
    ['a list', [1], ''],
    ['null', null, ''],
    ['undefined', undefined, ''],
  ])('refuses an output with %s', async (name, value, path) => {
    const result = await validate(passing(value), {});
    expect(result).toMatchObject({ _tag: 'Left', left: { code: 'INVALID' } });
    const [issue] = (result._tag === 'Left' && result.left.issues) || [];
    if (/levels|cycle/.test(name)) expect(issue?.message).toBe('expected at most 100 levels');
    else expect(issue?.path).toBe(path);
  });

  it('accepts a hundred levels, objects without a prototype, −0 as 0, and leaves out what is undefined', async () => {
    expect(await validate(passing(nested(100)), {})).toMatchObject({ _tag: 'Right' });
    const odd = Object.assign(Object.create(null) as object, { n: -0, note: undefined, nul: 'a\0' });
    const result = await validate(passing(odd), {});
    expect(result).toStrictEqual({ _tag: 'Right', right: { n: 0, nul: 'a\0' } });
  });
});
