/** Checked by the compiler alone (`tsc --noEmit`), never run. */
import { OrderSaga } from '../../src/order/saga.ts';
import type { StandardOrderDetails } from '../../src/order/standard-order.ts';
import { given } from '../../src/testing/given.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare const is: <_Yes extends true>() => void;

const saga = OrderSaga.define()
  .step('payment', { do: () => ({ chargeId: 'c' }), undo: () => undefined })
  .step('mail', { after: ['payment'], do: () => undefined, undo: 'irreversible' });

const placed = given(saga).order({ customerId: 'c', currency: 'EUR', items: [] });
is<Same<typeof placed.state.details, StandardOrderDetails>>();
is<Same<typeof placed.state.steps.payment.result, { chargeId: string } | undefined>>();

placed.succeeded('payment', { chargeId: 'c' }).when.succeeded('mail').then('MailSucceeded', 'OrderConfirmed');
placed.when
  .refused('payment')
  .then({ type: 'PaymentRefused', data: { reason: 'no' } }, { type: 'CancellationStarted', data: { cause: 'refused' } });

// @ts-expect-error the steps are known
placed.succeeded('shipping');
// @ts-expect-error and what they return
placed.succeeded('payment', { chargeId: 7 });
// @ts-expect-error which has to be told
placed.succeeded('payment');
// @ts-expect-error so are the events
placed.when.refused('payment').then('ShippingRefused');
// @ts-expect-error and what they carry
placed.when.refused('payment').then({ type: 'CancellationStarted', data: { cause: 'weather' } });
// @ts-expect-error and why an order is refused
placed.when.cancelled().thenRejected('NO_IDEA');
// @ts-expect-error and what an order is
given(saga).order({ customerId: 'c' });

const account = {
  decide: (command: { readonly take: number }, state: { n: number }) => (command.take > state.n ? [] : [{ took: command.take }]),
  evolve: (draft: { n: number }, event: { readonly took: number }) => {
    draft.n -= event.took;
  },
  initialState: () => ({ n: 10 }),
};
const poor = given(account, [{ took: 9 }]);
is<Same<typeof poor.state, { n: number }>>();
poor.when({ take: 1 }).then([{ took: 1 }]);
// @ts-expect-error a command of its own
poor.when({ give: 1 });
// @ts-expect-error events of its own
poor.when({ take: 1 }).then([{ gave: 1 }]);
