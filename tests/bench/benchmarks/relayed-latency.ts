import { setTimeout as sleep } from 'node:timers/promises';
import { brokerUrl, connectRaw, declareQueues, noBroker, ownTopic, queuesOf, remove } from '../broker.ts';
import { startChild } from '../children.ts';
import { file } from '../files.ts';
import { type Row, skippedRow, valueRow } from '../harness.ts';
import { EventBus, memoryStore, rabbitmqTransport, sqliteStore } from '../orderfold.ts';
import { machineMs, pause } from '../pauses.ts';
import type { Begun } from '../relayed-child.ts';
import { withoutRelay } from '../relaying.ts';
import { watchedStore } from '../watched-store.ts';

const NEAR = 300;
const FAR = 300;
const FAR_FILES = 4;
/** Before that, connections and code are new to it. */
const WARM_UP = 20;
/** A queue each is enough for what comes one by one. */
const STORE = { shards: 1 } as const;
const WITHIN_MS = 10_000;
const SWEEP_MS = 3_600_000;
const LIMITS = [10, 50] as const;

/** What carries a message there and back: published to a quorum queue and consumed from it by one process. */
const rawTrip = async (queue: string) => {
  const model = await connectRaw();
  await declareQueues(model, [queue]);
  const channel = await model.createConfirmChannel();
  let came = (): void => {};
  await channel.consume(queue, (message) => {
    if (message === null) return;
    channel.ack(message);
    came();
  });
  return {
    measure(): Promise<number> {
      const start = performance.now();
      return new Promise((resolve) => {
        came = () => resolve(performance.now() - start);
        channel.publish('', queue, Buffer.from('{}'), { persistent: true, mandatory: true });
      });
    },
    close: () => model.close(),
  };
};

type Trip = Awaited<ReturnType<typeof rawTrip>>;

/** One bus appends and relays, another handles, both in this process and over its memory; between two events a raw message. */
const near = async (topic: string, raw: Trip) => {
  let durableAt = 0;
  let started = (_atMs: number): void => {};
  const store = memoryStore(STORE);
  const watched = watchedStore(store, ({ units }) => {
    if (units.some(({ appends = [] }) => appends.length > 0)) durableAt = performance.now();
  });
  const relay = EventBus.create({ store: watched, transport: rabbitmqTransport({ url: brokerUrl, topic }) });
  const worker = EventBus.create({ store: withoutRelay(store), transport: rabbitmqTransport({ url: brokerUrl, topic }) });
  worker.subscribe('near', { on: { Tick: async () => started(performance.now()) } });
  await worker.start({ sweepMs: SWEEP_MS });
  await relay.start();
  await sleep(500);
  const found = { ours: [] as number[], raw: [] as number[] };
  for (let tick = -WARM_UP; tick < NEAR; tick += 1) {
    await pause(5, 20);
    const handled = new Promise<number>((resolve) => {
      started = resolve;
    });
    await relay.publish({ stream: `s-${tick}`, type: 'Tick', data: tick });
    const ours = (await handled) - durableAt;
    await pause(5, 20);
    const bare = await raw.measure();
    if (tick < 0) continue;
    found.ours.push(ours);
    found.raw.push(bare);
  }
  await relay.close();
  await worker.close();
  return found;
};

/** Who appends, who relays and who handles are three processes; each file is quiet for a third of a second or more before the next event. */
const far = async (topics: readonly string[], raw: Trip) => {
  const paths = topics.map((_, index) => file(`far-${index}.db`));
  const durableAt = new Map<number, number>();
  const ticks: number[] = [];
  const buses = paths.map((path, index) => {
    const store = watchedStore(sqliteStore({ path, ...STORE }), ({ units }) => {
      if (units.some(({ appends = [] }) => appends.length > 0)) durableAt.set(ticks[index] ?? 0, machineMs());
    });
    const bus = EventBus.create({ store });
    bus.subscribe('far', { on: { Tick: () => {} } });
    return bus;
  });
  for (const bus of buses) await bus.open();
  const places = paths.map((path, index) => `${path}|${topics[index]}`);
  const worker = await startChild<Begun>('relayed-child.ts', ['worker', ...places]);
  const relay = await startChild<never>('relayed-child.ts', ['relay', ...places]);
  // Their queues are made meanwhile.
  await sleep(1000);
  const found = { ours: [] as number[], raw: [] as number[] };
  let next = -WARM_UP;
  const publisher = async (index: number): Promise<void> => {
    while (next < FAR) {
      next += 1;
      ticks[index] = next;
      await buses[index]?.publish({ stream: `s-${next}`, type: 'Tick', data: next });
      await pause(350, 700);
    }
  };
  let all = false;
  const collector = async (): Promise<void> => {
    for (let came = -WARM_UP; came < FAR; came += 1) {
      const { tick, atMs, reads } = await worker.answer();
      if (reads > 0) throw new Error(`the worker read the log ${reads} times`);
      if (came >= 0) found.ours.push(atMs - (durableAt.get(tick) ?? Number.NaN));
    }
    all = true;
  };
  const bare = async (): Promise<void> => {
    while (!all) {
      await pause(50, 150);
      found.raw.push(await raw.measure());
    }
  };
  const late = sleep(WITHIN_MS + FAR * 300, undefined, { ref: false }).then(() => {
    throw new Error(`${FAR - found.ours.length} events never reached the worker`);
  });
  await Promise.race([Promise.all([...buses.keys()].map(publisher).concat(collector(), bare())), late]);
  await worker.end();
  await relay.end();
  for (const bus of buses) await bus.close();
  return found;
};

/** From an append to the start of its handler by way of the broker, on a quiet bus. */
export const run = async (): Promise<readonly Row[]> => {
  const here = 'memory: durable append to handler by RabbitMQ, same process';
  const there = 'SQLite: durable append to handler by RabbitMQ, three processes';
  const peer = 'amqplib, through a quorum queue';
  const why = noBroker();
  if (why !== undefined) return [skippedRow(here, peer, why), skippedRow(there, peer, why)];
  const rawQueue = ownTopic();
  const nearTopic = ownTopic();
  const farTopics = Array.from({ length: FAR_FILES }, ownTopic);
  const rows = (what: string, { ours, raw }: { readonly ours: readonly number[]; readonly raw: readonly number[] }): Row[] =>
    [0.5, 0.99].map((share, index) =>
      valueRow({
        what: `${what}, p${share * 100}`,
        peer,
        unit: 'ms',
        ours,
        beside: raw,
        share,
        limit: { at: 'most', value: LIMITS[index] as number },
      }),
    );
  try {
    const raw = await rawTrip(rawQueue);
    const found = [...rows(here, await near(nearTopic, raw)), ...rows(there, await far(farTopics, raw))];
    await raw.close();
    return found;
  } finally {
    const queues = [
      rawQueue,
      ...queuesOf(nearTopic, 'near', STORE.shards),
      ...farTopics.flatMap((topic) => queuesOf(topic, 'far', STORE.shards)),
    ];
    await remove([nearTopic, ...farTopics], queues);
  }
};
