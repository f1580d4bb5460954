import fc from 'fast-check';
import { arbitraries } from 'orderfold/testing';
import { expect, it } from 'vitest';
import { customerStatus } from './customer-status.ts';

const { histories } = arbitraries(fc);
const FINAL = ['cancelled', 'on its way'];

it('the customer is told how the order ended, and is never told anything else after that', () => {
  fc.assert(
    fc.property(histories(), ({ events, order }) => {
      const told = events.map((_, at) => customerStatus(events.slice(0, at + 1)));
      const end = told.find((status) => FINAL.includes(status));
      if (end !== undefined) expect(told.slice(told.indexOf(end))).toEqual(told.slice(told.indexOf(end)).fill(end));
      if (order.status === 'confirmed') expect(told.at(-1)).toBe('on its way');
      if (order.status === 'cancelled') expect(told.at(-1)).toBe('cancelled');
    }),
  );
});
