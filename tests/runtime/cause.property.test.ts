import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeError } from '../../src/core/error-facts.ts';
import { causeOf } from '../../src/runtime/cause.ts';

const id = fc.oneof(fc.nat().map(String), fc.uuid(), fc.stringMatching(/^[a-z]{2,4}_[0-9][0-9a-f]{4,12}$/));
const line = fc.integer({ min: 1, max: 99_999 });
const folder = fc.constantFrom(
  '/app/src/',
  '/home/some one/shop (new)/src/',
  'C:\\Program Files (x86)\\shop\\src\\',
  'file:///C:/shop/src/',
  'file:///srv/shop/dist/',
  '',
);
const query = fc.constantFrom('', '?t=1767225600000', '?v=2#x');
/** The same call as it shows on different machines, after different edits of the file, awaited or not, called by whomever. */
const frame = (called: string, file: string) =>
  fc.record({ folder, line, column: line, query, awaited: fc.boolean(), before: fc.nat(2), after: fc.nat(3) }).map((at) => {
    const place = `${at.folder}${file}${at.folder.startsWith('file:') ? at.query : ''}:${at.line}:${at.column}`;
    const own = `    at ${at.awaited ? 'async ' : ''}${called === '' ? place : `${called} (${place})`}`;
    const foreign = [
      '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
      `    at async Promise.all (index ${at.line})`,
      `    at send (${at.folder}node_modules/client/index.js:${at.line}:1)`,
    ];
    return [...foreign.slice(0, at.before), own, ...Array<string>(at.after).fill(`    at other (${at.folder}other.ts:${at.line}:1)`)].join(
      '\n',
    );
  });

const failing = (message: string, stack: string | undefined, more: object = {}): Error =>
  Object.assign(Object.defineProperty(new Error(message), 'stack', { value: stack && `Error: ${message}\n${stack}` }), more);
const cause = (thrown: unknown): string => causeOf(describeError(thrown));

describe('the cause of a dead letter', () => {
  it('is the same whatever ids and numbers the message holds, and wherever and in whatever build the same line failed', () => {
    for (const [called, shown] of [
      ['charge', 'charge payment.ts'],
      ['Object.do', 'Object.do payment.ts'],
      ['new Gateway', 'new Gateway payment.ts'],
      ['', 'payment.ts'],
    ] as const) {
      fc.assert(
        fc.property(id, frame(called, 'payment.ts'), (order, stack) => {
          expect(cause(failing(`no answer for ${order}`, stack, { code: 'ETIMEDOUT' }))).toBe(`Error ETIMEDOUT ${shown}`);
        }),
      );
    }
  });

  it('differs where the code, the function or the file does', () => {
    fc.assert(
      fc.property(frame('charge', 'a.ts'), frame('charge', 'b.ts'), frame('refund', 'a.ts'), (a, b, c) => {
        const causes = [
          failing('x', a),
          failing('x', b),
          failing('x', c),
          failing('x', a, { code: 'E1' }),
          failing('x', a, { code: 'E2' }),
        ];
        expect(new Set(causes.map(cause)).size).toBe(5);
      }),
    );
  });

  it('is told by the words of the message where there is no frame of ours, or no error', () => {
    fc.assert(
      fc.property(id, id, fc.constantFrom(undefined, '    at send (/app/node_modules/client/index.js:1:1)'), (one, other, stack) => {
        const thrown = (order: string): readonly unknown[] => [
          failing(`order ${order} was refused`, stack),
          `order ${order} was refused`,
          { message: `order ${order} was refused`, code: 402 },
        ];
        const [error, text, object] = thrown(one).map(cause);
        expect(thrown(other).map(cause)).toEqual([error, text, object]);
        expect(error).toBe('Error HANDLER order # was refused');
        expect(text).toBe('string HANDLER order # was refused');
        expect(object).toBe('object 402 order # was refused');
        expect(cause('the card is stolen')).not.toBe(cause('the card has expired'));
      }),
    );
  });

  it('is a short text that every store takes, whatever was thrown', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ unit: fc.constant('😀'), maxLength: 200 })),
        (thrown) => {
          const told = cause(thrown);
          expect(told.length).toBeGreaterThan(0);
          expect(told.length).toBeLessThanOrEqual(200);
          expect(told).not.toMatch(/\p{Surrogate}|\0/u);
        },
      ),
    );
  });
});
