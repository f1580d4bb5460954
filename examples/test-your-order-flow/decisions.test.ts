import { given } from 'orderfold/testing';
import { it } from 'vitest';
import { orderSaga } from './saga.ts';
import type { Services } from './services.ts';

/** No handler is called, so nobody has to be there. */
const saga = orderSaga({} as Services);
const placed = given(saga).order({ customerId: 'c1', currency: 'EUR', items: [{ sku: 'tea', quantity: 2, unitPriceMinor: 990 }] });

it('asks for the mail once payment and stock are both there', () => {
  placed
    .succeeded('payment', { chargeId: 'ch_1' })
    .when.succeeded('stock', { reservationId: 'rs_1' })
    .then('StockSucceeded', 'MailRequested');
});

it('gives the money back when the goods are gone', () => {
  placed
    .succeeded('payment', { chargeId: 'ch_1' })
    .when.refused('stock', 'sold out')
    .then('StockRefused', { type: 'CancellationStarted', data: { reason: 'sold out' } }, 'PaymentUndoRequested')
    .when.undone('payment')
    .then('PaymentUndone', 'OrderCancelled');
});

it('can not be cancelled once the mail is on its way', () => {
  placed
    .succeeded('payment', { chargeId: 'ch_1' })
    .succeeded('stock', { reservationId: 'rs_1' })
    .when.cancelled('changed my mind')
    .thenRejected('TOO_LATE');
});
