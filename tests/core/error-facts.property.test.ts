import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeError } from '../../src/core/error-facts.ts';
import { redact } from '../../src/core/redact.ts';

/** One link of a chain of causes as data, so that a counterexample can be read. */
interface Link {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly errors: readonly unknown[];
}

const text = (units: readonly string[], min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...units), minLength: min, maxLength: max });

const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3000 }),
  text(['\ud800', '\0', '4', '1', '@', ' ', 'token=', '://', '"'], 0, 1200),
  fc.anything(),
);

const link: fc.Arbitrary<Link> = fc.record({
  properties: fc.record({ message: odd, name: odd, code: odd, stack: odd, retryAfterMs: fc.oneof(fc.double(), odd), retryAfter: odd }),
  errors: fc.array(odd, { maxLength: 3 }),
});

const built = (links: readonly Link[]): unknown =>
  links.reduceRight<unknown>((cause, { properties, errors }) => Object.assign(new Error('x'), { ...properties, errors, cause }), undefined);

const strings = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : [];
};

const describesWell = (error: unknown): void => {
  const facts = describeError(error);
  expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
  expect(facts.causes.length).toBeLessThanOrEqual(5);
  expect(facts.retryAfterMs ?? 0).toBeGreaterThanOrEqual(0);
  for (const kept of strings(facts)) {
    expect(kept.length).toBeLessThanOrEqual(1000);
    expect(kept).not.toMatch(/\p{Surrogate}|\0/u);
  }
};

describe('describeError', () => {
  it('R24 tells of any error in bounded, well-formed, plain JSON', () => {
    fc.assert(
      fc.property(fc.array(link, { maxLength: 8 }), (links) => {
        describesWell(built(links));
      }),
    );
  });

  it('R24 tells of anything else that is thrown in the same way', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true }),
        (value) => {
          describesWell(value);
        },
      ),
    );
  });
});

/** The digits with their check digit behind them. */
const withCheckDigit = (digits: string): string => {
  const doubled = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
  const sum = [...digits].reverse().reduce((total, digit, i) => total + (i % 2 === 0 ? (doubled[Number(digit)] ?? 0) : Number(digit)), 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
};

const decimal = [...'0123456789'];
const noise = text([...'ab:/@=,; {}'], 0, 30);
const templates = [
  'postgres://user:SECRET@host/db',
  'password=SECRET',
  '{"token":"SECRET"}',
  '{\\"api_key\\":\\"SECRET\\"}',
  'authorization: Bearer SECRET',
];

describe('redact', () => {
  it('R24 lets no planted secret through, whatever stands around it', () => {
    fc.assert(
      fc.property(noise, fc.constantFrom(...templates), text([...'abcXYZ0189_'], 8, 24), noise, (before, template, secret, after) => {
        const planted = `S3cr3t${secret}`;
        expect(redact(`${before} ${template.replace('SECRET', planted)} ${after}`)).not.toContain(planted);
      }),
    );
  });

  it('R24 lets no card number through, however it is grouped and whatever number stands beside it', () => {
    const beside = fc.oneof(fc.constantFrom('', 'order '), text(decimal, 1, 6));
    const digits = text(decimal, 12, 18);
    fc.assert(
      fc.property(
        beside,
        digits,
        fc.integer({ min: 3, max: 8 }),
        fc.constantFrom('', ' ', '-'),
        beside,
        (before, body, size, between, after) => {
          const written = (withCheckDigit(body).match(new RegExp(`.{1,${size}}`, 'g')) ?? []).join(between);
          const safe = redact(`${before} ${written} ${after}`);
          expect(safe).toContain('[redacted]');
          expect(safe).not.toContain(written);
        },
      ),
    );
  });

  it('changes nothing the second time', () => {
    const units = [
      'password',
      'token',
      '=',
      ':',
      '"',
      "'",
      '\\',
      ' ',
      '://',
      'http',
      'u',
      '@',
      '/',
      'bearer ',
      'a1b2c3d4',
      '4111111111111111',
    ];
    fc.assert(
      fc.property(text([...units, '41', '-', 'cookie', '\n', ',', '&'], 0, 25), (given) => {
        const once = redact(given);
        expect(redact(once)).toBe(once);
      }),
      {
        numRuns: Number(process.env.ORDERFOLD_RUNS ?? 3000),
        examples: [['cookie:""password'], ['4111111111111111bearer a1b2c3d4'], ['"password":"x",1']],
      },
    );
  });

  it.each([
    'x://',
    'x://y:',
    'password',
    'a-',
    '4 ',
    '1',
    'bearer ',
    '"',
    '\\"',
    'eyJaaaaa.',
    '-----BEGIN PRIVATE KEY-----',
    'token="',
    'cookie:',
  ])('reads 4,000 characters in a moment when all of it is %j', (piece) => {
    const startedMs = performance.now();
    redact(piece.repeat(4000 / piece.length));
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});
