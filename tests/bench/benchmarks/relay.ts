import { fill } from '../backlog.ts';
import {
  bodyOf,
  brokerUrl,
  connectRaw,
  declareQueues,
  noBroker,
  ownTopic,
  publishRaw,
  purge,
  queueOptions,
  queuesOf,
  remove,
} from '../broker.ts';
import { file } from '../files.ts';
import { apart, atATime, interleaved, perSecond, type Row, ratioRow, skippedRow } from '../harness.ts';
import { memoryStore, rabbitmqTransport, sqliteStore } from '../orderfold.ts';
import { rascal } from '../peers.ts';
import { relayOnly } from '../relaying.ts';
import type { Side } from '../side-child.ts';

const EVENTS = 10_000;
const RAW_BATCH = 1000;
const RASCAL = { events: 2000, inFlight: 100 } as const;
const SINK = 'sink';

const checked = (found: number, sent: number): void => {
  if (found !== sent) throw new Error(`${found} of ${sent} messages were in the queues`);
};

export const sides: Readonly<Record<string, Side>> = {
  /** A backlog from the store to the queues of one subscription, from the start of the bus to the last confirm. */
  async ours(topic = '', kind = '') {
    const store = kind === 'memory' ? memoryStore() : sqliteStore({ path: file('relay.db') });
    const transport = rabbitmqTransport({ url: brokerUrl, topic });
    const { bus, published } = relayOnly(store, transport);
    await bus.open();
    await transport.open({ subscriptions: [SINK], shards: store.shards });
    const model = await connectRaw();
    return async () => {
      await fill(store, EVENTS);
      const all = published(EVENTS);
      const start = performance.now();
      await bus.start();
      await all;
      const rate = perSecond(EVENTS, start);
      await bus.stop();
      const { subscriptions } = await bus.counts();
      if (subscriptions.relay?.backlog !== 0) throw new Error(`the checkpoints leave ${subscriptions.relay?.backlog} events`);
      checked(await purge(model, queuesOf(topic, SINK)), EVENTS);
      return rate;
    };
  },
  async raw(topic = '') {
    const model = await connectRaw();
    const queues = queuesOf(topic, SINK);
    await declareQueues(model, queues);
    const bodies = Array.from({ length: EVENTS }, (_, index) => Buffer.from(bodyOf(index)));
    return async () => {
      const start = performance.now();
      await publishRaw(model, queues, bodies, RAW_BATCH);
      const rate = perSecond(EVENTS, start);
      checked(await purge(model, queues), EVENTS);
      return rate;
    };
  },
  async rascal(topic = '') {
    const { BrokerAsPromised, withDefaultConfig } = await rascal();
    const queues = queuesOf(topic, SINK);
    const broker = await BrokerAsPromised.create(
      withDefaultConfig({
        vhosts: {
          '/': {
            connection: { url: brokerUrl },
            queues: Object.fromEntries(queues.map((queue) => [queue, { options: queueOptions }])),
            publications: Object.fromEntries(queues.map((queue) => [queue, { queue }])),
          },
        },
      }),
    );
    const model = await connectRaw();
    const bodies = Array.from({ length: RASCAL.events }, (_, index) => bodyOf(index));
    return async () => {
      const start = performance.now();
      await atATime(RASCAL.inFlight, RASCAL.events, async (index) => {
        const publication = await broker.publish(queues[index % queues.length] ?? '', bodies[index] ?? '');
        await new Promise((resolve, reject) => {
          publication.on('success', resolve).on('error', reject).on('return', reject);
        });
      });
      const rate = perSecond(RASCAL.events, start);
      checked(await purge(model, queues), RASCAL.events);
      return rate;
    };
  },
};

/** What piled up in the store, to the broker. Each side in a process of its own. */
export const run = async (): Promise<readonly Row[]> => {
  const what = (kind: string): string => `${kind}: backlog of ${EVENTS.toLocaleString('en')} events relayed to RabbitMQ`;
  const why = noBroker();
  if (why !== undefined) return [skippedRow(what('memory, SQLite'), 'amqplib; rascal', why)];
  // The same queues for all of them, emptied after each: a broker with its files limited to 1,024 has no room for many.
  const topic = ownTopic();
  try {
    const processes = {
      memory: await apart('relay', 'ours', topic, 'memory'),
      sqlite: await apart('relay', 'ours', topic, 'sqlite'),
      raw: await apart('relay', 'raw', topic),
      rascal: await apart('relay', 'rascal', topic),
    };
    const { memory, sqlite, raw, rascal: pooled } = processes;
    const rates = await interleaved(9, { memory: memory.measure, sqlite: sqlite.measure, raw: raw.measure, rascal: pooled.measure });
    for (const { end } of Object.values(processes)) await end();
    const note = 'each message to one of 16 quorum queues, the same for all; from the start of the bus, its leases included';
    const rows = (kind: string, ours: readonly number[]): readonly Row[] => [
      ratioRow({
        what: what(kind),
        peer: `amqplib, bodies at hand, ${RAW_BATCH.toLocaleString('en')} to a confirm`,
        unit: 'events/s',
        ours,
        beside: rates.raw,
        limit: { at: 'least', value: 0.6 },
        note,
      }),
      ratioRow({
        what: what(kind),
        peer: `rascal, confirmed, ${RASCAL.inFlight} in flight, its defaults`,
        unit: 'events/s',
        ours,
        beside: rates.rascal,
        limit: { at: 'least', value: 4 },
      }),
    ];
    return [...rows('memory', rates.memory), ...rows('SQLite', rates.sqlite)];
  } finally {
    await remove([topic], queuesOf(topic, SINK));
  }
};
