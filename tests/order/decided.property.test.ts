import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { expect, it } from 'vitest';
import { decide } from '../../src/order/decide.ts';
import { afterDecided } from '../../src/order/decided.ts';
import type { FoldableEvent } from '../../src/order/evolve.ts';
import { fold } from '../../src/order/fold.ts';
import type { Order } from '../../src/order/order.ts';
import { arbitraries } from '../../src/testing/arbitraries.ts';
import { play } from '../../src/testing/histories.ts';

const { schedules } = arbitraries(fc);

const TIME = '2026-01-01T00:00:00.000Z';

const frozenAll = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozenAll));

it('S14 the state a decision was made with is the one its events fold to once they were written and read', () => {
  fc.assert(
    fc.property(schedules(), (schedule) => {
      for (const { command, before } of play(schedule).units) {
        const decided = decide(command, before);
        if (E.isLeft(decided) || decided.right.length === 0) continue;
        const stream = before?.orderId ?? (command as { readonly orderId: string }).orderId;
        const version = before?.version ?? 0;
        const events = decided.right.map((event, index) => ({ ...event, stream, version: version + index + 1, time: TIME }));
        const read = fold(JSON.parse(JSON.stringify(events)) as FoldableEvent[], before);
        const after = afterDecided(decided.right, before, TIME);
        expect(after).toStrictEqual(read);
        expect(frozenAll(after)).toBe(true);
      }
    }),
    { numRuns: Number(process.env.ORDERFOLD_RUNS ?? 200) },
  );
});

it('a decision knows the state after its own events only: not of others, not from another state, and not twice', () => {
  const plan = { steps: [{ name: 'payment', after: [], undo: 'undo' }] } as const;
  const decided = decide({ type: 'Place', orderId: 'o', details: {}, plan }, undefined);
  if (E.isLeft(decided)) throw new Error(decided.left.message);
  const events = decided.right;
  expect(afterDecided([...events], undefined, TIME)).toBeUndefined();
  const order = fold(events.map((event, index) => ({ ...event, stream: 'o', version: index + 1, time: TIME })));
  expect(afterDecided(events, order, TIME)).toBeUndefined();
  expect(afterDecided(events, undefined, TIME)).toStrictEqual(order);
  expect(afterDecided(events, undefined, TIME)).toBeUndefined();
});

it('a decision about an order leaves the time it was placed at as it was', () => {
  const plan = { steps: [{ name: 'payment', after: [], undo: 'undo' }] } as const;
  const placed = fold([{ type: 'OrderPlaced', data: { details: {}, plan }, stream: 'o', version: 1, time: TIME }]) as Order;
  const decided = decide({ type: 'Cancel', reason: 'x' }, placed);
  if (E.isLeft(decided)) throw new Error(decided.left.message);
  expect(afterDecided(decided.right, placed, '2026-02-02T00:00:00.000Z')).toMatchObject({ status: 'cancelled', placedAt: TIME });
});
