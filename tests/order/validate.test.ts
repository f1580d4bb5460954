import { describe, expect, it } from 'vitest';
import { isOrderfoldError } from '../../src/core/errors.ts';
import { pathText } from '../../src/order/rejection.ts';
import type { StandardSchemaV1 } from '../../src/order/standard-schema.ts';
import { validate } from '../../src/order/validate.ts';

const schemaOf = <Output>(run: StandardSchemaV1<unknown, Output>['~standard']['validate']): StandardSchemaV1<unknown, Output> => ({
  '~standard': { version: 1, vendor: 'test', validate: run },
});
const passing = (value: unknown) => schemaOf(() => ({ value }));
const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
/** An instance of a class of this name. */
const named = (name: string): object => new (Object.defineProperty(class {}, 'name', { value: name }))();
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
    expect((error as Error).message).toBe('the order schema failed instead of answering');
    expect((error as Error).cause).toBeInstanceOf(TypeError);
  });

  it.each<[string, unknown, string, string?]>([
    ['a date', { at: new Date(0) }, 'at', 'expected plain JSON, got an object of class Date'],
    ['a map', { m: new Map() }, 'm', 'expected plain JSON, got an object of class Map'],
    ['an instance', { e: new (class Money {})() }, 'e', 'expected plain JSON, got an object of class Money'],
    ['a function', { f: () => 1 }, 'f', 'expected plain JSON, got function'],
    ['a symbol', { s: Symbol('s') }, 's', 'expected plain JSON, got symbol'],
    ['a bigint', { n: 1n }, 'n', 'expected plain JSON, got bigint'],
    ['NaN', { n: [0, Number.NaN] }, 'n[1]', 'expected a finite number, got NaN'],
    ['Infinity', { n: Infinity }, 'n', 'expected a finite number, got Infinity'],
    ['undefined in a list', { list: [1, undefined] }, 'list[1]', 'expected plain JSON, got undefined'],
    ['a hole in a list', { list: new Array(1) }, 'list[0]', 'expected plain JSON, got undefined'],
    ['half a character', { s: 'x\ud800' }, 's', 'expected a text of whole characters'],
    ['half a character in a name', { 'x\ud800': 1 }, '', 'expected property names of whole characters'],
    ['a __proto__ key', JSON.parse('{"a":{"__proto__":1}}'), 'a.__proto__', 'a property of this name is not accepted'],
    [
      'an instance of a class of any name',
      { e: named('X'.repeat(99)) },
      'e',
      `expected plain JSON, got an object of class ${'X'.repeat(60)}`,
    ],
    ['an instance of no class', { e: Object.create(Object.create({})) }, 'e', 'expected plain JSON, got an object of class Object'],
    [
      'an object whose prototype has no name',
      { e: Object.create(Object.create(Object.create(null))) },
      'e',
      'expected plain JSON, got an object with a prototype',
    ],
    ['an instance of a class without a name', { e: new (class {})() }, 'e', 'expected plain JSON, got an object with a prototype'],
    ['101 levels', nested(101), nested.name],
    ['a cycle', cyclic, 'self'],
    ['a text', 'x', '', 'expected an object'],
    ['a list', [1], '', 'expected an object'],
    ['null', null, '', 'expected an object'],
    ['undefined', undefined, '', 'expected plain JSON, got undefined'],
  ])('refuses an output with %s', async (name, value, path, message) => {
    const result = await validate(passing(value), {});
    expect(result).toMatchObject({ _tag: 'Left', left: { code: 'INVALID' } });
    const [issue] = (result._tag === 'Left' && result.left.issues) || [];
    if (/levels|cycle/.test(name)) expect(issue?.message).toBe('expected at most 100 levels');
    else expect(issue).toEqual({ path, message });
  });

  it('accepts a hundred levels, objects without a prototype, −0 as 0, and leaves out what is undefined', async () => {
    expect(await validate(passing(nested(100)), {})).toMatchObject({ _tag: 'Right' });
    const odd = Object.assign(Object.create(null) as object, { n: -0, note: undefined, nul: 'a\0' });
    const result = await validate(passing(odd), {});
    expect(result).toStrictEqual({ _tag: 'Right', right: { n: 0, nul: 'a\0' } });
  });
});

describe('a path', () => {
  it.each<[readonly PropertyKey[], string]>([
    [[], ''],
    [['items', 2, 'sku'], 'items[2].sku'],
    [['items', '2', 'sku'], 'items[2].sku'],
    [[0, 'a'], '[0].a'],
    [['$a', '_b', 'c1'], '$a._b.c1'],
    [['1a', 'a-b', ''], '["1a"]["a-b"][""]'],
    [['a'.repeat(100)], 'a'.repeat(100)],
    [['a'.repeat(101)], `["${'a'.repeat(100)}"]`],
    [['1'.repeat(15)], `[${'1'.repeat(15)}]`],
    [['1'.repeat(16)], `["${'1'.repeat(16)}"]`],
    [[1e300, -1], '[1e+300][-1]'],
    [[Symbol('s')], '["Symbol(s)"]'],
  ])('reads as people write it, case %#', (keys, path) => {
    expect(pathText(keys)).toBe(path);
  });
});
