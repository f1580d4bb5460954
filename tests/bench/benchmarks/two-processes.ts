import { startChild } from '../children.ts';
import { file } from '../files.ts';
import { interleaved, perSecond, type Row, ratioRow } from '../harness.ts';

const ORDERS = 1000;

/** API and worker as two processes on one file, beside one process that is both. */
export const run = async (): Promise<readonly Row[]> => {
  const both = await startChild<string>('shop-child.ts', [file('one.db'), 'both']);
  const api = await startChild<string>('shop-child.ts', [file('two.db'), 'api']);
  const worker = await startChild<string>('shop-child.ts', [file('two.db'), 'worker']);

  const two = async (): Promise<number> => {
    worker.send({ expect: ORDERS });
    await worker.answer();
    const start = performance.now();
    api.send({ place: ORDERS });
    await api.answer();
    await worker.answer();
    return perSecond(ORDERS, start);
  };
  const one = async (): Promise<number> => {
    const start = performance.now();
    both.send({ expect: ORDERS, place: ORDERS });
    await both.answer();
    return perSecond(ORDERS, start);
  };

  const rates = await interleaved(9, { two, one });
  await Promise.all([both, api, worker].map((child) => child.end()));
  return [
    ratioRow({
      what: 'SQLite: whole orders, API and worker apart',
      peer: 'both in one process',
      unit: 'orders/s',
      ours: rates.two,
      beside: rates.one,
      limit: { at: 'least', value: 0.7 },
    }),
  ];
};
