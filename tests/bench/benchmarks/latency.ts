import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { startChild } from '../children.ts';
import { file, rawDatabase } from '../files.ts';
import { type Row, valueRow } from '../harness.ts';
import { EventBus, sqliteStore } from '../orderfold.ts';
import { machineMs, pause } from '../pauses.ts';
import { watchedStore } from '../watched-store.ts';

const NEAR = 400;
const FAR = 300;
const FAR_FILES = 4;
const WITHIN_MS = 10_000;

/** The worker in the publisher's own process; between two events a bare transaction and a bare turn of the loop. */
const near = async () => {
  let durableAt = 0;
  let startedAt = 0;
  const bus = EventBus.create({
    store: watchedStore(sqliteStore({ path: file('near.db') }), ({ units }) => {
      if (units.some(({ appends = [] }) => appends.length > 0)) durableAt = performance.now();
    }),
  });
  let started = (): void => {};
  bus.subscribe('near', {
    on: {
      Tick: async () => {
        startedAt = performance.now();
        started();
      },
    },
  });
  await bus.start();
  const raw = rawDatabase(file('raw.db'));
  raw.exec('CREATE TABLE ticks (id INTEGER PRIMARY KEY, data TEXT)');
  const insert = raw.prepare('INSERT INTO ticks (data) VALUES (?)');

  const found = { fromDurable: [] as number[], fromCall: [] as number[], turns: [] as number[], commits: [] as number[] };
  for (let tick = -20; tick < NEAR; tick += 1) {
    await pause(10, 40);
    const handled = new Promise<void>((resolve) => {
      started = resolve;
    });
    const calledAt = performance.now();
    await Promise.all([bus.publish({ stream: `s-${tick}`, type: 'Tick', data: tick }), handled]);
    await pause(10, 40);
    const rawAt = performance.now();
    insert.run('1');
    const committedAt = performance.now();
    await turn();
    if (tick < 0) continue;
    found.fromDurable.push(startedAt - durableAt);
    found.fromCall.push(startedAt - calledAt);
    found.commits.push(committedAt - rawAt);
    found.turns.push(performance.now() - committedAt);
  }
  await bus.close();
  raw.close();
  return found;
};

/** The worker in a process of its own; each file is quiet for a third of a second or more before the next event. */
const far = async () => {
  const paths = Array.from({ length: FAR_FILES }, (_, index) => file(`far-${index}.db`));
  const durableAt = new Map<number, number>();
  const buses = paths.map((path, index) => {
    const store = watchedStore(sqliteStore({ path }), ({ units }) => {
      if (units.some(({ appends = [] }) => appends.length > 0)) durableAt.set(ticks[index] ?? 0, machineMs());
    });
    const bus = EventBus.create({ store });
    bus.subscribe('far', { on: { Tick: () => {} } });
    return bus;
  });
  const ticks: number[] = [];
  for (const bus of buses) await bus.open();
  const worker = await startChild<{ readonly tick: number; readonly atMs: number }>('latency-child.ts', paths);
  await sleep(500);
  const latencies: number[] = [];
  let next = 0;
  const publisher = async (index: number): Promise<void> => {
    while (next < FAR) {
      next += 1;
      ticks[index] = next;
      await buses[index]?.publish({ stream: `s-${next}`, type: 'Tick', data: next });
      await pause(350, 700);
    }
  };
  const collector = async (): Promise<void> => {
    while (latencies.length < FAR) {
      const { tick, atMs } = await worker.answer();
      latencies.push(atMs - (durableAt.get(tick) ?? Number.NaN));
    }
  };
  const late = sleep(WITHIN_MS + FAR * 300, undefined, { ref: false }).then(() => {
    throw new Error(`${FAR - latencies.length} events never reached the other process`);
  });
  await Promise.race([Promise.all([...buses.keys()].map(publisher).concat(collector())), late]);
  await worker.end();
  for (const bus of buses) await bus.close();
  return latencies;
};

/** From an append to the start of its handler, on a quiet bus. */
export const run = async (): Promise<readonly Row[]> => {
  const here = await near();
  const there = await far();
  const rows = (
    what: string,
    peer: string,
    ours: readonly number[],
    beside: readonly number[],
    limits: readonly (number | null)[],
  ): Row[] =>
    [0.5, 0.99].map((share, index) => {
      const most = limits[index] ?? null;
      return valueRow({
        what: `${what}, p${share * 100}`,
        peer,
        unit: 'ms',
        ours,
        beside,
        share,
        ...(most !== null && { limit: { at: 'most', value: most } }),
      });
    });
  return [
    ...rows('durable append to handler, same process', 'a turn of the loop', here.fromDurable, here.turns, [1, 5]),
    ...rows('call of publish to handler, same process', 'a transaction of one row', here.fromCall, here.commits, []),
    ...rows('durable append to handler, another process', '–', there, [], [5, 25]),
  ];
};
