import { drain, fill } from '../backlog.ts';
import { file, rawDatabase } from '../files.ts';
import { apart, interleaved, type Measure, perSecond, type Row, ratioRow, skippedRow, valueRow } from '../harness.ts';
import { sqliteStore } from '../orderfold.ts';
import { bullmq } from '../peers.ts';
import { noRedis, ownRedis } from '../redis.ts';
import { request } from '../shop.ts';
import type { Side } from '../side-child.ts';

const EVENTS = 100_000;
const PAGE = 512;
const BULL = { jobs: 4000, inBulk: 1000, concurrency: 64 } as const;

/** The same rows, in pages of the size the engine reads, each payload parsed. */
const rawReader = (path: string): Measure => {
  const database = rawDatabase(path);
  const page = database.prepare(
    'SELECT e.id, e.version, e.type, e.schema, e.time, e.data, e.cause, s.stream FROM events e JOIN streams s ON s.id = e.stream WHERE e.id > ? ORDER BY e.id LIMIT ?',
  );
  return () => {
    let seen = 0;
    const start = performance.now();
    for (let after = 0, rows = page.all(after, PAGE); rows.length > 0; rows = page.all(after, PAGE)) {
      for (const { data } of rows) if (JSON.parse(String(data)) !== null) seen += 1;
      after = Number(rows.at(-1)?.id);
    }
    if (seen !== EVENTS) throw new Error(`${seen} rows were read`);
    return perSecond(EVENTS, start);
  };
};

/** Jobs that wait already, through a worker with a handler that does nothing. */
const bullWorker = async (port: number): Promise<Measure> => {
  const { Queue, Worker } = await bullmq();
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
  let queues = 0;
  return async () => {
    queues += 1;
    const name = `bench-${queues}`;
    const queue = new Queue(name, { connection });
    for (let added = 0; added < BULL.jobs; added += BULL.inBulk) {
      await queue.addBulk(
        Array.from({ length: BULL.inBulk }, (_, job) => ({ name: 'OrderSeen', data: { ...request, orderId: `o-${job}` } })),
      );
    }
    let handled = 0;
    let start = 0;
    const rate = await new Promise<number>((resolve) => {
      const worker = new Worker(
        name,
        async ({ data }) => {
          handled += data === null ? 0 : 1;
          if (handled === BULL.jobs) resolve(perSecond(BULL.jobs, start));
        },
        { connection, concurrency: BULL.concurrency, autorun: false },
      );
      start = performance.now();
      void worker.run();
      closing = () => worker.close();
    });
    await closing();
    await queue.obliterate({ force: true });
    await queue.close();
    return rate;
  };
};
let closing = async (): Promise<void> => {};

export const sides: Readonly<Record<string, Side>> = {
  ours:
    async (path = '') =>
    async () =>
      (await drain(path, EVENTS)).ratePerSecond,
  gap:
    async (path = '') =>
    async () =>
      (await drain(path, EVENTS)).longestGapMs,
  raw:
    async (path = '') =>
    async () =>
      rawReader(path)(),
  bull: async (port = '') => {
    const measure = await bullWorker(Number(port));
    return async () => measure();
  },
};

/** What piled up while no worker ran, each side in a process of its own. */
export const run = async (): Promise<readonly Row[]> => {
  const path = file('backlog.db');
  const store = sqliteStore({ path });
  await fill(store, EVENTS);
  await store.close();
  const why = noRedis();
  const redis = why === undefined ? await ownRedis() : null;
  const processes = {
    ours: await apart('backlog', 'ours', path),
    raw: await apart('backlog', 'raw', path),
    gap: await apart('backlog', 'gap', path),
    ...(redis === null ? {} : { bull: await apart('backlog', 'bull', String(redis.port)) }),
  };
  const measures = Object.fromEntries(Object.entries(processes).map(([name, { measure }]) => [name, measure] as const));
  const rates: Readonly<Record<string, readonly number[]>> = await interleaved(9, measures);
  for (const { end } of Object.values(processes)) await end();
  await redis?.stop();
  const what = `SQLite: backlog of ${EVENTS.toLocaleString('en')} events`;
  const bullName = `BullMQ, ${BULL.jobs} jobs, concurrency ${BULL.concurrency}`;
  const row = { what, unit: 'events/s', ours: rates.ours ?? [] };
  return [
    ratioRow({
      ...row,
      peer: 'node:sqlite, read and parsed',
      beside: rates.raw ?? [],
      limit: { at: 'least', value: 0.4 },
      note: 'the count of the handler and the checkpoints are asserted',
    }),
    why === undefined
      ? ratioRow({
          ...row,
          peer: bullName,
          beside: rates.bull ?? [],
          limit: { at: 'least', value: 10 },
          note: 'its Redis syncs every second',
        })
      : skippedRow(what, bullName, why),
    valueRow({
      what: `${what}, longest without a durable checkpoint`,
      peer: '–',
      unit: 'ms',
      ours: rates.gap ?? [],
      beside: [],
      limit: { at: 'most', value: 100 },
    }),
  ];
};
