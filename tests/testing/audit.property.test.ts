import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectKey } from '../../src/order/names.ts';
import { arbitraries } from '../../src/testing/arbitraries.ts';
import { audit, invariants } from '../../src/testing/audit.ts';
import { type History, ORDER_ID } from '../../src/testing/histories.ts';
import type { Effect, RecordedRun } from '../../src/testing/recorded-run.ts';
import { runOf, storedOf } from './support/written.ts';

const { histories } = arbitraries(fc);

/** What happened outside, in the order of the commands that told of it. */
const effectsOf = ({ units, outside }: History): readonly Effect[] => {
  const effects: Effect[] = [];
  const told = new Set<string>();
  for (const { outside: now } of [...units, { outside }]) {
    for (const [direction, steps] of [
      ['do', now.happened],
      ['undo', now.undone],
    ] as const) {
      for (const step of steps) {
        const key = effectKey(ORDER_ID, step, direction);
        if (told.has(key)) continue;
        told.add(key);
        const amountMinor = step === 'payment' ? 100 : null;
        effects.push({ orderId: ORDER_ID, step, direction, key, amountMinor, at: effects.length });
      }
    }
  }
  return effects;
};

const recorded = (history: History, stage: RecordedRun['stage']): RecordedRun =>
  runOf(
    history.events.map((event) => storedOf(event)),
    { effects: effectsOf(history), stage },
  );

describe('the invariants', () => {
  it('S1 to S22 hold of every history the library decides, come to its quiet end', () => {
    const seen: Record<string, number> = {};
    fc.assert(
      fc.property(histories(), (history) => {
        const { checked, violations } = audit(recorded(history, 'settled'));
        expect(violations).toEqual([]);
        for (const [id, count] of Object.entries(checked)) seen[id] = (seen[id] ?? 0) + count;
      }),
      { numRuns: 1_000 },
    );
    const unseen = Object.keys(seen).filter((id) => id.startsWith('S') && seen[id] === 0);
    expect(unseen.filter((id) => id !== 'S22')).toEqual([]);
  });

  it('S1 to S22 say nothing of what they can not know: any history broken off anywhere holds while it runs', () => {
    fc.assert(
      fc.property(histories(), fc.nat(), (history, n) => {
        const cut = 1 + (n % history.events.length);
        const run = runOf(
          history.events.slice(0, cut).map((event) => storedOf(event)),
          { stage: 'running' },
        );
        expect(audit(run).violations).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('are each a sentence under a number of its own', () => {
    expect(new Set(invariants.map(({ id }) => id)).size).toBe(invariants.length);
    for (const { id, says } of invariants) {
      expect(id).toMatch(/^[SR]\d+$/);
      expect(says).toMatch(/^[a-z].* .*[^.]$/);
    }
  });
});
