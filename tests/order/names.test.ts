import { expect, it } from 'vitest';
import { checkStepName, effectKey, stepEventName, stepTypes } from '../../src/order/names.ts';
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

it('says what is wrong with a step name, and quotes no more than its beginning', () => {
  const problem = (name: unknown, earlier: readonly string[] = []): string => {
    try {
      checkStepName(name, earlier);
    } catch (error) {
      return (error as Error).message;
    }
    return 'accepted';
  };
  const shape = 'OrderSaga.step: expected a name of a lower-case letter, then at most 39 letters and digits, that not every object has';
  expect(problem('Pay"ment')).toBe(`${shape}, got "Pay\\"ment"`);
  expect(problem('p-'.repeat(500))).toBe(`${shape}, got "${'p-'.repeat(30)}"`);
  expect(problem(7)).toBe(`${shape}, got number`);
  expect(problem('undo')).toBe(
    'OrderSaga.step: expected a name other than order, step, deadLetter, cancellation, deadline, undo, undone, timers, relay, got "undo"',
  );
  expect(problem('mail', ['payment', 'mail'])).toBe('OrderSaga.step: there is a step "mail" already');
  expect(problem('a', ['b', 'aUndo'])).toBe(
    'OrderSaga.step: the steps "aUndo" and "a" would both write the event AUndoRequested; rename one',
  );
  expect([problem('a'.repeat(40)), problem('a1B2', ['b'])]).toEqual(['accepted', 'accepted']);
});
