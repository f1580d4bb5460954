import { randomUUID } from 'node:crypto';
import { type ChannelModel, connect } from 'amqplib';
import { cloudEventText } from '../../src/core/cloud-event.ts';
import type { StoredEvent } from '../../src/core/records.ts';
import { queueName } from '../../src/transports/rabbitmq/names.ts';
import { request } from './shop.ts';

/** As many as a store has by default, and so the queues of a subscription. */
export const SHARDS = 16;

const given = process.env.TEST_AMQP_URL || process.env.TRANSPORT_URL || '';

/** Where RabbitMQ is. */
export const brokerUrl = /^amqps?:/.test(given) ? given : 'amqp://127.0.0.1:5672';

/** Why there is no RabbitMQ to measure with; undefined if there is. */
export const noBroker = (): string | undefined => (/^amqps?:/.test(given) ? undefined : 'needs TEST_AMQP_URL');

/** A name that nobody else uses. */
export const ownTopic = (): string => `bench-${randomUUID()}`;

/** The queues that the transport gives to a subscription. */
export const queuesOf = (topic: string, subscription: string, shards = SHARDS): readonly string[] =>
  Array.from({ length: shards }, (_, shard) => queueName(topic, subscription, shard));

export const connectRaw = (): Promise<ChannelModel> => connect(brokerUrl, { noDelay: true });

/** What the transport makes its queues with. */
const queueArguments = {
  'x-queue-type': 'quorum',
  'x-single-active-consumer': true,
  'x-max-length': 1_000_000,
  'x-overflow': 'drop-head',
};

export const queueOptions = { durable: true, arguments: queueArguments };

export const declareQueues = async (model: ChannelModel, queues: readonly string[]): Promise<void> => {
  const channel = await model.createChannel();
  for (const queue of queues) await channel.assertQueue(queue, queueOptions);
  await channel.close();
};

/** Empties the queues. Resolves with how many messages were in them. */
export const purge = async (model: ChannelModel, queues: readonly string[]): Promise<number> => {
  const channel = await model.createChannel();
  let messages = 0;
  for (const queue of queues) messages += (await channel.purgeQueue(queue)).messageCount;
  await channel.close();
  return messages;
};

/** Leaves nothing of these in the broker. */
export const remove = async (topics: readonly string[], queues: readonly string[]): Promise<void> => {
  const model = await connectRaw();
  const channel = await model.createChannel();
  for (const queue of queues) await channel.deleteQueue(queue);
  for (const topic of topics) await channel.deleteExchange(topic);
  await model.close();
};

/** A body as the relay makes it of the events of a backlog, so that all send the same number of bytes. */
export const bodyOf = (index: number): string => {
  const stream = `o-${index}`;
  const event: StoredEvent = {
    stream,
    version: 1 + (index % 10),
    shard: index % SHARDS,
    position: 1 + index,
    type: 'OrderSeen',
    schema: 1,
    data: JSON.stringify({ ...request, orderId: stream }),
    time: Date.now(),
  };
  return cloudEventText(event, 'urn:orderfold:00000000-0000-0000-0000-000000000000');
};

/** Sends bodies round all queues, so many to a batch that is confirmed before the next. */
export const publishRaw = async (
  model: ChannelModel,
  queues: readonly string[],
  bodies: readonly Buffer[],
  inBatch: number,
): Promise<void> => {
  const channel = await model.createConfirmChannel();
  for (let first = 0; first < bodies.length; first += inBatch) {
    for (let at = first; at < Math.min(first + inBatch, bodies.length); at += 1) {
      channel.publish('', queues[at % queues.length] ?? '', bodies[at] as Buffer, { persistent: true, mandatory: true });
    }
    await channel.waitForConfirms();
  }
  await channel.close();
};
