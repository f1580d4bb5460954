import { file, rawDatabase } from '../files.ts';
import { interleaved, perSecond, type Row, ratioRow } from '../harness.ts';
import { sqliteStore } from '../orderfold.ts';
import { createRawWriter, type Taken } from '../raw-writer.ts';
import { place, shop } from '../shop.ts';
import { watchedStore } from '../watched-store.ts';

const ORDERS = 2000;
const IN_A_TRANSACTION = 100;

/** The same units, so many to a batch. */
const regrouped = (taken: readonly Taken[]): readonly Taken[] => {
  const units = taken.flatMap(({ batch, result }) => batch.units.map((unit, index) => ({ unit, result: result.units[index] })));
  return Array.from({ length: Math.ceil(units.length / IN_A_TRANSACTION) }, (_, group) => {
    const mine = units.slice(group * IN_A_TRANSACTION, (group + 1) * IN_A_TRANSACTION);
    const results = mine.flatMap(({ result }) => (result === undefined ? [] : [result]));
    return {
      batch: { owner: '', id: '', units: mine.map(({ unit }) => unit), progress: [] },
      result: { units: results, lost: [] },
    };
  });
};

/** Taking orders, nobody working on them, beside inserting the very same rows by hand. */
export const run = async (): Promise<readonly Row[]> => {
  let taken: Taken[] = [];
  const orders = shop(watchedStore(sqliteStore({ path: file('ours.db') }), (batch, result) => taken.push({ batch, result })));
  const twin = shop(sqliteStore({ path: file('raw.db') }));
  await orders.open();
  await twin.open();
  await twin.close();
  const raw = createRawWriter(rawDatabase(file('raw.db')));
  let rows = 0;
  let batches = 0;

  const ours = async (): Promise<number> => {
    taken = [];
    const start = performance.now();
    await place(orders, ORDERS);
    const rate = perSecond(1, start);
    batches = taken.length;
    return rate;
  };
  const inserted = (): number => {
    const writes = raw.prepare(regrouped(taken));
    rows = writes.reduce((sum, transaction) => sum + transaction.length, 0);
    const start = performance.now();
    raw.write(writes);
    return perSecond(1, start);
  };

  const rates = await interleaved(9, { ours, inserted });
  await orders.close();
  const inRows = (rate: number): number => rate * rows;
  return [
    ratioRow({
      what: 'SQLite: orders accepted, 100 in flight',
      peer: 'node:sqlite, 100 orders a transaction',
      unit: 'rows/s',
      ours: rates.ours.map(inRows),
      beside: rates.inserted.map(inRows),
      limit: { at: 'least', value: 0.45 },
      note: `${rows / ORDERS} rows an order; ours came to ${(ORDERS / batches).toFixed(0)} orders a transaction`,
    }),
  ];
};
