import { file, rawDatabase } from '../files.ts';
import { interleaved, perSecond, type Row, ratioRow } from '../harness.ts';
import { sqliteStore } from '../orderfold.ts';
import { createRawWriter, type Taken } from '../raw-writer.ts';
import { allConfirmed, confirmations, place, shop } from '../shop.ts';
import { watchedStore } from '../watched-store.ts';

const ORDERS = 1000;

/** Orders from their placing to their confirmation in one process, beside a loop that writes the same rows in the same transactions. */
export const run = async (): Promise<readonly Row[]> => {
  let taken: Taken[] = [];
  const orders = shop(watchedStore(sqliteStore({ path: file('ours.db') }), (batch, result) => taken.push({ batch, result })));
  const twin = shop(sqliteStore({ path: file('raw.db') }));
  await twin.open();
  await twin.close();
  const raw = createRawWriter(rawDatabase(file('raw.db')));
  const confirmed = confirmations(orders);
  await orders.worker().start();
  const sizes: number[] = [];
  let rows = 0;

  const ours = async (): Promise<number> => {
    taken = [];
    const all = confirmed(ORDERS);
    const start = performance.now();
    await place(orders, ORDERS);
    await all;
    return perSecond(ORDERS, start);
  };
  const written = (): number => {
    const writes = raw.prepare(taken);
    rows = writes.reduce((sum, transaction) => sum + transaction.length, 0);
    sizes.push(rows / writes.length);
    const start = performance.now();
    raw.write(writes);
    return perSecond(ORDERS, start);
  };

  const rates = await interleaved(9, { ours, written });
  await allConfirmed(orders);
  await orders.close();
  return [
    ratioRow({
      what: 'SQLite: whole orders, one process',
      peer: 'node:sqlite, same rows, same batches',
      unit: 'orders/s',
      ours: rates.ours,
      beside: rates.written,
      limit: { at: 'least', value: 0.6 },
      note: `${(rows / ORDERS).toFixed(1)} rows an order; ${Math.round(Math.min(...sizes))} to ${Math.round(Math.max(...sizes))} rows a transaction`,
    }),
  ];
};
