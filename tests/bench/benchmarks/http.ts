import { startChild } from '../children.ts';
import { file } from '../files.ts';
import { interleaved, type Row, ratioRow } from '../harness.ts';
import { loadOn } from '../http-load.ts';
import { quantile } from '../statistics.ts';

const CONNECTIONS = 50;
const BURST_MS = 1500;
const ROUNDS = 11;

const server = async (name: string, kind: 'durable' | 'nothing') => {
  const child = await startChild<number>('http-child.ts', [file(name), kind]);
  child.send({});
  const load = await loadOn(await child.answer(), CONNECTIONS);
  const p99: number[] = [];
  return {
    p99,
    async measure(): Promise<number> {
      const { ratePerSecond, tookMs } = await load.post(BURST_MS);
      p99.push(quantile(tookMs, 0.99));
      return ratePerSecond;
    },
    async end(): Promise<void> {
      load.close();
      await child.end();
    },
  };
};

/** `POST /orders` of the example, durable, beside the same server when it keeps nothing. */
export const run = async (): Promise<readonly Row[]> => {
  const durable = await server('orders.db', 'durable');
  const nothing = await server('nothing.db', 'nothing');
  const rates = await interleaved(ROUNDS, { durable: durable.measure, nothing: nothing.measure });
  await durable.end();
  await nothing.end();
  const peer = 'same server, nothing stored';
  return [
    ratioRow({
      what: `POST /orders, ${CONNECTIONS} connections`,
      peer,
      unit: 'requests/s',
      ours: rates.durable,
      beside: rates.nothing,
      limit: { at: 'least', value: 0.6 },
    }),
    ratioRow({
      what: `POST /orders, ${CONNECTIONS} connections, p99`,
      peer,
      unit: 'ms',
      ours: durable.p99.slice(-ROUNDS),
      beside: nothing.p99.slice(-ROUNDS),
      limit: { at: 'most', value: 2.5 },
    }),
  ];
};
