import { serve } from './children.ts';
import { sqliteStore } from './orderfold.ts';
import { allConfirmed, confirmations, place, shop } from './shop.ts';

// An API, a worker or both over one file: places so many orders, and tells when so many have been confirmed here.
const [path = '', part = ''] = process.argv.slice(2);
const orders = shop(sqliteStore({ path }));
const confirmed = confirmations(orders);
await orders.open();
if (part !== 'api') await orders.worker().start();

serve<{ readonly expect?: number; readonly place?: number }>(
  async ({ expect, place: count }) => {
    const all = expect === undefined ? undefined : confirmed(expect);
    if (count !== undefined) await place(orders, count);
    else process.send?.('expecting');
    await all;
    process.send?.('done');
  },
  () => allConfirmed(orders).finally(() => orders.close()),
);
