import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fold } from '../../src/order/fold.ts';
import type { Order } from '../../src/order/order.ts';
import { arbitraries } from '../../src/testing/arbitraries.ts';
import { play } from '../../src/testing/histories.ts';

const { schedules } = arbitraries(fc);

const frozenAll = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozenAll));

it('S14 the plain fold and the one over a shared state agree, event by event and in any runs', () => {
  fc.assert(
    fc.property(schedules(), fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1 }), (schedule, runs) => {
      const { events } = play(schedule);
      let shared: Order | undefined;
      for (let at = 0, n = 0; at < events.length; n += 1) {
        const length = runs[n % runs.length] as number;
        shared = fold(events.slice(at, at + length), shared);
        at += length;
        expect(shared).toStrictEqual(fold(events.slice(0, at)));
        expect(frozenAll(shared)).toBe(true);
      }
    }),
    { numRuns: Number(process.env.ORDERFOLD_RUNS ?? 500) },
  );
});
