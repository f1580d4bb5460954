import type { Arbitrary } from 'fast-check';
import type { OrderRequest } from '../order/standard-order.ts';
import type { FastCheck } from './arbitraries.ts';

/** Texts that programs stumble over and that are allowed: markup, SQL, right-to-left, astral planes, names every object has. */
const ODD = [
  '<img src=x onerror=alert(1)>',
  '</script>',
  "x'; drop table events;--",
  'a%_\\',
  '\u202eabc',
  '\u{1f469}\u200d\u{1f680}',
  'e\u0301',
  '\ufeff',
  '__proto__',
  'constructor',
  ' ',
  '\n',
  '\u0001',
] as const;

/** 1 to 200 characters without NUL and half characters. */
const texts = (fc: FastCheck): Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }).map((text) => text.replaceAll('\0', '\u0001')) },
    { weight: 1, arbitrary: fc.constantFrom(...ODD, '\u{1f4e6}'.repeat(200)) },
  );

/** Orders as a customer may ask for them: what `place` takes when the saga names no schema. */
export const requestsOf = (fc: FastCheck): Arbitrary<OrderRequest> => {
  const text = texts(fc);
  const unitPriceMinor = fc.oneof(fc.constantFrom(0, 1, 1_000_000_000), fc.integer({ min: 0, max: 1_000_000_000 }));
  const quantity = fc.oneof(fc.constantFrom(1, 2), fc.integer({ min: 1, max: 80_000 }));
  const item = fc.record({ sku: text, quantity, unitPriceMinor });
  const currency = fc.oneof(fc.constantFrom('EUR', 'USD', 'JPY'), fc.stringMatching(/^[A-Z]{3}$/));
  return fc.record({ customerId: text, currency, items: fc.array(item, { minLength: 1, maxLength: 100 }) });
};
