import { describe, expect, it } from 'vitest';
import { isOrderfoldError } from '../../src/core/errors.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { refused } from '../../src/order/refused.ts';
import { type AnyOrderSaga, OrderSaga } from '../../src/order/saga.ts';
import { standardOrder } from '../../src/order/standard-order.ts';

const run = { do: () => ({ id: 1 }), undo: () => undefined };
const config = (define: () => unknown): string => {
  try {
    define();
  } catch (error) {
    if (isOrderfoldError(error, 'CONFIG')) return error.message;
    throw error;
  }
  return 'accepted';
};
/** What the compiler would not let through, as JavaScript callers can write it. */
const loose = (saga: unknown) => saga as { step(name: unknown, options: unknown): { step(name: unknown, options: unknown): unknown } };

describe('OrderSaga', () => {
  it('makes the plan that is stored with every order', () => {
    const saga = OrderSaga.define({ deadlineMs: 1_000 })
      .step('payment', run)
      .step('fraud', { ...run, undo: 'nothing' })
      .step('notification', { after: ['payment', 'fraud'], ...run, undo: 'irreversible' });
    expect(saga.plan).toEqual({
      deadlineMs: 1_000,
      steps: [
        { name: 'payment', after: [], undo: 'undo' },
        { name: 'fraud', after: [], undo: 'nothing' },
        { name: 'notification', after: ['payment', 'fraud'], undo: 'irreversible' },
      ],
    });
    expect(OrderSaga.define().plan).toStrictEqual({ steps: [] });
  });

  it('fills in the defaults: 30 s, six attempts, three times as many for the undo, the standard order', () => {
    const saga = OrderSaga.define().step('payment', run);
    expect(saga.schema).toBe(standardOrder);
    expect(saga.steps[0]).toMatchObject({ name: 'payment', after: [], undoKind: 'undo', timeoutMs: 30_000, neverRefuses: false });
    expect(saga.steps[0]?.retry).toBe(RetryPolicy.default);
    expect(saga.steps[0]?.undoRetry.attempts).toBe(18);
    expect(saga.steps[0]?.query).toBeUndefined();
  });

  it('gives an undo without end to a step without end, and the policy it is given', () => {
    const endless = OrderSaga.define().step('payment', { ...run, retry: RetryPolicy.fixed({ delayMs: 5 }) });
    expect(endless.steps[0]?.undoRetry.attempts).toBeUndefined();
    const own = OrderSaga.define().step('payment', { ...run, undoRetry: RetryPolicy.never() });
    expect(own.steps[0]?.undoRetry.explain()).toBe(RetryPolicy.never().explain());
  });

  it('is frozen, and every step makes a new one', () => {
    const one = OrderSaga.define().step('payment', run);
    const two = one.step('inventory', run);
    expect(one.steps.map(({ name }) => name)).toEqual(['payment']);
    expect(two.steps.map(({ name }) => name)).toEqual(['payment', 'inventory']);
    for (const part of [one, one.plan, one.plan.steps, one.plan.steps[0], one.plan.steps[0]?.after, one.steps, one.steps[0], OrderSaga]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it.each([
    'Payment',
    'pay-ment',
    '1st',
    '',
    'a'.repeat(41),
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'order',
    'step',
    'deadLetter',
    'cancellation',
    'deadline',
    'undo',
    'undone',
    'timers',
    'relay',
    7,
    undefined,
  ])('refuses the step name %j', (name) => {
    expect(config(() => loose(OrderSaga.define()).step(name, run))).toMatch(/^OrderSaga\.step: expected a name/);
  });

  it('refuses names that would share an event with another step', () => {
    expect(config(() => loose(OrderSaga.define()).step('payment', run).step('payment', run))).toMatch(/there is a step "payment" already/);
    expect(config(() => OrderSaga.define().step('payment', run).step('paymentUndo', run))).toMatch(
      /would both write the event PaymentUndoRequested/,
    );
    expect(config(() => OrderSaga.define().step('paymentUndo', run).step('payment', run))).toMatch(
      /would both write the event PaymentUndoRequested/,
    );
    expect(config(() => OrderSaga.define().step('payment', run).step('paymentRequested', run))).toBe('accepted');
  });

  it.each<[string, object, RegExp]>([
    ['no do', { undo: 'nothing' }, /expected do to be a function, got undefined/],
    ['no undo', { do: run.do }, /expected undo to be a function, 'nothing' or 'irreversible', got undefined/],
    ['another undo', { do: run.do, undo: 'later' }, /got "later"/],
    ['an unknown option', { ...run, retries: 3 }, /expected only the options .*, got "retries"/],
    ['a retry that is a number', { ...run, retry: 3 }, /expected retry to be a RetryPolicy, got 3/],
    ['a retry that only looks like one', { ...run, undoRetry: { rules: [] } }, /expected undoRetry to be a RetryPolicy/],
    ['a retry that is null', { ...run, retry: null }, /expected retry to be a RetryPolicy, got null/],
    ['a retry that is a function', { ...run, retry: Object.assign(() => 1, { rules: [], scale: () => 1 }) }, /expected retry to be/],
    ['no time at all', { ...run, timeoutMs: 0 }, /expected timeoutMs/],
    ['a query that is none', { ...run, query: true }, /expected query to be a function/],
    ['an after that is no list', { ...run, after: 'payment' }, /expected after to be an array/],
    ['an after of later steps', { ...run, after: ['later'] }, /expected after to name earlier steps \(first\), got "later"/],
    ['itself in after', { ...run, after: ['second'] }, /expected after to name earlier steps/],
    ['no place for a handler', { ...run, concurrency: 0 }, /expected concurrency/],
    ['a rate without its time', { ...run, rateLimit: { count: 5 } }, /step\("second"\)\.rateLimit: expected perMs/],
    ['a breaker that never trips', { ...run, breaker: { trip: 0 } }, /step\("second"\)\.breaker: expected trip/],
    ['a truthy promise', { ...run, neverRefuses: 1 }, /expected neverRefuses to be true or false/],
  ])('refuses %s', (_, options, message) => {
    expect(config(() => loose(OrderSaga.define()).step('first', run).step('second', options))).toMatch(message);
  });

  it('names the steps that after could name, and what to do about a step that could refuse', () => {
    const after = { ...run, after: ['later'] };
    expect(config(() => loose(OrderSaga.define()).step('first', after))).toContain('expected after to name earlier steps (there are none)');
    const two = OrderSaga.define().step('a', run).step('b', run);
    expect(config(() => loose(two).step('c', after))).toContain('expected after to name earlier steps (a, b), got "later"');
    expect(
      config(() =>
        OrderSaga.define()
          .step('mail', { ...run, undo: 'irreversible' })
          .step('archive', run),
      ),
    ).toBe(
      'OrderSaga.step("archive"): it could refuse when "mail" can no longer be taken back; ' +
        'let "mail" run after it, or promise neverRefuses: true',
    );
  });

  it('hands on the undo where it is a function', () => {
    const undoOf = (undo: unknown) => (loose(OrderSaga.define()).step('payment', { ...run, undo }) as unknown as AnyOrderSaga).steps[0];
    expect(undoOf(run.undo)).toMatchObject({ undoKind: 'undo', undo: run.undo });
    expect(undoOf('nothing')).toMatchObject({ undoKind: 'nothing', undo: undefined });
    expect(undoOf('irreversible')).toMatchObject({ undoKind: 'irreversible', undo: undefined });
  });

  it('takes a name in after once', () => {
    expect(
      OrderSaga.define()
        .step('a', run)
        .step('b', { ...run, after: ['a', 'a'] }).plan.steps[1]?.after,
    ).toEqual(['a']);
  });

  it('refuses options it does not know, deadlines that are none and schemas that are none', () => {
    expect(config(() => OrderSaga.define({ deadline: 5 } as never))).toMatch(/expected only the options deadlineMs, order/);
    expect(config(() => OrderSaga.define({ deadlineMs: -1 }))).toMatch(/expected deadlineMs/);
    expect(config(() => OrderSaga.define({ deadlineMs: Number.NaN }))).toMatch(/expected deadlineMs/);
    const standard = standardOrder['~standard'];
    const none = [
      {},
      null,
      7,
      'schema',
      () => 1,
      { '~standard': { ...standard, version: 2 } },
      { '~standard': { ...standard, validate: 1 } },
    ];
    for (const order of none) {
      expect(config(() => OrderSaga.define({ order: order as never }))).toMatch(
        /^OrderSaga\.define: expected order to be a Standard Schema/,
      );
    }
    const callable = Object.assign(() => undefined, standardOrder);
    expect(OrderSaga.define({ order: callable }).schema).toBe(callable);
  });
});

describe('S6 the point of no return', () => {
  const willing = { ...run, neverRefuses: true } as const;
  const last = { ...run, undo: 'irreversible' } as const;

  it('lets no step refuse that may run after or beside it', () => {
    expect(config(() => OrderSaga.define().step('mail', last).step('archive', run))).toMatch(/"archive".* could refuse when "mail"/);
    expect(
      config(() =>
        OrderSaga.define()
          .step('mail', last)
          .step('archive', { ...run, after: ['mail'] }),
      ),
    ).toMatch(/could refuse/);
    expect(config(() => OrderSaga.define().step('payment', run).step('mail', last))).toMatch(/"payment".* could refuse when "mail"/);
    expect(config(() => OrderSaga.define().step('mail', last).step('archive', willing))).toBe('accepted');
    expect(config(() => OrderSaga.define().step('payment', willing).step('mail', last))).toBe('accepted');
  });

  it('lets steps refuse that it waits for, directly or through others, and the irreversible step itself', () => {
    const saga = () =>
      OrderSaga.define()
        .step('payment', run)
        .step('fraud', { ...run, after: ['payment'], undo: 'nothing' })
        .step('mail', { ...last, after: ['fraud'] });
    expect(config(saga)).toBe('accepted');
  });

  it('lets no second irreversible step refuse after a first, and neither of two parallel ones', () => {
    expect(
      config(() =>
        OrderSaga.define()
          .step('mail', last)
          .step('post', { ...last, after: ['mail'] }),
      ),
    ).toMatch(/"post"/);
    expect(
      config(() =>
        OrderSaga.define()
          .step('mail', last)
          .step('post', { ...last, after: ['mail'], neverRefuses: true }),
      ),
    ).toBe('accepted');
    expect(
      config(() =>
        OrderSaga.define()
          .step('mail', last)
          .step('post', { ...last, neverRefuses: true }),
      ),
    ).toMatch(/"mail"/);
  });

  it('counts a promise only at its word, whatever do returns', () => {
    const doubtful = { do: () => refused('no'), undo: 'nothing' as const };
    expect(config(() => OrderSaga.define().step('mail', last).step('archive', doubtful))).toMatch(/could refuse/);
  });
});
