import { createHash } from 'node:crypto';
import { OrderSaga } from 'orderfold';
import { given, type Outside, type SimulationFailed, simulate, testApp } from 'orderfold/testing';

/** Charges again with every retry: the same run of it has to be found, and told in the same words, wherever this is. */
const services = (outside: Outside) => ({
  payments: { charge: async (amountMinor: number) => outside.once(undefined, { amountMinor }, () => ({ charged: amountMinor })) },
});
const sagaOf = ({ payments }: ReturnType<typeof services>) =>
  OrderSaga.define().step('payment', { do: ({ order }) => payments.charge(order.totalMinor), undo: async () => {}, timeoutMs: 300 });

const request = { customerId: 'c1', currency: 'EUR', items: [{ sku: 'a', quantity: 1, unitPriceMinor: 990 }] };

const main = async (): Promise<void> => {
  const saga = OrderSaga.define().step('payment', { do: () => ({ chargeId: 'ch_1' }), undo: async () => {} });
  given(saga).order(request).when.succeeded('payment', { chargeId: 'ch_1' }).then('PaymentSucceeded', 'OrderConfirmed');

  const app = await testApp({ saga });
  await app.orders.place(request);
  const left = await app.settle();
  const { orders } = await app.orders.list({ status: 'confirmed' });
  console.log(`${orders.length} confirmed, ${left.length} left`);
  await app.close();

  const failure = await simulate({ services, saga: sagaOf, seed: 1, schedules: 100 }).then(
    () => undefined,
    (error: unknown) => error as SimulationFailed,
  );
  console.log(
    createHash('sha256')
      .update(`${failure?.message}\n${failure?.trace.join('\n')}`)
      .digest('hex'),
  );
};

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
