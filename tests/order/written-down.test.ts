import { describe, expect, it } from 'vitest';
import { decide } from '../../src/order/decide.ts';
import { pastNoReturn } from '../../src/order/follow-ups.ts';
import { place, plan, type Story, story } from './support/story.ts';

const shop = plan({ payment: 'undo', notification: ['irreversible', 'payment'] });

/** The payload of the last event of a type. */
const written = (order: Story, type: string): unknown => order.events().findLast((event) => event.type === type)?.data;

describe('what made an order go back', () => {
  it('is the wish, with who asked if that is known', () => {
    const order = story(shop);
    order.tell({ type: 'Cancel', reason: 'changed my mind' });
    expect(written(order, 'CancellationStarted')).toStrictEqual({ cause: 'requested', reason: 'changed my mind' });
    const other = story(shop);
    other.tell({ type: 'Cancel', reason: 'fraud', by: 'ops' });
    expect(written(other, 'CancellationStarted')).toStrictEqual({ cause: 'requested', reason: 'fraud', by: 'ops' });
  });

  it('is the deadline, at once or when the stall ends', () => {
    const deadline = { cause: 'deadline', reason: 'the deadline passed' };
    const order = story(shop);
    order.tell({ type: 'PassDeadline' });
    expect(written(order, 'CancellationStarted')).toStrictEqual(deadline);
    const stalled = story(shop);
    stalled.die('payment');
    stalled.tell({ type: 'PassDeadline' });
    expect(written(stalled, 'DeadlinePassed')).toStrictEqual({});
    stalled.redrive('payment!');
    expect(written(stalled, 'CancellationStarted')).toStrictEqual(deadline);
  });

  it('is the step that refused, with its reason, and the order ends with that reason', () => {
    const order = story(shop);
    order.refuse('payment', 'card declined');
    expect(written(order, 'CancellationStarted')).toStrictEqual({ cause: 'refused', reason: 'card declined', step: 'payment' });
    expect(written(order, 'OrderCancelled')).toStrictEqual({ reason: 'card declined' });
  });

  it('is the dead letter that was given up, with who did and why', () => {
    const order = story(shop);
    order.die('payment');
    order.discard('payment!');
    expect(written(order, 'CancellationStarted')).toStrictEqual({ cause: 'discarded', by: 'ops', reason: 'give up', step: 'payment' });
  });
});

describe('S11 R20 R21 what is written of a dead letter', () => {
  const letter = { step: 'payment', effectKey: 'o:payment', request: 'o@2', direction: 'do', deadLetterId: 'payment!' };

  it('names its request, and why it died after how many attempts', () => {
    const order = story(shop);
    order.die('payment');
    expect(written(order, 'StepDeadLettered')).toStrictEqual({ ...letter, cause: 'TIMEOUT', attempts: 6 });
    expect(order.step('payment').dead).toStrictEqual({ id: 'payment!', direction: 'do', cause: 'TIMEOUT' });
  });

  it('names who redrove or discarded it, and why', () => {
    const order = story(shop);
    order.die('payment');
    order.redrive('payment!');
    expect(written(order, 'DeadLetterRedriven')).toStrictEqual({ ...letter, by: 'ops', reason: 'it is back' });
    order.die('payment');
    order.discard('payment!');
    expect(written(order, 'DeadLetterDiscarded')).toStrictEqual({ ...letter, by: 'ops', reason: 'give up' });
    expect(written(order, 'PaymentUndoRequested')).toStrictEqual({ step: 'payment', effectKey: 'o:payment:undo', settle: true });
  });

  it('of an undo names the request to take it back and the key of the undo', () => {
    const order = story(shop);
    order.succeed('payment');
    order.refuse('notification');
    const { request } = order.step('payment').undo as { readonly request: string };
    order.die('payment', 'undo');
    const undo = { ...letter, effectKey: 'o:payment:undo', request, direction: 'undo' };
    expect(written(order, 'StepDeadLettered')).toStrictEqual({ ...undo, cause: 'TIMEOUT', attempts: 6 });
    order.discard('payment!');
    expect(written(order, 'UndoneByHand')).toStrictEqual({
      step: 'payment',
      effectKey: 'o:payment:undo',
      request,
      by: 'ops',
      reason: 'give up',
    });
  });

  it('says that it was superseded, and what was waived or skipped instead of it', () => {
    const order = story(plan({ fraud: 'nothing', mail: 'irreversible' }));
    order.die('fraud');
    order.discard('fraud!');
    expect(written(order, 'StepWaived')).toStrictEqual({ step: 'fraud', effectKey: 'o:fraud', request: 'o@2' });
    const other = story(plan({ fraud: 'nothing' }));
    other.die('fraud');
    other.tell({ type: 'Cancel', reason: 'x' });
    const fraud = { step: 'fraud', effectKey: 'o:fraud', request: 'o@2' };
    expect(written(other, 'DeadLetterSuperseded')).toStrictEqual({ ...fraud, direction: 'do', deadLetterId: 'fraud!' });
    expect(written(other, 'StepSkipped')).toStrictEqual(fraud);
  });
});

describe('S10 what is written of an answer', () => {
  it('is the refusal with its details, which have to be plain JSON', () => {
    const order = story(shop);
    const refuse = (details: unknown) => order.tell({ type: 'RecordRefused', step: 'payment', request: 'o@2', reason: 'no', details });
    expect(refuse({ at: new Date(0) })).toMatchObject({ code: 'INVALID', message: "a step's details has to be plain JSON" });
    refuse({ code: 51 });
    expect(written(order, 'PaymentRefused')).toStrictEqual({
      step: 'payment',
      effectKey: 'o:payment',
      request: 'o@2',
      reason: 'no',
      details: { code: 51 },
    });
  });

  it('is what settling found first, and then that it was undone, each under its own key', () => {
    const order = story(shop);
    order.die('payment');
    order.tell({ type: 'Cancel', reason: 'x' });
    const { request } = order.step('payment').undo as { readonly request: string };
    expect(order.undone('payment', { result: () => 1 })).toMatchObject({
      code: 'INVALID',
      message: "a step's result has to be plain JSON",
    });
    order.undone('payment', { result: 7 });
    expect(written(order, 'PaymentSucceeded')).toStrictEqual({ step: 'payment', effectKey: 'o:payment', request: 'o@2', result: 7 });
    expect(written(order, 'PaymentUndone')).toStrictEqual({ step: 'payment', effectKey: 'o:payment:undo', request });
  });
});

describe('a rejection', () => {
  const message = (told: ReturnType<Story['tell']>) => ('code' in told ? `${told.code}: ${told.message}` : told);

  it('of a wish says why it came too late, or what to say', () => {
    const order = story(shop);
    const cancel = { type: 'Cancel', reason: 'x' } as const;
    expect(message(order.tell({ ...cancel, reason: '' }))).toBe('INVALID: the cancellation can not be recorded like this');
    order.succeed('payment');
    expect(message(order.tell(cancel))).toBe('TOO_LATE: a step that cannot be taken back was requested');
    order.succeed('notification');
    expect(message(order.tell(cancel))).toBe('TOO_LATE: the order is confirmed');
    expect(message(order.redrive('payment!'))).toBe('NOT_DEAD: there is no such dead letter, or it is no longer dead');
    expect(message(order.tell({ type: 'Redrive', deadLetterId: 'x', by: '', reason: 'x' }))).toBe('INVALID: say who does this and why');
    expect(message(order.tell(place(shop)))).toBe('EXISTS: there is an order with this id');
    expect(decide(cancel, undefined)).toMatchObject({ left: { code: 'NOT_FOUND', message: 'there is no such order' } });
    expect(decide({ ...place(shop), orderId: '' } as never, undefined)).toMatchObject({
      left: { message: 'the order id can not be used' },
    });
  });

  it('of an answer says what about it makes no sense', () => {
    const order = story(plan({ payment: 'undo', mail: 'irreversible' }));
    const answer = { step: 'payment', request: 'o@2' };
    expect(message(order.tell({ type: 'RecordUndone', ...answer }))).toBe('INVALID: payment was asked to run, not to be undone');
    expect(message(order.tell({ type: 'RecordSkipped', ...answer }))).toBe(
      'INVALID: payment can only be skipped while the order is being cancelled',
    );
    expect(message(order.refuse('payment'))).toBe(
      'INVALID: payment may not refuse any more: a step that cannot be taken back was requested',
    );
    expect(message(order.tell({ type: 'RecordSkipped', step: 'x'.repeat(99), request: 'o@2' }))).toBe(
      `INVALID: the order has no step "${'x'.repeat(60)}"`,
    );
  });

  it('of an answer to an undo says that an undo ends as undone', () => {
    const order = story(plan({ payment: 'undo', inventory: ['undo', 'payment'] }));
    order.succeed('payment');
    order.refuse('inventory');
    const { request } = order.step('payment').undo as { readonly request: string };
    expect(message(order.tell({ type: 'RecordSucceeded', step: 'payment', request }))).toBe(
      'INVALID: the undo of payment ends as undone, not as succeeded',
    );
    expect(message(order.refuse('payment'))).toBe("INVALID: payment succeeded: its undo can't be refused or skipped");
  });
});

describe('S12 an answer that comes again, or too late', () => {
  const cancelled = () => {
    const order = story(plan({ payment: 'undo', inventory: 'undo' }));
    order.die('payment');
    order.tell({ type: 'Cancel', reason: 'x' });
    return order;
  };
  const undoOf = (order: Story) => (order.step('payment').undo as { readonly request: string }).request;

  it('of a success settled without a result is written once, and never after it was undone', () => {
    const order = cancelled();
    expect(order.undone('payment')).toEqual(['PaymentUndone']);
    expect(order.succeed('payment')).toEqual([]);
    expect(order.tell({ type: 'RecordUndone', step: 'payment', request: 'o@2' })).toEqual([]);
    expect(order.tell({ type: 'RecordUndone', step: 'payment', request: undoOf(order) })).toEqual([]);
  });

  it('S4 of a success after a refusal is written down and taken back, also where settling had found the refusal', () => {
    const order = story(plan({ payment: 'undo' }));
    order.refuse('payment', 'declined');
    expect(order.succeed('payment', 7)).toEqual(['PaymentSucceeded', 'PaymentUndoRequested']);
    expect(order.step('payment')).toStrictEqual({ status: 'undoing', request: 'o@2', result: 7, undo: { request: 'o@7', settle: false } });
    const settled = cancelled();
    settled.refuse('payment', 'declined');
    expect(settled.step('payment')).toMatchObject({ status: 'refused', reason: 'declined' });
    expect(settled.succeed('payment')).toEqual(['PaymentSucceeded', 'PaymentUndoRequested']);
    expect(settled.step('payment').status).toBe('undoing');
  });

  it('of an undo as a success makes no sense even while it is still to be settled', () => {
    const order = cancelled();
    expect(order.tell({ type: 'RecordSucceeded', step: 'payment', request: undoOf(order) })).toMatchObject({ code: 'INVALID' });
    expect(order.step('payment').status).toBe('undoing');
  });

  it('about a step the order does not have is refused, a dead letter too', () => {
    const order = cancelled();
    const dead = { type: 'RecordDead', direction: 'do', deadLetterId: 'x', cause: 'x', attempts: 1 } as const;
    for (const step of ['shipping', 'constructor', '__proto__']) {
      expect(order.tell({ ...dead, step })).toMatchObject({ code: 'INVALID', message: `the order has no step "${step}"` });
    }
  });
});

describe('the point of no return', () => {
  it('is passed while an irreversible step is requested or done, and not when it refused or was skipped', () => {
    const order = story(plan({ mail: 'irreversible' }));
    expect(pastNoReturn(order.order())).toBe(true);
    expect(pastNoReturn(order.order(), 'mail')).toBe(false);
    order.refuse('mail');
    expect(pastNoReturn(order.order())).toBe(false);
    const { steps, ...rest } = order.order();
    expect(steps.mail?.status).toBe('refused');
    const at = (status: 'waiting' | 'skipped' | 'succeeded' | 'waived' | 'dead') => pastNoReturn({ ...rest, steps: { mail: { status } } });
    expect([at('waiting'), at('skipped'), at('succeeded'), at('waived'), at('dead')]).toEqual([false, false, true, true, true]);
  });
});
