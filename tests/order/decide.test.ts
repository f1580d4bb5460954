import { describe, expect, it } from 'vitest';
import { decide } from '../../src/order/decide.ts';
import { place, plan, story } from './support/story.ts';

const shop = plan({ payment: 'undo', inventory: 'undo', notification: ['irreversible', 'payment', 'inventory'] });
const cancel = { type: 'Cancel', reason: 'changed my mind' } as const;
const deadline = { type: 'PassDeadline' } as const;

describe('an order that goes well', () => {
  it('S5 is placed with the requests of all first steps in one list, and ends when the last step succeeded', () => {
    const order = story(shop);
    expect(order.events().map(({ type }) => type)).toEqual(['OrderPlaced', 'PaymentRequested', 'InventoryRequested']);
    expect(order.succeed('payment')).toEqual(['PaymentSucceeded']);
    expect(order.succeed('inventory')).toEqual(['InventorySucceeded', 'NotificationRequested']);
    expect(order.succeed('notification')).toEqual(['NotificationSucceeded', 'OrderConfirmed']);
    expect(order.order()).toMatchObject({ orderId: 'o', version: 8, status: 'confirmed', details: { totalMinor: 100 } });
  });

  it('S11 names request and effect key in what it writes', () => {
    const order = story(shop);
    order.succeed('payment', { chargeId: 'ch' });
    expect(
      order
        .events()
        .map(({ data }) => data)
        .slice(1),
    ).toEqual([
      { step: 'payment', effectKey: 'o:payment' },
      { step: 'inventory', effectKey: 'o:inventory' },
      { step: 'payment', effectKey: 'o:payment', request: 'o@2', result: { chargeId: 'ch' } },
    ]);
  });

  it('writes no result for a step that returns nothing', () => {
    const order = story(plan({ payment: 'undo' }));
    order.tell({ type: 'RecordSucceeded', step: 'payment', request: 'o@2', result: undefined });
    expect(order.step('payment')).toStrictEqual({ status: 'succeeded', request: 'o@2' });
  });

  it('is placed once', () => {
    expect(story(shop).tell(place(shop))).toMatchObject({ code: 'EXISTS' });
  });

  it.each(['', 'x'.repeat(201), 'a\0b', '\ud800', 7])('is not placed under an id like %j', (orderId) => {
    const decided = decide({ ...place(shop), orderId } as never, undefined);
    expect(decided).toMatchObject({ _tag: 'Left', left: { code: 'INVALID', issues: [{ path: 'orderId' }] } });
  });

  it('takes "__proto__" for an id like any other', () => {
    expect(decide({ ...place(shop), orderId: '__proto__' } as never, undefined)).toMatchObject({ _tag: 'Right' });
  });
});

describe('a refusal', () => {
  it('starts the cancellation, takes back what succeeded, and cancels once nothing is outstanding', () => {
    const order = story(shop);
    order.succeed('inventory');
    expect(order.refuse('payment', 'card declined')).toEqual(['PaymentRefused', 'CancellationStarted payment', 'InventoryUndoRequested']);
    expect(order.undone('inventory')).toEqual(['InventoryUndone', 'OrderCancelled']);
    expect(order.order()).toMatchObject({ status: 'cancelled', reason: 'card declined' });
  });

  it('of one step waits for the parallel one, and takes that back if it succeeds', () => {
    const order = story(shop);
    expect(order.refuse('payment')).toEqual(['PaymentRefused', 'CancellationStarted payment']);
    expect(order.succeed('inventory')).toEqual(['InventorySucceeded', 'InventoryUndoRequested']);
  });

  it('of the irreversible step itself is compensated: nothing irreversible happened', () => {
    const order = story(shop);
    order.succeed('payment');
    order.succeed('inventory');
    expect(order.refuse('notification')).toEqual([
      'NotificationRefused',
      'CancellationStarted notification',
      'InventoryUndoRequested',
      'PaymentUndoRequested',
    ]);
  });

  it('past the point of no return is refused itself, so that the runtime makes it a dead letter', () => {
    const order = story(plan({ mail: 'irreversible', archive: 'undo' }));
    expect(order.refuse('archive')).toMatchObject({ code: 'INVALID' });
    expect(order.order().status).toBe('placed');
  });

  it.each<[string, unknown, string]>([
    ['keeps at most 1,000 characters of its reason', 'x'.repeat(5_000), 'x'.repeat(1_000)],
    ['cuts no character in half', `${'x'.repeat(999)}🧾`, `${'x'.repeat(999)}\ufffd`],
    ['takes any reason a handler gives', undefined, 'undefined'],
  ])('%s', (_, reason, kept) => {
    const order = story(shop);
    order.tell({ type: 'RecordRefused', step: 'payment', request: 'o@2', reason: reason as string });
    expect(order.order().reason).toBe(kept);
  });
});

describe('S6 a cancellation', () => {
  it('starts nothing more, waits for what is outstanding, and takes it back', () => {
    const order = story(shop);
    order.succeed('payment');
    expect(order.tell(cancel)).toEqual(['CancellationStarted', 'PaymentUndoRequested']);
    expect(order.undone('payment')).toEqual(['PaymentUndone']);
    expect(order.succeed('inventory')).toEqual(['InventorySucceeded', 'InventoryUndoRequested']);
    expect(order.undone('inventory')).toEqual(['InventoryUndone', 'OrderCancelled']);
    expect(order.step('notification').status).toBe('waiting');
  });

  it('of an order with nothing to take back is done at once', () => {
    const order = story(shop);
    order.tell(cancel);
    order.tell({ type: 'RecordSkipped', step: 'payment', request: 'o@2' });
    expect(order.tell({ type: 'RecordSkipped', step: 'inventory', request: 'o@3' })).toEqual(['StepSkipped inventory', 'OrderCancelled']);
  });

  it('is too late once an irreversible step was requested, and after the confirmation', () => {
    const order = story(shop);
    order.succeed('payment');
    order.succeed('inventory');
    expect(order.tell(cancel)).toMatchObject({ code: 'TOO_LATE' });
    order.succeed('notification');
    expect(order.tell(cancel)).toMatchObject({ code: 'TOO_LATE' });
  });

  it("is not too late because of a step that has nothing to undo, nor because one is called 'nothing'", () => {
    const order = story(plan({ fraud: 'nothing', payment: ['undo', 'fraud'] }));
    order.succeed('fraud');
    expect(order.tell(cancel)).toEqual(['CancellationStarted']);
  });

  it('S12 a second time writes nothing, before and after its end', () => {
    const order = story(plan({ payment: 'undo' }));
    order.tell(cancel);
    expect(order.tell(cancel)).toEqual([]);
    order.refuse('payment');
    expect(order.order().status).toBe('cancelled');
    expect(order.tell(cancel)).toEqual([]);
  });

  it('needs a reason', () => {
    expect(story(shop).tell({ type: 'Cancel', reason: '' })).toMatchObject({ code: 'INVALID', issues: [{ path: 'reason' }] });
    expect(story(shop).tell({ type: 'Cancel', reason: 'x', by: '' })).toMatchObject({ code: 'INVALID', issues: [{ path: 'by' }] });
  });

  it('of an order that is not there is not found, as everything else', () => {
    expect(decide(cancel, undefined)).toMatchObject({ left: { code: 'NOT_FOUND' } });
    expect(decide({ type: 'RecordSkipped', step: 'payment', request: 'o@2' }, undefined)).toMatchObject({ left: { code: 'NOT_FOUND' } });
  });
});

describe('S20 taking back', () => {
  it('undoes a step only when all that ran after it is undone, parallel ones independently', () => {
    const order = story(plan({ a: 'undo', b: 'undo', afterA: ['undo', 'a'] }));
    order.succeed('a');
    order.succeed('b');
    expect(order.tell(cancel)).toEqual(['CancellationStarted', 'BUndoRequested']);
    expect(order.undone('b')).toEqual(['BUndone']);
    expect(order.succeed('afterA')).toEqual(['AfterASucceeded', 'AfterAUndoRequested']);
    expect(order.undone('afterA')).toEqual(['AfterAUndone', 'AUndoRequested']);
  });

  it('looks through a step with nothing to undo, to what ran after it', () => {
    const order = story(plan({ a: 'undo', check: ['nothing', 'a'], c: ['undo', 'check'], d: ['undo', 'c'] }));
    order.succeed('a');
    order.succeed('check');
    order.succeed('c');
    expect(order.refuse('d')).toEqual(['DRefused', 'CancellationStarted d', 'CUndoRequested']);
    expect(order.undone('c')).toEqual(['CUndone', 'AUndoRequested']);
  });

  it('does not undo a step with nothing to undo', () => {
    const order = story(plan({ fraud: 'nothing', payment: ['undo', 'fraud'] }));
    order.succeed('fraud');
    expect(order.refuse('payment')).toEqual(['PaymentRefused', 'CancellationStarted payment', 'OrderCancelled']);
  });

  it('S21 stalls on a dead undo, goes on after its redrive, and counts an undo by hand', () => {
    const order = story(plan({ payment: 'undo', inventory: ['undo', 'payment'] }));
    order.succeed('payment');
    order.refuse('inventory');
    expect(order.die('payment', 'undo')).toEqual(['StepDeadLettered payment']);
    expect(order.order().status).toBe('stalled');
    expect(order.redrive('payment!')).toEqual(['DeadLetterRedriven payment']);
    expect(order.order().status).toBe('cancelling');
    order.die('payment', 'undo');
    expect(order.tell(cancel)).toEqual([]);
    expect(order.discard('payment!')).toEqual(['DeadLetterDiscarded payment', 'UndoneByHand payment', 'OrderCancelled']);
    expect(order.events().at(-2)?.data).toEqual({
      step: 'payment',
      effectKey: 'o:payment:undo',
      request: 'o@7',
      by: 'ops',
      reason: 'give up',
    });
  });

  it('refuses an answer that makes no sense, so that it is not lost', () => {
    const order = story(plan({ payment: 'undo', inventory: ['undo', 'payment'] }));
    expect(order.undone('payment')).toMatchObject({ code: 'INVALID' });
    order.succeed('payment');
    order.refuse('inventory');
    expect(order.step('payment').status).toBe('undoing');
    expect(order.refuse('payment')).toMatchObject({ code: 'INVALID' });
    const request = order.step('payment').undo?.request ?? '';
    expect(order.tell({ type: 'RecordSucceeded', step: 'payment', request })).toMatchObject({ code: 'INVALID' });
    expect(order.tell({ type: 'RecordSkipped', step: 'payment', request })).toMatchObject({ code: 'INVALID' });
    expect(order.tell({ type: 'RecordSkipped', step: 'stranger', request })).toMatchObject({ code: 'INVALID' });
    expect(order.tell({ type: 'RecordSkipped', step: 'constructor', request })).toMatchObject({ code: 'INVALID' });
  });
});

describe('a dead letter of a step', () => {
  it('stalls the order while independent branches go on, and its redrive resumes it', () => {
    const order = story(plan({ a: 'undo', b: 'undo', afterB: ['undo', 'b'] }));
    expect(order.die('a')).toEqual(['StepDeadLettered a']);
    expect(order.order()).toMatchObject({
      status: 'stalled',
      phase: 'placed',
      steps: { a: { dead: { direction: 'do', cause: 'TIMEOUT' } } },
    });
    expect(order.succeed('b')).toEqual(['BSucceeded', 'AfterBRequested']);
    expect(order.redrive('a!')).toEqual(['DeadLetterRedriven a']);
    expect(order.order().status).toBe('placed');
    expect(order.redrive('a!')).toMatchObject({ code: 'NOT_DEAD' });
    expect(order.discard('a!')).toMatchObject({ code: 'NOT_DEAD' });
  });

  it('is superseded by a cancellation: the undo finds out whether it happened', () => {
    const order = story(plan({ payment: 'undo' }));
    order.die('payment');
    expect(order.tell(cancel)).toEqual(['CancellationStarted', 'DeadLetterSuperseded payment', 'PaymentUndoRequested settle']);
    expect(order.redrive('payment!')).toMatchObject({ code: 'NOT_DEAD' });
    expect(order.undone('payment', { result: { chargeId: 'ch' } })).toEqual(['PaymentSucceeded', 'PaymentUndone', 'OrderCancelled']);
    expect(order.step('payment')).toMatchObject({ status: 'undone', result: { chargeId: 'ch' } });
  });

  it('that turns out to have been refused, or never to have run, has nothing to undo', () => {
    for (const answer of ['RecordRefused', 'RecordSkipped'] as const) {
      const order = story(plan({ payment: 'undo' }));
      order.die('payment');
      order.tell(cancel);
      const request = order.step('payment').undo?.request ?? '';
      const wrote = order.tell({ type: answer, step: 'payment', request, reason: 'declined' } as never);
      expect(wrote).toEqual([answer === 'RecordRefused' ? 'PaymentRefused' : 'StepSkipped payment', 'OrderCancelled']);
      expect(order.events().at(-2)?.data).toMatchObject({ effectKey: 'o:payment', request });
    }
  });

  it('can be settled in a unit of its own before it is undone', () => {
    const order = story(plan({ payment: 'undo' }));
    order.die('payment');
    order.tell(cancel);
    expect(order.succeed('payment', { chargeId: 'ch' })).toEqual(['PaymentSucceeded']);
    expect(order.step('payment')).toMatchObject({ status: 'undoing', result: { chargeId: 'ch' }, undo: { settle: false } });
    expect(order.succeed('payment', { chargeId: 'ch' })).toEqual([]);
    expect(order.undone('payment', { result: { chargeId: 'ch' } })).toEqual(['PaymentUndone', 'OrderCancelled']);
  });

  it('that dies while the order is cancelling goes the same way at once', () => {
    const order = story(plan({ payment: 'undo', fraud: 'nothing' }));
    order.tell(cancel);
    expect(order.die('payment')).toEqual(['StepDeadLettered payment', 'DeadLetterSuperseded payment', 'PaymentUndoRequested settle']);
    expect(order.die('fraud')).toEqual(['StepDeadLettered fraud', 'DeadLetterSuperseded fraud', 'StepSkipped fraud']);
    expect(order.order().status).toBe('cancelling');
  });

  it('whose undo dies while settling can be redriven, or stated as done by hand', () => {
    const order = story(plan({ payment: 'undo' }));
    order.die('payment');
    order.tell(cancel);
    order.die('payment', 'undo');
    expect(order.order().status).toBe('stalled');
    order.redrive('payment!');
    expect(order.step('payment')).toMatchObject({ status: 'undoing', undo: { settle: true } });
    order.die('payment', 'undo');
    expect(order.discard('payment!')).toEqual(['DeadLetterDiscarded payment', 'UndoneByHand payment', 'OrderCancelled']);
  });

  it('that is discarded cancels the order: settle, then undo', () => {
    const order = story(plan({ payment: 'undo', inventory: 'undo', fraud: 'nothing' }));
    order.die('payment');
    order.die('fraud');
    order.succeed('inventory');
    expect(order.discard('payment!')).toEqual([
      'DeadLetterDiscarded payment',
      'CancellationStarted payment',
      'PaymentUndoRequested settle',
      'DeadLetterSuperseded fraud',
      'StepSkipped fraud',
      'InventoryUndoRequested',
    ]);
    expect(order.order()).toMatchObject({ status: 'cancelling', reason: 'give up' });
  });

  it('past the point of no return that is discarded is waived, the irreversible step included, and the order goes on', () => {
    const order = story(plan({ mail: 'irreversible', archive: 'undo', report: ['nothing', 'archive'] }));
    order.die('archive');
    expect(order.discard('archive!')).toEqual(['DeadLetterDiscarded archive', 'StepWaived archive', 'ReportRequested']);
    order.succeed('report');
    order.die('mail');
    expect(order.discard('mail!')).toEqual(['DeadLetterDiscarded mail', 'StepWaived mail', 'OrderConfirmed']);
  });

  it('that was waived is settled and undone after all when the irreversible step then refuses', () => {
    const order = story(plan({ mail: 'irreversible', archive: 'undo' }));
    order.die('archive');
    order.discard('archive!');
    expect(order.refuse('mail')).toEqual(['MailRefused', 'CancellationStarted mail', 'ArchiveUndoRequested settle']);
    expect(order.undone('archive', {})).toEqual(['ArchiveSucceeded', 'ArchiveUndone', 'OrderCancelled']);
  });

  it('needs a name and a reason to be redriven or discarded', () => {
    const order = story(plan({ payment: 'undo' }));
    order.die('payment');
    const nameless = { deadLetterId: 'payment!', by: '', reason: '' };
    const issues = [{ path: 'by' }, { path: 'reason' }];
    expect(order.tell({ type: 'Redrive', ...nameless })).toMatchObject({ code: 'INVALID', issues });
    expect(order.tell({ type: 'Discard', ...nameless })).toMatchObject({ code: 'INVALID', issues });
  });

  it('S12 is recorded once', () => {
    const order = story(plan({ payment: 'undo' }));
    order.die('payment');
    expect(order.die('payment')).toEqual([]);
    expect(order.die('payment', 'undo')).toEqual([]);
  });
});

describe('S19 the deadline', () => {
  it('cancels an order that is placed', () => {
    const order = story(shop);
    order.succeed('payment');
    expect(order.tell(deadline)).toEqual(['CancellationStarted', 'PaymentUndoRequested']);
    expect(order.order().reason).toBe('the deadline passed');
  });

  it('changes nothing once an irreversible step was requested, the order is cancelling, or it has ended', () => {
    const order = story(shop);
    order.succeed('payment');
    order.succeed('inventory');
    expect(order.tell(deadline)).toEqual([]);
    order.succeed('notification');
    expect(order.tell(deadline)).toEqual([]);
    const other = story(shop);
    other.tell(cancel);
    expect(other.tell(deadline)).toEqual([]);
  });

  it('on a stalled order is written down once, starts nothing new, and acts in the unit that ends the stall', () => {
    const order = story(plan({ a: 'undo', b: 'undo', afterB: ['irreversible', 'b'] }));
    order.die('a');
    expect(order.tell(deadline)).toEqual(['DeadlinePassed']);
    expect(order.tell(deadline)).toEqual([]);
    expect(order.order()).toMatchObject({ status: 'stalled', deadlinePassed: true });
    expect(order.succeed('b')).toEqual(['BSucceeded']);
    expect(order.redrive('a!')).toEqual(['DeadLetterRedriven a', 'CancellationStarted', 'BUndoRequested']);
    expect(order.succeed('a')).toEqual(['ASucceeded', 'AUndoRequested']);
  });

  it('waits for the last of several dead letters, so that no operator loses one behind his back', () => {
    const order = story(plan({ a: 'undo', b: 'undo' }));
    order.die('a');
    order.die('b');
    order.tell(deadline);
    expect(order.redrive('a!')).toEqual(['DeadLetterRedriven a']);
    expect(order.redrive('b!')).toEqual(['DeadLetterRedriven b', 'CancellationStarted']);
  });
});

describe('S4 S8 a success that comes too late', () => {
  it('is written down and taken back without reviving the cancelled order', () => {
    const order = story(plan({ payment: 'undo' }));
    order.refuse('payment');
    expect(order.order().status).toBe('cancelled');
    expect(order.succeed('payment', { chargeId: 'ch' })).toEqual(['PaymentSucceeded', 'PaymentUndoRequested']);
    expect(order.order().status).toBe('cancelled');
    expect(order.undone('payment')).toEqual(['PaymentUndone']);
    expect(order.order()).toMatchObject({ status: 'cancelled', steps: { payment: { status: 'undone' } } });
    expect(order.succeed('payment')).toEqual([]);
  });

  it('keeps the order cancelled even if taking it back dies; the dead letter is open', () => {
    const order = story(plan({ payment: 'undo' }));
    order.refuse('payment');
    order.succeed('payment');
    order.die('payment', 'undo');
    expect(order.order()).toMatchObject({ status: 'cancelled', steps: { payment: { status: 'dead' } } });
    expect(order.redrive('payment!')).toEqual(['DeadLetterRedriven payment']);
    order.die('payment', 'undo');
    expect(order.discard('payment!')).toEqual(['DeadLetterDiscarded payment', 'UndoneByHand payment']);
  });

  it('holds up the end of an order that is still cancelling', () => {
    const order = story(plan({ payment: 'undo', inventory: 'undo' }));
    order.refuse('payment');
    expect(order.succeed('payment')).toEqual(['PaymentSucceeded', 'PaymentUndoRequested']);
    expect(order.refuse('inventory')).toEqual(['InventoryRefused']);
    expect(order.undone('payment')).toEqual(['PaymentUndone', 'OrderCancelled']);
  });
});

describe('S12 an outcome', () => {
  it('nobody waits for writes nothing', () => {
    const order = story(shop);
    expect(order.tell({ type: 'RecordSucceeded', step: 'notification', request: 'o@9', result: 1 })).toEqual([]);
    expect(order.tell({ type: 'RecordSucceeded', step: 'payment', request: 'o@3', result: 1 })).toEqual([]);
    order.succeed('payment');
    expect(order.succeed('payment')).toEqual([]);
    expect(order.refuse('payment')).toEqual([]);
  });

  it('that is no plain JSON is refused and names the place', () => {
    const order = story(shop);
    expect(order.succeed('payment', { at: new Date(0) })).toMatchObject({ code: 'INVALID', issues: [{ path: 'at' }] });
    expect(order.succeed('payment', { n: [1, Number.NaN] })).toMatchObject({ code: 'INVALID', issues: [{ path: 'n[1]' }] });
  });

  it('skips a step only while the order is being cancelled', () => {
    const order = story(shop);
    expect(order.tell({ type: 'RecordSkipped', step: 'payment', request: 'o@2' })).toMatchObject({ code: 'INVALID' });
  });
});

describe('S24 the plan the order was placed under', () => {
  it('drives it whatever steps the code has by now', () => {
    const order = story(plan({ legacyCheck: 'nothing', payment: ['undo', 'legacyCheck'] }));
    expect(order.succeed('legacyCheck')).toEqual(['LegacyCheckSucceeded', 'PaymentRequested']);
    expect(order.order().plan.steps.map(({ name }) => name)).toEqual(['legacyCheck', 'payment']);
  });
});
