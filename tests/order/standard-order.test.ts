import { describe, expect, it } from 'vitest';
import { OrderSaga } from '../../src/order/saga.ts';
import { standardOrder } from '../../src/order/standard-order.ts';
import { validate } from '../../src/order/validate.ts';

const { schema } = OrderSaga.define();
const item = { sku: 'book', quantity: 2, unitPriceMinor: 1250 };
const body = { customerId: 'c-1', currency: 'EUR', items: [item] };

const issuesOf = async (input: unknown): Promise<Readonly<Record<string, string>>> => {
  const result = await validate(schema, input);
  if (result._tag === 'Right') return {};
  expect(result.left.code).toBe('INVALID');
  return Object.fromEntries((result.left.issues ?? []).map(({ path, message }) => [path, message]));
};
const paths = async (input: unknown) => Object.keys(await issuesOf(input));
const withItem = (change: object) => ({ ...body, items: [{ ...item, ...change }] });

describe('the standard order', () => {
  it('adds the total in minor units', async () => {
    const result = await validate(schema, { ...body, items: [item, { sku: 'pen', quantity: 1, unitPriceMinor: 300 }] });
    expect(result).toMatchObject({ _tag: 'Right', right: { customerId: 'c-1', currency: 'EUR', totalMinor: 2800 } });
  });

  it('is stored as a frozen copy', async () => {
    const input = structuredClone(body);
    const result = await validate(schema, input);
    input.items[0] = { ...item, sku: 'changed' };
    expect(result).toMatchObject({ right: { items: [{ sku: 'book' }] } });
    if (result._tag === 'Right') expect(Object.isFrozen(result.right.items[0])).toBe(true);
  });

  it.each<[string, unknown]>([
    ['one item', body],
    ['a hundred', { ...body, items: Array.from({ length: 100 }, () => item) }],
    ['the largest quantity', withItem({ quantity: 1_000_000, unitPriceMinor: 1 })],
    ['the highest price', withItem({ quantity: 1, unitPriceMinor: 1_000_000_000 })],
    ['a gift', withItem({ unitPriceMinor: 0 })],
    ['−0 as a price', withItem({ unitPriceMinor: -0 })],
    ['200 characters, also those of two units', { ...body, customerId: '🧾'.repeat(200) }],
    ['a name that is markup', withItem({ sku: '<img src=x onerror=alert(1)>' })],
    ['an id of __proto__', { ...body, customerId: '__proto__' }],
  ])('accepts %s', async (_, input) => {
    expect(await issuesOf(input)).toEqual({});
  });

  it('stores −0 as 0', async () => {
    const result = await validate(schema, withItem({ unitPriceMinor: -0 }));
    if (result._tag === 'Left') throw new Error(result.left.message);
    expect(Object.is(result.right.totalMinor, 0)).toBe(true);
    expect(Object.is(result.right.items[0]?.unitPriceMinor, 0)).toBe(true);
    expect(await standardOrder['~standard'].validate(withItem({ unitPriceMinor: -0 }))).toStrictEqual({
      value: { ...withItem({ unitPriceMinor: 0 }), totalMinor: 0 },
    });
  });

  it.each<[string, unknown, readonly string[]]>([
    ['nothing', undefined, ['']],
    ['null', null, ['']],
    ['an array', [body], ['']],
    ['a text', 'order', ['']],
    ['an empty object', {}, ['customerId', 'currency', 'items']],
    ['no items', { ...body, items: [] }, ['items']],
    ['101 items', { ...body, items: Array.from({ length: 101 }, () => item) }, ['items']],
    ['items that are none', { ...body, items: [null, 'x', []] }, ['items[0]', 'items[1]', 'items[2]']],
    ['a list with holes', { ...body, items: new Array(2) }, ['items[0]', 'items[1]']],
    ['a missing field of an item', { ...body, items: [item, {}] }, ['items[1].sku', 'items[1].quantity', 'items[1].unitPriceMinor']],
    ['a lower-case currency', { ...body, currency: 'eur' }, ['currency']],
    ['a currency with a line end', { ...body, currency: 'EUR\n' }, ['currency']],
    ['a currency of four letters', { ...body, currency: 'EURO' }, ['currency']],
    ['a currency with a letter before it', { ...body, currency: 'xEUR' }, ['currency']],
    ['a currency that is a list', { ...body, currency: ['EUR'] }, ['currency']],
    ['no quantity at all', withItem({ quantity: 0 }), ['items[0].quantity']],
    ['a negative quantity', withItem({ quantity: -1 }), ['items[0].quantity']],
    ['−0 as a quantity', withItem({ quantity: -0 }), ['items[0].quantity']],
    ['a million and one', withItem({ quantity: 1_000_001 }), ['items[0].quantity']],
    ['half a book', withItem({ quantity: 0.5 }), ['items[0].quantity']],
    ['a quantity in text', withItem({ quantity: '2' }), ['items[0].quantity']],
    ['NaN and Infinity', withItem({ quantity: Number.NaN, unitPriceMinor: Infinity }), ['items[0].quantity', 'items[0].unitPriceMinor']],
    [
      '1e400',
      JSON.parse('{"customerId":"c","currency":"EUR","items":[{"sku":"x","quantity":1e400,"unitPriceMinor":12345678901234567890}]}'),
      ['items[0].quantity', 'items[0].unitPriceMinor'],
    ],
    ['a price above 10^9', withItem({ unitPriceMinor: 1_000_000_001 }), ['items[0].unitPriceMinor']],
    ['an empty id', { ...body, customerId: '' }, ['customerId']],
    ['201 characters', { ...body, customerId: 'x'.repeat(201) }, ['customerId']],
    ['a very long id', { ...body, customerId: 'x'.repeat(1_000_000) }, ['customerId']],
    ['half a character', { ...body, customerId: '\ud800' }, ['customerId']],
    ['NUL', withItem({ sku: 'a\0' }), ['items[0].sku']],
    ['an unknown field', { ...body, totalMinor: 1 }, ['totalMinor']],
    ['an unknown field of an item', withItem({ discount: 1 }), ['items[0].discount']],
    ['an odd field name', { ...body, 'a b': 1 }, ['["a b"]']],
    [
      'a __proto__ key',
      JSON.parse('{"__proto__":{"isAdmin":true},"customerId":"c","currency":"EUR","items":[{"sku":"x","quantity":1,"unitPriceMinor":1}]}'),
      ['__proto__'],
    ],
    ['a field that is only inherited', Object.create(body), ['customerId', 'currency', 'items']],
  ])('refuses %s and names the field', async (_, input, expected) => {
    expect(await paths(input)).toEqual(expected);
  });

  it('says of each field at fault what was expected there', async () => {
    const text = 'expected a text of 1 to 200 characters';
    const nothing = { path: '', message: 'expected an object with customerId, currency, items' };
    expect(await validate(schema, null)).toMatchObject({
      left: { message: 'the order can not be taken like this', issues: [nothing] },
    });
    expect(await issuesOf({ customerId: '', currency: 'eur', items: {}, note: 1 })).toEqual({
      note: 'unknown field; expected only customerId, currency, items',
      customerId: text,
      currency: 'expected three capital letters',
      items: 'expected 1 to 100 items',
    });
    expect(await issuesOf({ ...body, customerId: '\ud800', items: [{ sku: 7, quantity: 0, unitPriceMinor: -1, x: 1 }, 'x'] })).toEqual({
      customerId: `${text}, without NUL and half characters`,
      'items[0].x': 'unknown field; expected only sku, quantity, unitPriceMinor',
      'items[0].sku': text,
      'items[0].quantity': 'expected a whole number from 1 to 1000000',
      'items[0].unitPriceMinor': 'expected a whole number from 0 to 1000000000',
      'items[1]': 'expected an object with sku, quantity, unitPriceMinor',
    });
    const lines = Array.from({ length: 10 }, () => ({ ...item, quantity: 1_000_000, unitPriceMinor: 1_000_000_000 }));
    expect(await issuesOf({ ...body, items: lines })).toEqual({ items: 'expected a total of at most 9007199254740991' });
  });

  it('calls itself a Standard Schema of version 1', () => {
    expect(schema['~standard']).toMatchObject({ version: 1, vendor: 'orderfold' });
    expect(Object.isFrozen(schema) && Object.isFrozen(schema['~standard'])).toBe(true);
  });

  it('refuses a total above 2^53−1, exactly there', async () => {
    const line = { sku: 'x', quantity: 1_000_000, unitPriceMinor: 1_000_000_000 };
    const nine = Array.from({ length: 9 }, () => line);
    const rest = Number.MAX_SAFE_INTEGER - 9e15;
    const parts = [
      { sku: 'y', quantity: 1_000_000, unitPriceMinor: Math.floor(rest / 1_000_000) },
      { sku: 'z', quantity: 1, unitPriceMinor: rest % 1_000_000 },
    ];
    expect(await validate(schema, { ...body, items: [...nine, ...parts] })).toMatchObject({
      right: { totalMinor: Number.MAX_SAFE_INTEGER },
    });
    expect(await paths({ ...body, items: [...nine, ...parts, { sku: 'w', quantity: 1, unitPriceMinor: 1 }] })).toEqual(['items']);
  });

  it('lists at most 50 issues and quotes no values', async () => {
    const result = await validate(schema, Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`k${n}`, 'secret'])));
    if (result._tag === 'Right') throw new Error('accepted');
    expect(result.left.issues).toHaveLength(50);
    expect(JSON.stringify(result.left)).not.toContain('secret');
  });

  it('cuts a field name of any length', async () => {
    const [path] = await paths({ ...body, ['x'.repeat(100_000)]: 1 });
    expect(path?.length).toBeLessThan(120);
  });
});
