import { setTimeout as sleep } from 'node:timers/promises';
import { file } from '../files.ts';
import { interleaved, perSecond, type Row, ratioRow } from '../harness.ts';
import { createOrders, OrderSaga, RetryPolicy, sqliteStore } from '../orderfold.ts';
import { confirmations, place, type Shop } from '../shop.ts';

const CROWD = 10_000;
const ORDERS = 500;

const shopAt = async (path: string) => {
  const outage = { on: false };
  const saga = OrderSaga.define({ deadlineMs: 15 * 60_000 })
    .step('payment', {
      do: async () => {
        if (outage.on) throw new Error('the gateway is away');
        return { chargeId: 'ch_1' };
      },
      undo: async () => {},
      retry: RetryPolicy.fixed({ delayMs: 600_000 }),
    })
    .step('inventory', { do: async () => ({ reservationId: 'r_1' }), undo: async () => {} })
    .step('notification', { after: ['payment', 'inventory'], do: async () => ({ messageId: 'm_1' }), undo: 'irreversible' });
  const orders = createOrders({ store: sqliteStore({ path }), saga }) as Shop;
  const confirmed = confirmations(orders);
  await orders.worker().start();
  return { orders, confirmed, outage };
};

/** Whole orders while ten thousand others wait for their next attempt, beside the same without them. */
export const run = async (): Promise<readonly Row[]> => {
  const crowded = await shopAt(file('crowded.db'));
  const empty = await shopAt(file('empty.db'));
  // As many orders lie in the other file, settled: it is those in retry that may make a difference, not the size of the file.
  const settled = empty.confirmed(CROWD);
  await place(empty.orders, CROWD);
  await settled;
  crowded.outage.on = true;
  await place(crowded.orders, CROWD);
  for (;;) {
    const { payment, inventory } = (await crowded.orders.counts()).subscriptions;
    if (payment?.scheduled === CROWD && inventory?.backlog === 0) break;
    await sleep(50);
  }
  crowded.outage.on = false;

  const measure =
    ({ orders, confirmed }: typeof empty) =>
    async (): Promise<number> => {
      const all = confirmed(ORDERS);
      const start = performance.now();
      await place(orders, ORDERS);
      await all;
      return perSecond(ORDERS, start);
    };
  const rates = await interleaved(15, { crowded: measure(crowded), empty: measure(empty) });
  await crowded.orders.close();
  await empty.orders.close();
  return [
    ratioRow({
      what: `SQLite: whole orders beside ${CROWD.toLocaleString('en')} in retry`,
      peer: 'beside none',
      unit: 'orders/s',
      ours: rates.crowded,
      beside: rates.empty,
      limit: { at: 'least', value: 0.9 },
    }),
  ];
};
