import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../src/order/fingerprint.ts';
import { plainJson } from '../../src/order/plain-json.ts';

const json = () => fc.jsonValue({ maxDepth: 4 });

/** The same value with the properties of every object in another order. */
const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, shuffled(item)] as const);
  return Object.fromEntries(entries.reverse());
};

describe('S25 the fingerprint of what was asked', () => {
  it('is the same whatever the order of properties, and whether or not it was stored in between', () => {
    fc.assert(
      fc.property(json(), (value) => {
        expect(fingerprint(shuffled(value))).toBe(fingerprint(value));
        expect(fingerprint(JSON.parse(JSON.stringify(value)))).toBe(fingerprint(value));
      }),
    );
  });

  it('tells different values apart: it reads back as the value', () => {
    fc.assert(
      fc.property(json(), (value) => {
        expect(JSON.parse(fingerprint(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each(['', ' ', 'order-1: a.b', '"', '\\', '""', '\n', '\u2028', '\ud800', '€', 'a"b', 'ß"'])(
    'reads back the text %j, also as a key',
    (text) => {
      expect(JSON.parse(fingerprint({ [text]: [text] }))).toEqual({ [text]: [text] });
      expect(fingerprint([text, 'x'])).toBe(JSON.stringify([text, 'x']));
    },
  );

  it('takes a property that is undefined for one that is absent', () => {
    expect(fingerprint({ a: 1, b: undefined })).toBe('{"a":1}');
  });
});

describe('plainJson', () => {
  it('gives back exactly what JSON would, of whatever JSON can carry', () => {
    fc.assert(
      fc.property(json(), (value) => {
        const text = JSON.stringify(value);
        const result = plainJson(JSON.parse(text));
        if (result._tag === 'Right') expect(JSON.stringify(result.right)).toBe(text);
        else expect(result.left.every(({ path, message }) => /__proto__/.test(path) || /whole characters/.test(message))).toBe(true);
      }),
    );
  });

  it('lists at most 50 of the things it refuses', () => {
    const result = plainJson(Array.from({ length: 60 }, () => undefined));
    expect(result._tag === 'Left' ? result.left.map(({ path }) => path) : []).toEqual(Array.from({ length: 50 }, (_, n) => `[${n}]`));
  });

  it('never throws, and never passes what JSON would change', () => {
    fc.assert(
      fc.property(
        fc.anything({ withDate: true, withMap: true, withBigInt: true, withNullPrototype: true, withSparseArray: true }),
        (value) => {
          const result = plainJson(value);
          if (result._tag === 'Right' && result.right !== undefined) {
            expect(JSON.parse(JSON.stringify(result.right))).toStrictEqual(result.right);
          }
        },
      ),
    );
  });
});
