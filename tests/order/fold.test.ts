import { describe, expect, it } from 'vitest';
import { isOrderfoldError } from '../../src/core/errors.ts';
import type { FoldableEvent } from '../../src/order/evolve.ts';
import { fold } from '../../src/order/fold.ts';
import type { Order } from '../../src/order/order.ts';
import { measureFold } from '../bench/fold.ts';
import { plan, story } from './support/story.ts';

const shop = plan({ payment: 'undo', notification: ['irreversible', 'payment'] });

const told = () => {
  const order = story(shop);
  order.succeed('payment', { chargeId: 'ch', lines: [{ n: 1 }] });
  return order.events();
};

const frozenAll = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozenAll));

const next = (order: Order, event: Partial<FoldableEvent>): FoldableEvent =>
  ({ stream: 'o', version: order.version + 1, time: '', data: {}, type: 'OrderConfirmed', ...event }) as FoldableEvent;

const thrownBy = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('fold', () => {
  it('gives plain JSON that survives being stored', () => {
    const order = fold(told()) as Order;
    expect(JSON.parse(JSON.stringify(order))).toStrictEqual(order);
  });

  it('of nothing is what was there before', () => {
    const order = fold(told()) as Order;
    expect(fold([])).toBeUndefined();
    expect(fold([], order)).toBe(order);
  });

  it('freezes what it gives, from nothing and from a state others hold', () => {
    const events = told();
    expect(frozenAll(fold(events))).toBe(true);
    expect(frozenAll(fold(events.slice(2), fold(events.slice(0, 2))))).toBe(true);
  });

  it("neither freezes nor keeps the caller's events", () => {
    const events = JSON.parse(JSON.stringify(told())) as FoldableEvent[];
    const text = JSON.stringify(events);
    const whole = fold(events) as Order;
    const pieces = fold(events.slice(1), fold(events.slice(0, 1))) as Order;
    expect(JSON.stringify(events)).toBe(text);
    const unfrozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (!Object.isFrozen(value) && Object.values(value).every(unfrozen));
    expect(unfrozen(events)).toBe(true);
    const [{ data }] = events as [{ data: { details: { totalMinor: number } } }, ...unknown[]];
    data.details.totalMinor = 7;
    expect(whole.details).toEqual({ totalMinor: 100 });
    expect(pieces.details).toEqual({ totalMinor: 100 });
  });

  it('shares what did not change, and leaves the state it began with as it was', () => {
    const events = told();
    const before = fold(events.slice(0, 2)) as Order;
    const text = JSON.stringify(before);
    const after = fold(events.slice(2), before);
    expect(JSON.stringify(before)).toBe(text);
    expect(after.details).toBe(before.details);
    expect(after.plan).toBe(before.plan);
  });

  it('S14 starts from a state that came back from a store', () => {
    const events = told();
    const stored = JSON.parse(JSON.stringify(fold(events.slice(0, 2)))) as Order;
    expect(fold(events.slice(2), stored)).toStrictEqual(fold(events));
  });

  it('keeps a payload key of __proto__ as a key', () => {
    const data = JSON.parse('{"details":{"__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}}') as { details: object };
    const order = fold([{ stream: 'o', version: 1, time: '', type: 'OrderPlaced', data: { ...data, plan: shop } }]) as Order;
    expect(JSON.stringify(order.details)).toBe('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}');
    expect((order.details as { isAdmin?: unknown }).isAdmin).toBeUndefined();
  });

  it('takes a payload over as JSON would: texts in lists, nothing undefined, nothing inherited, a thousand levels', () => {
    const details = Object.assign(Object.create({ inherited: 1 }), { tags: ['a', 1, null, true, [{ b: undefined }]], note: undefined });
    const place = (value: unknown) =>
      fold([{ stream: 'o', version: 1, time: '', type: 'OrderPlaced', data: { details: value, plan: shop } }]) as Order;
    expect(place(details).details).toStrictEqual({ tags: ['a', 1, null, true, [{}]] });
    const nested = (levels: number): object => (levels === 1 ? {} : { a: nested(levels - 1) });
    expect(place(nested(1_001)).orderId).toBe('o');
    expect(thrownBy(() => place(nested(1_002)))).toMatchObject({ code: 'UNDECODABLE' });
    for (const plain of ['x', 7, null, undefined]) expect(place(plain).details).toBe(plain);
  });

  it('S8 lets an end stand whatever follows', () => {
    const order = fold(told()) as Order;
    for (const type of ['OrderConfirmed', 'OrderCancelled'] as const) {
      const dead = { step: 'payment', deadLetterId: 'x', direction: 'do', cause: 'x' };
      const ended = fold([next(order, { type })], order);
      const status = type === 'OrderConfirmed' ? 'confirmed' : 'cancelled';
      expect(fold([next(ended, { type: 'StepDeadLettered', data: dead })], ended)).toMatchObject({ status, phase: status });
    }
  });

  it('works when an application switched freezing off in its own copy of immer', async () => {
    const { setAutoFreeze } = await import('immer');
    setAutoFreeze(false);
    try {
      const events = told();
      expect(frozenAll(fold(events.slice(2), fold(events.slice(0, 2))))).toBe(true);
    } finally {
      setAutoFreeze(true);
    }
  });
});

describe('an event this code can not know', () => {
  const order = fold(told()) as Order;
  const placed = told()[0] as FoldableEvent;

  it.each<[string, () => unknown, string]>([
    [
      'an unknown type',
      () => fold([next(order, { type: 'OrderArchived' })], order),
      'o@5, OrderArchived: an event type this code does not know',
    ],
    [
      'a type every object has',
      () => fold([next(order, { type: 'constructor' })], order),
      'constructor: an event type this code does not know',
    ],
    ['a newer schema', () => fold([next(order, { schema: 2 })], order), 'expected schema 1, got 2, which newer code wrote'],
    ['a newer schema of the first event', () => fold([{ ...placed, schema: 2 }]), 'o@1, OrderPlaced: expected schema 1, got 2'],
    [
      'a kind of step event that is new',
      () => fold([next(order, { type: 'PaymentPaused', data: { step: 'payment' } })], order),
      'PaymentPaused: an event type this code does not know',
    ],
    [
      'a step outside the plan',
      () => fold([next(order, { type: 'ShippingRequested', data: { step: 'shipping' } })], order),
      'ShippingRequested: an event type this code does not know',
    ],
    [
      'a step every object has',
      () => fold([next(order, { type: 'StepSkipped', data: { step: 'constructor' } })], order),
      'expected a step of the plan the order was placed under',
    ],
    [
      'a step of __proto__',
      () => fold([next(order, { type: 'StepSkipped', data: { step: '__proto__' } })], order),
      'expected a step of the plan the order was placed under',
    ],
    [
      'a list that reads like the name of a step',
      () => fold([next(order, { type: 'StepSkipped', data: { step: ['payment'] } })], order),
      'expected a step of the plan',
    ],
    ['a step that is none', () => fold([next(order, { type: 'StepSkipped', data: { step: 7 } })], order), 'expected a step of the plan'],
    [
      'a step under the name of another',
      () => fold([next(order, { type: 'PaymentUndone', data: { step: 'notification' } })], order),
      'expected the step payment',
    ],
    ['a payload that is a text', () => fold([next(order, { data: 'x' })], order), 'expected a payload'],
    ['no payload', () => fold([next(order, { data: null })], order), 'expected a payload'],
    [
      'a plan of another shape',
      () => fold([{ ...placed, data: { details: {}, plan: { steps: [{ name: 'x', after: [], undo: 'later' }] } } }]),
      'expected a plan this code knows',
    ],
    [
      'a plan with an unknown predecessor',
      () => fold([{ ...placed, data: { details: {}, plan: { steps: [{ name: 'x', after: ['y'], undo: 'undo' }] } } }]),
      'expected a plan this code knows',
    ],
    ['no plan', () => fold([{ ...placed, data: { details: {} } }]), 'expected a plan this code knows'],
    ['a second OrderPlaced', () => fold([{ ...placed, version: order.version + 1 }], order), 'an order is placed once'],
    ['another first event', () => fold([{ ...placed, type: 'OrderConfirmed' }]), 'expected OrderPlaced as the first event of an order'],
    ['a first event that is not the first', () => fold([{ ...placed, version: 2 }]), 'expected OrderPlaced as the first event of an order'],
    [
      'a stream and a type of any length',
      () => fold([{ ...placed, stream: `r${'s'.repeat(5_000)}`, type: 't'.repeat(5_000) }]),
      `r${'s'.repeat(199)}@1, ${'t'.repeat(100)}: expected OrderPlaced`,
    ],
    [
      'an event of an order with an id of any length',
      () => fold([placed, { ...placed, version: 1 }].map((event) => ({ ...event, stream: `r${'s'.repeat(5_000)}` }))),
      `expected version 2 of r${'s'.repeat(199)}`,
    ],
    ['a gap', () => fold([next(order, { version: order.version + 2 })], order), 'expected version 5 of o'],
    ['a repetition', () => fold([next(order, { version: order.version })], order), 'expected version 5 of o'],
    ['another stream', () => fold([next(order, { stream: 'p' })], order), 'p@5, OrderConfirmed: expected version 5 of o'],
    [
      'a payload of 5,000 levels',
      () => fold([{ ...placed, data: { plan: shop, details: JSON.parse('['.repeat(5_000) + ']'.repeat(5_000)) } }]),
      'a payload is nested deeper than 1000',
    ],
  ])('S15 is told by a code and changes nothing: %s', (_, run, message) => {
    const text = JSON.stringify(order);
    const error = thrownBy(run);
    expect(isOrderfoldError(error, 'UNDECODABLE')).toBe(true);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message.length).toBeLessThan(1_000);
    expect(JSON.stringify(order)).toBe(text);
  });
});

describe('the cost of a fold', () => {
  // The figure to reach is a median of 6, measured by `node tests/bench/fold.ts` on a machine at rest; here others run beside it.
  it('of eight events, frozen, stays within a small multiple of changing a plain object by hand', () => {
    expect(measureFold({ pairs: 7, folds: 10_000 }).bestRatio).toBeLessThan(15);
  });
});
