import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { fold } from '../../src/order/fold.ts';
import type { Order } from '../../src/order/order.ts';
import { refused } from '../../src/order/refused.ts';
import { OrderSaga } from '../../src/order/saga.ts';
import type { StandardSchemaV1 } from '../../src/order/standard-schema.ts';
import { type Decider, given } from '../../src/testing/given.ts';

const saga = OrderSaga.define({ deadlineMs: 60_000 })
  .step('payment', {
    do: ({ order }) => (order.totalMinor > 5_000 ? refused('too much') : { chargeId: `ch_${order.totalMinor}` }),
    undo: ({ result }) => result.chargeId,
  })
  .step('inventory', { do: () => ({ reservationId: 'r' }), undo: () => undefined })
  .step('notification', { after: ['payment', 'inventory'], do: () => undefined, undo: 'irreversible' });

const request = { customerId: 'c1', currency: 'EUR', items: [{ sku: 'a', quantity: 1, unitPriceMinor: 990 }] };
const placed = given(saga).order(request);

const thrownBy = (
  run: () => unknown,
): { readonly name: string; readonly code: string; readonly message: string; readonly actual: unknown } => {
  try {
    run();
  } catch (error) {
    return error as ReturnType<typeof thrownBy>;
  }
  throw new Error('nothing was thrown');
};

describe('given a saga', () => {
  it('tells the events that follow, all of them in their order', () => {
    placed
      .succeeded('payment', { chargeId: 'c1' })
      .when.refused('inventory', 'sold out')
      .then('InventoryRefused', 'CancellationStarted', 'PaymentUndoRequested')
      .when.undone('payment')
      .then('PaymentUndone', 'OrderCancelled');
  });

  it('looks at the fields of a payload that the expectation names', () => {
    placed.when
      .succeeded('payment', { chargeId: 'c1' })
      .then({ type: 'PaymentSucceeded', data: { result: { chargeId: 'c1' }, effectKey: 'o-1:payment' } });
  });

  it('tells of what comes to nothing, and of what is refused', () => {
    const confirmed = placed
      .succeeded('payment', { chargeId: 'c1' })
      .succeeded('inventory', { reservationId: 'r' })
      .when.succeeded('notification')
      .then('NotificationSucceeded', 'OrderConfirmed');
    confirmed.when.deadlinePassed().then();
    confirmed.when.cancelled('too late').thenRejected('TOO_LATE');
    expect(confirmed.state).toMatchObject({ status: 'confirmed', details: { totalMinor: 990 } });
  });

  it('tells of dead letters: redriven, discarded, and undone by hand', () => {
    const stalled = placed.succeeded('inventory', { reservationId: 'r' }).died('payment');
    expect(stalled.state.status).toBe('stalled');
    stalled.when.redriven('payment').then('DeadLetterRedriven');
    const back = stalled.when
      .discarded('payment')
      .then(
        'DeadLetterDiscarded',
        { type: 'CancellationStarted', data: { cause: 'discarded' } },
        'PaymentUndoRequested',
        'InventoryUndoRequested',
      );
    back.undone('inventory').when.undone('payment', { chargeId: 'c1' }).then('PaymentSucceeded', 'PaymentUndone', 'OrderCancelled');
    back.undone('inventory').died('payment').when.discarded('payment').then('DeadLetterDiscarded', 'UndoneByHand', 'OrderCancelled');
    placed.cancelled().skipped('payment').when.skipped('inventory').then('StepSkipped', 'OrderCancelled');
  });

  it('never changes: one story goes on in several ways', () => {
    const paid = placed.succeeded('payment', { chargeId: 'c1' });
    paid.when.succeeded('inventory', { reservationId: 'r' }).then('InventorySucceeded', 'NotificationRequested');
    paid.when.refused('inventory').then('InventoryRefused', 'CancellationStarted', 'PaymentUndoRequested');
    expect(paid.state.version).toBe(4);
  });

  it('fails with the difference, and with what it was about', () => {
    const error = thrownBy(() => placed.when.refused('inventory').then('InventoryRefused', 'OrderCancelled'));
    expect(error.name).toBe('AssertionError');
    expect(error.code).toBe('ERR_ASSERTION');
    expect(error.message).toContain('when RecordRefused inventory comes to an order that is placed');
    expect(error.message).toMatch(/\+ +'CancellationStarted'\n- +'OrderCancelled'/);
    expect(error.actual).toEqual(['InventoryRefused', 'CancellationStarted']);
    expect(thrownBy(() => placed.when.refused('inventory').then('InventoryRefused')).message).toMatch(/\+ +'CancellationStarted'/);
    const other = thrownBy(() =>
      placed.when.succeeded('payment', { chargeId: 'a' }).then({ type: 'PaymentSucceeded', data: { result: { chargeId: 'b' } } }),
    );
    expect(other.message).toMatch(/\+ +chargeId: 'a'\n- +chargeId: 'b'/);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['a refusal that was to be none', () => placed.when.redriven('payment').then(), /payment is requested, not dead/],
    ['no refusal', () => placed.when.cancelled().thenRejected('TOO_LATE'), /was to be refused as TOO_LATE, and it was not/],
    ['what can not be given', () => placed.undone('payment'), /given RecordUndone payment, which can not be\nit was refused: .*INVALID/],
    ['what changes nothing', () => placed.cancelled().cancelled(), /given Cancel, which changes nothing of an order that is cancelling/],
    ['a step that was not requested', () => placed.succeeded('notification'), /notification was not requested/],
    [
      'a step that waits for nothing',
      () => placed.succeeded('payment', { chargeId: '' }).refused('payment'),
      /payment is succeeded, and waits/,
    ],
    ['a step of another saga', () => placed.died('shipping' as 'payment'), /the plan has no step shipping/],
    ['an order the schema refuses', () => given(saga).order({ ...request, items: [] }), /does not let through: expected 1 to 100 items/],
  ])('fails for %s', (_, run, message) => {
    expect(thrownBy(run)).toMatchObject({ name: 'AssertionError', message: expect.stringMatching(message) });
  });

  it('tells whoever awaits it without an expectation', async () => {
    await expect(async () => placed.when.cancelled() as never).rejects.toThrow(/this is no promise/);
  });

  it('takes what a schema lets through that answers later', () => {
    const later: StandardSchemaV1<unknown, { readonly n: number }> = {
      '~standard': { version: 1, vendor: 'x', validate: async (value) => ({ value: value as { readonly n: number } }) },
    };
    const slow = OrderSaga.define({ order: later }).step('count', { do: ({ order }) => order.n, undo: 'nothing' });
    expect(() => given(slow).order({})).toThrow(/answers later/);
    given(slow).placed({ n: 1 }).when.succeeded('count', 1).then('CountSucceeded', 'OrderConfirmed');
  });
});

type Command = { readonly type: 'withdraw'; readonly amount: number };
type Event = { readonly type: 'deposited' | 'withdrawn'; readonly amount: number };

const account: Decider<Command, { balance: number }, Event, { readonly code: string }> = {
  decide: ({ amount }, { balance }) => (amount > balance ? E.left({ code: 'TOO_LITTLE' }) : E.right([{ type: 'withdrawn', amount }])),
  evolve: (draft, { type, amount }) => {
    draft.balance += type === 'deposited' ? amount : -amount;
  },
  initialState: () => ({ balance: 0 }),
};

describe('given a decider', () => {
  const rich = given(account, [{ type: 'deposited', amount: 10 }]);

  it('tells events and refusals', () => {
    rich.when({ type: 'withdraw', amount: 10 }).then([{ type: 'withdrawn', amount: 10 }]);
    rich.when({ type: 'withdraw', amount: 11 }).thenRejected('TOO_LITTLE');
    given(account).when({ type: 'withdraw', amount: 1 }).thenRejected('TOO_LITTLE');
    expect(rich.state).toEqual({ balance: 10 });
  });

  it('takes one whose evolve gives a new state, and whose decide gives plain events', () => {
    const counter = {
      decide: (command: { by: number }, state: number) => (state > 2 ? [] : [{ by: command.by }]),
      evolve: (state: number, { by }: { by: number }) => state + by,
      initialState: () => 0,
    };
    given(counter, [{ by: 2 }])
      .when({ by: 1 })
      .then([{ by: 1 }]);
    given(counter, [{ by: 3 }])
      .when({ by: 1 })
      .then([]);
  });

  it('fails with the difference, or with what the refusal was', () => {
    const error = thrownBy(() => rich.when({ type: 'withdraw', amount: 1 }).then([{ type: 'withdrawn', amount: 2 }]));
    expect(error.message).toContain('when withdraw comes after 1 events');
    expect(error.message).toMatch(/\+ +amount: 1.*\n- +amount: 2/);
    expect(thrownBy(() => rich.when({ type: 'withdraw', amount: 11 }).then([])).message).toContain('it was refused: {"code":"TOO_LITTLE"}');
    expect(thrownBy(() => rich.when({ type: 'withdraw', amount: 11 }).thenRejected('CLOSED')).message).toContain('refused otherwise');
  });

  it("tells what is decided over the model of a bus's streams", () => {
    const model = { fold: (events: readonly { readonly data: unknown }[], from: number | undefined) => (from ?? 0) + events.length };
    given(model, [{ type: 'A', data: 1 }])
      .when((state, version) => (state === version ? E.right([{ type: 'B', data: state }]) : E.left({ code: 'NO' })))
      .then([{ type: 'B', data: 1 }]);
    given(model)
      .when((state) => (state === undefined ? E.left({ code: 'NO' }) : E.right([])))
      .thenRejected('NO');
  });

  it('folds an order like the library', () => {
    const model = { fold: (events: Parameters<typeof fold>[0], from: Order | undefined) => fold(events, from) as Order };
    const plan = { steps: [{ name: 'payment', after: [], undo: 'undo' as const }] };
    expect(given(model, [{ type: 'OrderPlaced', data: { details: {}, plan } }]).state).toMatchObject({ status: 'placed' });
  });
});
