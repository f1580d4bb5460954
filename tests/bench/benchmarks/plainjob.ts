import { DatabaseSync } from 'node:sqlite';
import { file } from '../files.ts';
import { atATime, interleaved, perSecond, type Row, ratioRow } from '../harness.ts';
import { EventBus, sqliteStore } from '../orderfold.ts';
import { plainjob } from '../peers.ts';
import { request } from '../shop.ts';

const EVENTS = 1000;

/** What plainjob asks of a driver, over `node:sqlite`: so both run on one build of SQLite. */
const connection = (path: string) => {
  const database = new DatabaseSync(path);
  const transaction = (work: () => unknown) => ({
    immediate() {
      database.exec('BEGIN IMMEDIATE');
      const result = work();
      database.exec('COMMIT');
      return result;
    },
  });
  return {
    driver: 'better-sqlite3',
    filename: path,
    pragma: (text: string) => database.exec(`PRAGMA ${text}`),
    exec: (sql: string) => database.exec(sql),
    prepare: (sql: string) => database.prepare(sql),
    transaction,
    close: () => database.close(),
  };
};

const ours = async () => {
  const bus = EventBus.create({ store: sqliteStore({ path: file('ours.db') }) });
  let left = EVENTS;
  let resolve = (): void => {};
  bus.subscribe('jobs', {
    on: {
      OrderSeen: async ({ data }) => {
        left -= data === null ? 0 : 1;
        if (left === 0) resolve();
      },
    },
  });
  await bus.open();
  return {
    async add(): Promise<number> {
      const start = performance.now();
      await atATime(100, EVENTS, (index) => bus.publish({ stream: `o-${index}`, type: 'OrderSeen', data: request }));
      return perSecond(EVENTS, start);
    },
    async work(): Promise<number> {
      left = EVENTS;
      const all = new Promise<void>((done) => {
        resolve = done;
      });
      const start = performance.now();
      await bus.start();
      await all;
      await bus.stop();
      return perSecond(EVENTS, start);
    },
    close: () => bus.close(),
  };
};

const theirs = async () => {
  const { defineQueue, defineWorker } = await plainjob();
  const logger = { error: console.error, warn: () => {}, info: () => {}, debug: () => {} };
  const driver = connection(file('plainjob.db'));
  const queue = defineQueue({ connection: driver, logger });
  // It sets NORMAL, under which a crash of the machine may take what was added.
  driver.pragma('synchronous = FULL');
  return {
    add(): number {
      const start = performance.now();
      for (let index = 0; index < EVENTS; index += 1) queue.add('jobs', { ...request, orderId: `o-${index}` });
      return perSecond(EVENTS, start);
    },
    async work(): Promise<number> {
      let left = EVENTS;
      const start = performance.now();
      const all = new Promise<void>((resolve) => {
        const handle = async ({ data }: { readonly data: string }): Promise<void> => {
          left -= JSON.parse(data) === null ? 0 : 1;
          if (left === 0) resolve();
        };
        const worker = defineWorker('jobs', handle, { queue, logger });
        void worker.start();
        stop = () => worker.stop();
      });
      await all;
      await stop();
      return perSecond(EVENTS, start);
    },
    close: () => queue.close(),
  };
};
let stop = async (): Promise<void> => {};

/** Adding and working off, beside a job queue on SQLite that keeps a row per job; both on the disk with every commit. */
export const run = async (): Promise<readonly Row[]> => {
  const [mine, plain] = [await ours(), await theirs()];
  const rates = await interleaved(7, { add: mine.add, plainAdd: plain.add, work: mine.work, plainWork: plain.work });
  await mine.close();
  plain.close();
  return [
    ratioRow({
      what: 'SQLite: events appended, 100 in flight',
      peer: 'plainjob, add',
      unit: 'events/s',
      ours: rates.add,
      beside: rates.plainAdd,
      note: 'synchronous=FULL and node:sqlite for both',
    }),
    ratioRow({
      what: `SQLite: ${EVENTS} events worked off, leases included`,
      peer: 'plainjob, jobs',
      unit: 'events/s',
      ours: rates.work,
      beside: rates.plainWork,
    }),
  ];
};
