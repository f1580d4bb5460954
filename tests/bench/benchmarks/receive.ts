import { setTimeout as sleep } from 'node:timers/promises';
import type { Transport } from '../../../src/core/transport.ts';
import { fill } from '../backlog.ts';
import { bodyOf, brokerUrl, connectRaw, declareQueues, noBroker, ownTopic, publishRaw, queuesOf, remove, SHARDS } from '../broker.ts';
import { deferred } from '../deferred.ts';
import { file } from '../files.ts';
import { apart, interleaved, perSecond, type Row, ratioRow, skippedRow } from '../harness.ts';
import { EventBus, memoryStore, rabbitmqTransport, sqliteStore } from '../orderfold.ts';
import { countingReads, relayOnly, withoutRelay } from '../relaying.ts';
import type { Side } from '../side-child.ts';

const EVENTS = 10_000;
const PREFETCH = 256;
const SINK = 'sink';
/** Far longer than all of it takes: nothing is read from the log because it did not come. */
const SWEEP_MS = 3_600_000;
/** The log has been looked at, and nothing was in it. */
const SETTLED_MS = 100;

/** The transport, which receives nothing until it is let. */
const held = (transport: Transport) => {
  let gate = deferred();
  let asked = deferred();
  return {
    transport: {
      ...transport,
      async *receive(...args: Parameters<Transport['receive']>) {
        if (args[1].length === SHARDS) asked.resolve();
        await gate.promise;
        yield* transport.receive(...args);
      },
    } satisfies Transport,
    /** Resolves when all shards of a subscription would be received. */
    hold(): Promise<void> {
      gate = deferred();
      asked = deferred();
      return asked.promise;
    },
    release: () => gate.resolve(),
  };
};

export const sides: Readonly<Record<string, Side>> = {
  /**
   * From messages that wait in the queues of one subscription to the last call of its handler. A bus reads at its start what is in the log
   * by then, and would find all of it there. So it starts, gains its leases and reads a log without news while its transport is held
   * back; only then are the events appended, and relayed by another bus that has stopped before the transport is let go. That no page
   * of the log was read meanwhile is asserted: every event came by the broker.
   */
  async ours(topic = '', kind = '') {
    const path = file('receive.db');
    const store = kind === 'memory' ? memoryStore() : sqliteStore({ path });
    const relay = relayOnly(kind === 'memory' ? store : sqliteStore({ path }), rabbitmqTransport({ url: brokerUrl, topic }));
    const reading = countingReads(withoutRelay(store));
    const gate = held(rabbitmqTransport({ url: brokerUrl, topic }));
    const worker = EventBus.create({ store: reading.store, transport: gate.transport });
    let left = 0;
    let resolve = (): void => {};
    worker.subscribe(SINK, {
      on: {
        OrderSeen: async ({ data }) => {
          left -= data === null ? 0 : 1;
          if (left === 0) resolve();
        },
      },
    });
    await worker.open();
    return async () => {
      const asked = gate.hold();
      await worker.start({ sweepMs: SWEEP_MS });
      await asked;
      await sleep(SETTLED_MS);
      left = EVENTS;
      const all = deferred();
      resolve = all.resolve;
      const readsBefore = reading.reads();
      const published = relay.published(EVENTS);
      await fill(store, EVENTS);
      await relay.bus.start();
      await published;
      await relay.bus.stop();
      const start = performance.now();
      gate.release();
      await all.promise;
      const rate = perSecond(EVENTS, start);
      const reads = reading.reads() - readsBefore;
      await worker.stop();
      const backlog = (await worker.counts()).subscriptions[SINK]?.backlog;
      if (reads > 0 || backlog !== 0) throw new Error(`the log was read ${reads} times, and the checkpoints leave ${backlog} events`);
      return rate;
    };
  },
  async raw(topic = '') {
    const model = await connectRaw();
    const queues = queuesOf(topic, SINK);
    await declareQueues(model, queues);
    const bodies = Array.from({ length: EVENTS }, (_, index) => Buffer.from(bodyOf(index)));
    return async () => {
      await publishRaw(model, queues, bodies, 1000);
      let left = EVENTS;
      const all = deferred();
      const start = performance.now();
      const channel = await model.createChannel();
      await channel.prefetch(PREFETCH);
      let latest: Parameters<typeof channel.ack>[0] | null = null;
      for (const queue of queues) {
        await channel.consume(queue, (message) => {
          if (message === null || JSON.parse(message.content.toString()) === null) return;
          left -= 1;
          if (left === 0) all.resolve();
          // One ack for all that came in one turn of the loop.
          if (latest === null)
            setImmediate(() => {
              if (latest !== null) channel.ack(latest, true);
              latest = null;
            });
          latest = message;
        });
      }
      await all.promise;
      const rate = perSecond(EVENTS, start);
      await sleep(10);
      await channel.close();
      return rate;
    };
  },
};

/** What waits in the broker, to the handlers. Each side in a process of its own. */
export const run = async (): Promise<readonly Row[]> => {
  const what = (kind: string): string => `${kind}: ${EVENTS.toLocaleString('en')} events from RabbitMQ to a handler`;
  const peer = `amqplib, read, parsed and acked, prefetch ${PREFETCH}`;
  const why = noBroker();
  if (why !== undefined) return [skippedRow(what('memory, SQLite'), peer, why)];
  const topic = ownTopic();
  try {
    const memory = await apart('receive', 'ours', topic, 'memory');
    const sqlite = await apart('receive', 'ours', topic, 'sqlite');
    const raw = await apart('receive', 'raw', topic);
    const rates = await interleaved(9, { memory: memory.measure, sqlite: sqlite.measure, raw: raw.measure });
    for (const { end } of [memory, sqlite, raw]) await end();
    const row = (kind: string, ours: readonly number[]): Row =>
      ratioRow({
        what: what(kind),
        peer,
        unit: 'events/s',
        ours,
        beside: rates.raw,
        limit: { at: 'least', value: 0.4 },
        note: 'from 16 quorum queues; order and dead letters on; that none was read from the log is asserted',
      });
    return [row('memory', rates.memory), row('SQLite', rates.sqlite)];
  } finally {
    await remove([topic], queuesOf(topic, SINK));
  }
};
