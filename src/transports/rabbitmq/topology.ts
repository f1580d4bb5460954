import type { Channel } from 'amqplib';
import type { Connection } from './connection.ts';
import { configFault, PRECONDITION_FAILED, replyCode, transportFault } from './faults.ts';
import type { Link } from './link.ts';
import { bindingKey, queueName } from './names.ts';

/** What has to exist in the broker: one durable exchange, and a quorum queue for each subscription and shard. */
export interface Topology {
  /** Declares the queues of these subscriptions, which also checks those that exist. @throws OrderfoldError `CONFIG`, `TRANSPORT`, `CLOSED` */
  open(subscriptions: readonly string[], shards: number): Promise<void>;
  /** Whether it was opened. */
  has(subscription: string): boolean;
  /** How many subscriptions were opened. */
  readonly size: number;
  /** How many the store has; 0 before it was opened. */
  readonly shards: number;
  /** Declares all that was opened, if some of it was missed since. */
  restore(): Promise<void>;
  /** Something of it is not there. */
  missed(): void;
}

export interface Layout {
  readonly topic: string;
  readonly maxLength: number;
}

export const createTopology = (link: Link, { topic, maxLength }: Layout): Topology => {
  const opened = new Set<string>();
  let shardCount = 0;
  /** Whether all of it exists, as far as is known. The exchange does not before the first time. */
  let restored: Promise<void> | null = null;

  // Which consumer of a queue is active is the broker's choice: one, so that a stream stays in order while a shard has two owners.
  const queueArguments = {
    'x-queue-type': 'quorum',
    'x-single-active-consumer': true,
    'x-max-length': maxLength,
    'x-overflow': 'drop-head',
  };

  const declareQueue = async (connection: Connection, channel: Channel, subscription: string, shard: number): Promise<void> => {
    const name = queueName(topic, subscription, shard);
    try {
      await connection.answer(channel.assertQueue(name, { durable: true, arguments: queueArguments }));
      await connection.answer(channel.bindQueue(name, topic, bindingKey(shard)));
    } catch (error) {
      if (replyCode(error) !== PRECONDITION_FAILED) throw error;
      throw configFault(`the queue ${name} was made with other options: use those, or delete it once it is empty`, error);
    }
  };

  const declareExchange = async (connection: Connection, channel: Channel): Promise<void> => {
    try {
      await connection.answer(channel.assertExchange(topic, 'topic', { durable: true }));
    } catch (error) {
      if (replyCode(error) !== PRECONDITION_FAILED) throw error;
      throw configFault(`the exchange ${topic} is not a durable topic exchange: name another topic, or delete it`, error);
    }
  };

  /** On a channel of its own, which the broker closes at the first refusal. */
  const declare = async (subscriptions: Iterable<string>, shards: number): Promise<void> => {
    const connection = await link.connection();
    try {
      const channel = await connection.answer(connection.model.createChannel());
      channel.on('error', () => {});
      await declareExchange(connection, channel);
      for (const subscription of subscriptions)
        for (let shard = 0; shard < shards; shard += 1) await declareQueue(connection, channel, subscription, shard);
      await connection.answer(channel.close());
    } catch (error) {
      throw transportFault(`declaring the queues of ${topic}`, error);
    }
  };

  return {
    async open(subscriptions, shards) {
      await declare(subscriptions, shards);
      for (const name of subscriptions) opened.add(name);
      shardCount = shards;
      restored ??= Promise.resolve();
    },
    has: (subscription) => opened.has(subscription),
    get size() {
      return opened.size;
    },
    get shards() {
      return shardCount;
    },
    restore() {
      if (restored !== null) return restored;
      const mine = declare([...opened], shardCount);
      restored = mine;
      mine.catch(() => {
        if (restored === mine) restored = null;
      });
      return mine;
    },
    missed() {
      restored = null;
    },
  };
};
