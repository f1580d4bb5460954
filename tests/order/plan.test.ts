import { describe, expect, it } from 'vitest';
import { mustNotRefuse, planOf, typesOf } from '../../src/order/plan.ts';
import { plan } from './support/story.ts';

const stored = () => JSON.parse(JSON.stringify(plan({ payment: 'undo', fraud: 'nothing', mail: ['irreversible', 'payment'] }, 1_000)));

describe('a stored plan', () => {
  it('is read as it was written, frozen', () => {
    const read = planOf(stored());
    expect(read).toStrictEqual(stored());
    for (const part of [read, read?.steps, read?.steps[0], read?.steps[2]?.after]) expect(Object.isFrozen(part)).toBe(true);
    expect(planOf({ steps: [] })).toStrictEqual({ steps: [] });
  });

  it('leaves out what this code does not know of it', () => {
    const [payment, ...others] = stored().steps;
    const read = planOf({ steps: [{ ...payment, colour: 'red' }, ...others], deadlineMs: 1_000, colour: 'red' });
    expect(read).toStrictEqual(stored());
  });

  it('is one object for equal plans in a row, and never that of another plan', () => {
    const read = planOf(stored());
    expect(planOf(stored())).toBe(read);
    expect(planOf(read)).toBe(read);
    const [payment, fraud, mail] = stored().steps;
    const others = [
      { steps: [payment, fraud, mail] },
      { steps: [payment, fraud, mail], deadlineMs: 2_000 },
      { steps: [payment, fraud], deadlineMs: 1_000 },
      { steps: [fraud, payment, mail], deadlineMs: 1_000 },
      { steps: [payment, { ...fraud, name: 'check' }, mail], deadlineMs: 1_000 },
      { steps: [{ ...payment, undo: 'nothing' }, fraud, mail], deadlineMs: 1_000 },
      { steps: [payment, fraud, { ...mail, after: ['fraud'] }], deadlineMs: 1_000 },
      { steps: [payment, fraud, { ...mail, after: ['payment', 'fraud'] }], deadlineMs: 1_000 },
      { steps: [payment, fraud, { ...mail, after: [] }], deadlineMs: 1_000 },
    ];
    for (const other of others) {
      planOf(stored());
      expect(planOf(other)).toStrictEqual(other);
    }
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'plan'],
    ['no steps', {}],
    ['steps that are no list', { steps: { length: 0 } }],
    ['a step that is null', { steps: [null] }],
    ['as many steps as before that are null', { steps: [null, null, null], deadlineMs: 1_000 }],
    ['a step that is a text', { steps: ['payment'] }],
    ['a step without a name', { steps: [{ after: [], undo: 'undo' }] }],
    ['a name no step can have', { steps: [{ name: 'Payment', after: [], undo: 'undo' }] }],
    ['a name every object has', { steps: [{ name: 'constructor', after: [], undo: 'undo' }] }],
    ['a name twice', { steps: [...stored().steps, stored().steps[0]] }],
    ['no way to undo', { steps: [{ name: 'payment', after: [] }] }],
    ['another way to undo', { steps: [{ name: 'payment', after: [], undo: 'later' }] }],
    ['no list of what to run after', { steps: [{ name: 'payment', undo: 'undo' }] }],
    ['a text of what to run after', { steps: [stored().steps[0], { name: 'mail', after: 'payment', undo: 'undo' }] }],
    ['a later step to run after', { steps: [{ name: 'mail', after: ['payment'], undo: 'undo' }, stored().steps[0]] }],
    [
      'one earlier and one later step to run after',
      { steps: [stored().steps[0], { name: 'mail', after: ['payment', 'x'], undo: 'undo' }] },
    ],
    ['itself to run after', { steps: [{ name: 'payment', after: ['payment'], undo: 'undo' }] }],
    ['a deadline that is a text', { steps: stored().steps, deadlineMs: '1000' }],
  ])('that this code can not finish an order under is no plan: %s', (_, value) => {
    planOf(stored());
    expect(planOf(value)).toBeUndefined();
    planOf({ steps: [] });
    expect(planOf(value)).toBeUndefined();
  });

  it('says what its event types mean, and a plan of another shape says nothing', () => {
    const read = plan({ payment: 'undo' });
    expect([...typesOf(read).keys()]).toEqual([
      'PaymentRequested',
      'PaymentSucceeded',
      'PaymentRefused',
      'PaymentUndoRequested',
      'PaymentUndone',
    ]);
    planOf(stored());
    expect(typesOf(read).get('PaymentUndone')).toEqual({ step: 'payment', kind: 'Undone' });
    expect(typesOf(plan({})).size).toBe(0);
    expect(typesOf({ steps: [{ name: 'Payment', after: [], undo: 'undo' }] }).size).toBe(0);
  });
});

describe('S6 steps that may not refuse', () => {
  const names = (steps: Parameters<typeof plan>[0]) =>
    mustNotRefuse(plan(steps).steps).map(({ step, irreversible }) => `${step} ${irreversible}`);

  it('are all but those an irreversible one waits for, directly or through others', () => {
    expect(names({ a: 'undo', b: ['undo', 'a'], c: ['nothing', 'b'], mail: ['irreversible', 'c'] })).toEqual([]);
    expect(names({ a: 'undo', b: 'undo', mail: ['irreversible', 'b'], c: ['undo', 'mail'] })).toEqual(['a mail', 'c mail']);
    expect(names({ a: 'undo', b: 'nothing' })).toEqual([]);
  });

  it('are counted for each irreversible step by itself', () => {
    expect(names({ mail: 'irreversible', post: ['irreversible', 'mail'] })).toEqual(['post mail']);
    expect(names({ mail: 'irreversible', post: 'irreversible' })).toEqual(['post mail', 'mail post']);
  });
});
