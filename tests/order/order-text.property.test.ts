import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fold } from '../../src/order/fold.ts';
import { orderText } from '../../src/order/order-text.ts';
import { arbitraries } from '../../src/testing/arbitraries.ts';
import { play } from '../../src/testing/histories.ts';

const { schedules } = arbitraries(fc);

it('S14 the kept text of an order says what JSON.stringify says of it, at every version', () => {
  fc.assert(
    fc.property(schedules(), (schedule) => {
      const { events } = play(schedule);
      for (let version = 1; version <= events.length; version += 1) {
        const order = fold(events.slice(0, version));
        if (order === undefined) throw new Error('nothing was folded');
        expect(JSON.parse(orderText(order))).toStrictEqual(JSON.parse(JSON.stringify(order)));
      }
    }),
    { numRuns: Number(process.env.ORDERFOLD_RUNS ?? 200) },
  );
});

it('the text of an order whose details are no object is that of JSON.stringify', () => {
  const plan = { steps: [{ name: 'payment', after: [], undo: 'undo' }] };
  for (const details of [undefined, null, 'a text']) {
    const order = fold([{ type: 'OrderPlaced', stream: 'o', version: 1, time: '', data: { details, plan } }]);
    expect(order && orderText(order)).toBe(JSON.stringify(order));
  }
});
