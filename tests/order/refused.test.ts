import { expect, it } from 'vitest';
import { isRefused, refused } from '../../src/order/refused.ts';

it('recognises a refusal of any copy of the package, and nothing else', () => {
  expect(isRefused(refused('declined'))).toBe(true);
  expect(isRefused(JSON.parse(JSON.stringify(refused('declined', { code: 51 }))))).toBe(true);
  for (const other of [undefined, null, 'refused', { reason: 'declined' }, new Error('declined'), () => undefined]) {
    expect(isRefused(other)).toBe(false);
  }
});

it('is a frozen value with reason and details', () => {
  expect(refused('declined')).toStrictEqual({ 'orderfold.refused': true, reason: 'declined' });
  expect(refused('declined', { code: 51 })).toMatchObject({ details: { code: 51 } });
  expect(Object.isFrozen(refused('declined'))).toBe(true);
});
