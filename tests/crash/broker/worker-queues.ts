import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { RELAY } from '../../../src/runtime/subscription-name.ts';
import { system } from '../../../src/system.ts';
import { bindingKey, queueName } from '../../../src/transports/rabbitmq/names.ts';
import { createRabbitmqTransport } from '../../../src/transports/rabbitmq/rabbitmq-transport.ts';
import { patientChannel } from './patient-channel.ts';

/** The queues of a topic that its workers receive from, for subscriptions as the file has them by now. */
export interface WorkerQueues {
  /** How many messages wait in each, of those in which any do. */
  waiting(): Promise<Readonly<Record<string, number>>>;
  /** Takes them all off the topic and binds them to another exchange for a while. */
  detour(exchange: string, forMs: number): Promise<void>;
  /** Deletes them and these exchanges and queues of the test. */
  remove(exchanges: readonly string[], queues: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

interface Place {
  readonly url: string;
  readonly topic: string;
  readonly database: string;
  /** Subscriptions that are not in the file yet. */
  readonly later: readonly string[];
}

interface WorkerQueue {
  readonly name: string;
  readonly binding: string;
}

/** Killed right after a quorum queue was made, RabbitMQ 3.10 comes back with one that never gets a leader and answers nobody. */
const SETTLED_MS = 1000;

const NOT_CARRIED = new Set([RELAY, 'timers']);

/** What is carried to whom, as it stands in the file. */
const carriedIn = (database: string): { readonly subscriptions: readonly string[]; readonly shards: number } => {
  const db = new DatabaseSync(database, { readOnly: true, timeout: 5000 });
  try {
    const names = db.prepare('SELECT DISTINCT subscription FROM checkpoints').all();
    return {
      subscriptions: names.map(({ subscription }) => String(subscription)).filter((name) => !NOT_CARRIED.has(name)),
      shards: Number(db.prepare('SELECT shards FROM meta').get()?.shards),
    };
  } finally {
    db.close();
  }
};

/** Resolves once all of them are there for good, whatever happens to the broker from then on. */
export const openWorkerQueues = async ({ url, topic, database, later }: Place): Promise<WorkerQueues> => {
  const { subscriptions, shards } = carriedIn(database);
  const all = [...subscriptions, ...later];
  const transport = createRabbitmqTransport(system, { url, topic });
  await transport.open({ subscriptions: all, shards }).finally(() => transport.close());
  await sleep(SETTLED_MS);

  const channel = patientChannel(url, async () => undefined);
  const queuesOf = (names: readonly string[]): readonly WorkerQueue[] =>
    names.flatMap((subscription) =>
      Array.from({ length: shards }, (_, shard) => ({ name: queueName(topic, subscription, shard), binding: bindingKey(shard) })),
    );
  const present = (): readonly WorkerQueue[] => queuesOf(carriedIn(database).subscriptions);
  const bindTo = (queues: readonly WorkerQueue[], exchange: string, instead: string): Promise<void> =>
    channel.use(async (fresh) => {
      // All of them are bound twice before any is unbound: nothing is lost.
      for (const { name, binding } of queues) await fresh.bindQueue(name, exchange, binding);
      for (const { name, binding } of queues) await fresh.unbindQueue(name, instead, binding);
    });
  return {
    async waiting() {
      const counts: Record<string, number> = {};
      for (const { name } of present()) {
        const { messageCount } = await channel.use((fresh) => fresh.checkQueue(name));
        if (messageCount > 0) counts[name] = messageCount;
      }
      return counts;
    },
    async detour(exchange, forMs) {
      const queues = present();
      await bindTo(queues, exchange, topic);
      await sleep(forMs);
      await bindTo(queues, topic, exchange);
    },
    remove: (exchanges, queues) =>
      channel.use(async (fresh) => {
        for (const name of [...queuesOf(all).map((queue) => queue.name), ...queues]) await fresh.deleteQueue(name);
        for (const exchange of exchanges) await fresh.deleteExchange(exchange);
      }),
    close: channel.close,
  };
};
