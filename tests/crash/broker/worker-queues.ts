import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { RELAY } from '../../../src/runtime/subscription-name.ts';
import { bindingKey, queueName } from '../../../src/transports/rabbitmq/names.ts';
import { type PatientChannel, patientChannel } from './patient-channel.ts';

export interface WorkerQueue {
  readonly name: string;
  readonly binding: string;
}

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

const NOT_CARRIED = new Set([RELAY, 'timers']);

const queuesOf = (database: string, topic: string): readonly WorkerQueue[] => {
  const db = new DatabaseSync(database, { readOnly: true, timeout: 5000 });
  try {
    return db
      .prepare('SELECT DISTINCT subscription, shard FROM checkpoints')
      .all()
      .filter(({ subscription }) => !NOT_CARRIED.has(String(subscription)))
      .map(({ subscription, shard }) => ({
        name: queueName(topic, String(subscription), Number(shard)),
        binding: bindingKey(Number(shard)),
      }));
  } finally {
    db.close();
  }
};

export const workerQueues = (url: string, topic: string, database: string): WorkerQueues => {
  const channel: PatientChannel = patientChannel(url, async () => undefined);
  const bindTo = (queues: readonly WorkerQueue[], exchange: string, instead: string): Promise<void> =>
    channel.use(async (fresh) => {
      // All of them are bound twice before any is unbound: nothing is lost.
      for (const { name, binding } of queues) await fresh.bindQueue(name, exchange, binding);
      for (const { name, binding } of queues) await fresh.unbindQueue(name, instead, binding);
    });
  return {
    async waiting() {
      const counts: Record<string, number> = {};
      for (const { name } of queuesOf(database, topic)) {
        const { messageCount } = await channel.use((fresh) => fresh.checkQueue(name));
        if (messageCount > 0) counts[name] = messageCount;
      }
      return counts;
    },
    async detour(exchange, forMs) {
      const queues = queuesOf(database, topic);
      await bindTo(queues, exchange, topic);
      await sleep(forMs);
      await bindTo(queues, topic, exchange);
    },
    remove: (exchanges, queues) =>
      channel.use(async (fresh) => {
        for (const name of [...queuesOf(database, topic).map((queue) => queue.name), ...queues]) await fresh.deleteQueue(name);
        for (const exchange of exchanges) await fresh.deleteExchange(exchange);
      }),
    close: channel.close,
  };
};
