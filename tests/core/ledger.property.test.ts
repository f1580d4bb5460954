import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeError } from '../../src/core/error-facts.ts';
import { type Attempt, type AttemptLedger, EMPTY_LEDGER, recordAttempt } from '../../src/core/ledger.ts';

const attemptNumber = (attempt: number): Attempt => ({
  attempt,
  generation: 0,
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:00.100Z',
  worker: 'w1',
  error: describeError('boom'),
  delayMs: 200,
  rule: 'exponential backoff, 0–200 ms',
});
const ledgerOf = (total: number): AttemptLedger =>
  Array.from({ length: total }, (_, i) => attemptNumber(i + 1)).reduce(recordAttempt, EMPTY_LEDGER);

describe('the attempt ledger', () => {
  it('R3 keeps the first 5 and the last 15 in order and counts what is between them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), (total) => {
        const { attempts, omitted } = ledgerOf(total);
        const all = Array.from({ length: total }, (_, i) => i + 1);
        expect(attempts.map(({ attempt }) => attempt)).toEqual(total <= 20 ? all : [...all.slice(0, 5), ...all.slice(-15)]);
        expect(attempts.length + omitted).toBe(total);
      }),
    );
  });

  it('is a new value each time, and goes on after a round trip through JSON', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), (total) => {
        const before = ledgerOf(total);
        const stored: AttemptLedger = JSON.parse(JSON.stringify(before));
        const grown = recordAttempt(before, attemptNumber(total + 1));
        expect(before).toEqual(stored);
        expect(recordAttempt(stored, attemptNumber(total + 1))).toEqual(grown);
      }),
    );
    expect(EMPTY_LEDGER).toEqual({ attempts: [], omitted: 0 });
  });
});
