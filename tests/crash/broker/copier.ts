import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { seeded } from '../../../src/core/seeded.ts';
import { until } from '../workplace.ts';
import { COPY, LIKE_A_WORKER, queueOfTests } from './listener.ts';
import { patientChannel } from './patient-channel.ts';

/** Publishes everything once more, later and out of order, so that every delivery comes at least twice. */
export interface Copier {
  /** Copies the broker has taken. */
  readonly copies: number;
  /** Copies that were published before one that should have come earlier in its shard. */
  readonly overtaking: number;
  /** How often the broker has told it that it takes no messages. */
  readonly blocked: number;
  /** Where the copies go as well, twice each: a queue bound there and not to the topic gets nothing in order. */
  readonly detour: string;
  /** Resolves when all there is has been copied. */
  drained(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Together with `EVERY_MS`: how far apart two messages can be that change places. */
const WINDOW = 50;
const EVERY_MS = 700;

export const startCopier = async (url: string, topic: string, seed: number): Promise<Copier> => {
  const queue = queueOfTests(topic, 'copier');
  const detour = queueOfTests(topic, 'detour');
  const random = seeded(seed);
  let copies = 0;
  let overtaking = 0;
  let open = true;
  /** Of the present channel: others are the next one's. */
  let window: ConsumeMessage[] = [];
  let inHand = 0;

  const channel = patientChannel(url, async (fresh) => {
    window = [];
    inHand = 0;
    const mine = window;
    await fresh.assertExchange(topic, 'topic', { durable: true });
    await fresh.assertExchange(detour, 'topic', { durable: true });
    await fresh.assertQueue(queue, LIKE_A_WORKER);
    await fresh.bindQueue(queue, topic, '#');
    await fresh.prefetch(2 * WINDOW);
    await fresh.consume(queue, (message) => {
      if (message === null) return;
      if (message.properties.headers?.[COPY] === undefined) mine.push(message);
      else fresh.ack(message);
    });
  });

  const shuffled = (messages: readonly ConsumeMessage[]): readonly ConsumeMessage[] => {
    const left = [...messages];
    return messages.map(() => left.splice(Math.floor(random() * left.length), 1)[0] as ConsumeMessage);
  };
  const publish = (fresh: ConfirmChannel, messages: readonly ConsumeMessage[], exchange: string): void => {
    for (const { content, fields, properties } of messages) {
      const headers = { ...properties.headers, [COPY]: 1 };
      fresh.publish(exchange, fields.routingKey, content, { ...properties, headers, persistent: true });
    }
  };
  /** Delivery tags tell in which order they came. */
  const overtakingIn = (messages: readonly ConsumeMessage[]): number => {
    const shardOf = ({ fields }: ConsumeMessage) => fields.routingKey.split('.')[0];
    return messages.filter((one, at) =>
      messages.slice(at + 1).some((later) => shardOf(later) === shardOf(one) && later.fields.deliveryTag < one.fields.deliveryTag),
    ).length;
  };
  const copy = (): Promise<void> =>
    channel.use(async (fresh) => {
      const taken = window.splice(0, WINDOW);
      if (taken.length === 0) return;
      inHand = taken.length;
      const [first, second, third] = [shuffled(taken), shuffled(taken), shuffled(taken)];
      publish(fresh, first, topic);
      publish(fresh, [...second, ...third], detour);
      await fresh.waitForConfirms();
      for (const message of taken) fresh.ack(message);
      copies += taken.length;
      overtaking += overtakingIn(first);
      inHand = 0;
    });
  const copying = (async () => {
    for (let lastAt = 0; open; await sleep(20)) {
      if (window.length < WINDOW && performance.now() - lastAt < EVERY_MS) continue;
      lastAt = performance.now();
      await copy();
    }
  })();
  copying.catch(() => undefined);
  await channel.use(async () => undefined);

  return {
    get copies() {
      return copies;
    },
    get overtaking() {
      return overtaking;
    },
    get blocked() {
      return channel.blocked;
    },
    detour,
    async drained(withinMs) {
      const isDrained = async (): Promise<boolean> => {
        const { messageCount } = await channel.use((fresh) => fresh.checkQueue(queue));
        return messageCount + window.length + inHand === 0;
      };
      await until('all is copied', isDrained, withinMs);
    },
    async close() {
      open = false;
      await Promise.all([copying.catch(() => undefined), channel.close()]);
    },
  };
};
