import { expect, it } from 'vitest';
import { effectKey, stepEventName, stepTypes } from '../../src/order/names.ts';
import { stepInput } from '../../src/order/step-input.ts';
import { plan, story } from './support/story.ts';

it('derives event names from step names, and reads them back', () => {
  expect(stepEventName('payment', 'UndoRequested')).toBe('PaymentUndoRequested');
  const types = stepTypes(['payment', 'creditCheck']);
  expect(types.get('CreditCheckUndone')).toEqual({ step: 'creditCheck', kind: 'Undone' });
  for (const type of ['CreditcheckUndone', 'OrderPlaced', 'constructor', '__proto__', 'Payment', ''])
    expect(types.get(type)).toBeUndefined();
});

it('S1 gives every order, step and direction an effect key of its own', () => {
  const orders = ['a', 'a:payment', 'a:payment:undo', '', ':'];
  const keys = orders.flatMap((order) =>
    ['payment', 'inventory'].flatMap((step) => [effectKey(order, step, 'do'), effectKey(order, step, 'undo')]),
  );
  expect(new Set(keys).size).toBe(keys.length);
});

it('hands a step its order, the results of what it runs after, and its own result to its undo', () => {
  const order = story(plan({ payment: 'undo', fraud: 'nothing', notification: ['undo', 'payment'] }));
  order.succeed('payment', { chargeId: 'ch' });
  order.succeed('fraud', 7);
  expect(stepInput(order.order(), 'notification', 'do')).toStrictEqual({
    orderId: 'o',
    order: { totalMinor: 100, orderId: 'o' },
    results: { payment: { chargeId: 'ch' } },
    result: undefined,
    effectKey: 'o:notification',
  });
  expect(stepInput(order.order(), 'payment', 'undo')).toMatchObject({
    results: {},
    result: { chargeId: 'ch' },
    effectKey: 'o:payment:undo',
  });
});
