import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { seeded } from '../../../src/core/seeded.ts';
import { until } from '../workplace.ts';
import { COPY, LIKE_A_WORKER, queueOfTests } from './listener.ts';
import { patientChannel } from './patient-channel.ts';

/** Publishes everything once more, later and out of order, so that every delivery comes at least twice. */
export interface Copier {
  /** Messages that came again: the broker has taken the copies. */
  readonly copies: number;
  /** Copies that were published after one that came later in their shard. */
  readonly overtaken: number;
  /** How often the broker has told it that it takes no messages. */
  readonly blocked: number;
  /** Where the copies go as well, twice each: a queue bound there and not to the topic gets nothing in order. */
  readonly detour: string;
  /** Publishes something that nobody hears, so that it is told if the broker takes nothing. */
  knock(): Promise<void>;
  /** Resolves when all there is has been copied. */
  drained(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

/** How many messages may change places. */
const WINDOW = 50;
/** How much later a copy comes at most, and while many wait for it. */
const LATER_MS = { most: 900, busy: 100 } as const;

/** What came over one channel and has not been copied yet. */
interface InHand {
  readonly tags: Set<number>;
  /** By shard, the last that was published of those that came. */
  readonly lastOf: Map<string, number>;
}

const inHandNow = (): InHand => ({ tags: new Set(), lastOf: new Map() });

export const startCopier = async (url: string, topic: string, seed: number): Promise<Copier> => {
  const queue = queueOfTests(topic, 'copier');
  const detour = queueOfTests(topic, 'detour');
  const random = seeded(seed);
  let copies = 0;
  let overtaken = 0;
  let present = inHandNow();

  const publish = async (fresh: ConfirmChannel, exchange: string, { content, fields, properties }: ConsumeMessage): Promise<void> => {
    const headers = { ...properties.headers, [COPY]: 1 };
    const busy = present.tags.size > WINDOW / 2;
    await sleep(random() * (busy ? LATER_MS.busy : LATER_MS.most));
    if (exchange === topic) {
      const shard = fields.routingKey.split('.')[0] ?? '';
      const last = present.lastOf.get(shard) ?? 0;
      if (fields.deliveryTag < last) overtaken += 1;
      present.lastOf.set(shard, Math.max(last, fields.deliveryTag));
    }
    await new Promise<void>((resolve, reject) => {
      const options = { ...properties, headers, persistent: true };
      fresh.publish(exchange, fields.routingKey, content, options, (error) => (error === null ? resolve() : reject(error)));
    });
  };
  const copy = async (fresh: ConfirmChannel, mine: InHand, message: ConsumeMessage): Promise<void> => {
    mine.tags.add(message.fields.deliveryTag);
    await Promise.all([topic, detour, detour].map((exchange) => publish(fresh, exchange, message)));
    fresh.ack(message);
    mine.tags.delete(message.fields.deliveryTag);
    copies += 1;
  };
  const channel = patientChannel(url, async (fresh) => {
    const mine = inHandNow();
    present = mine;
    await fresh.assertExchange(topic, 'topic', { durable: true });
    await fresh.assertExchange(detour, 'topic', { durable: true });
    await fresh.assertQueue(queue, LIKE_A_WORKER);
    await fresh.bindQueue(queue, topic, '#');
    await fresh.prefetch(WINDOW);
    await fresh.consume(queue, (message) => {
      if (message === null) return;
      if (message.properties.headers?.[COPY] !== undefined) fresh.ack(message);
      // When the channel is lost, it comes again over the next one.
      else copy(fresh, mine, message).catch(() => undefined);
    });
  });
  await channel.use(async () => undefined);

  return {
    get copies() {
      return copies;
    },
    get overtaken() {
      return overtaken;
    },
    get blocked() {
      return channel.blocked;
    },
    detour,
    knock: () =>
      channel.use(async (fresh) => {
        fresh.publish(detour, 'nobody', Buffer.alloc(0));
      }),
    async drained(withinMs) {
      const isDrained = async (): Promise<boolean> => {
        const { messageCount } = await channel.use((fresh) => fresh.checkQueue(queue));
        return messageCount + present.tags.size === 0;
      };
      await until('all is copied', isDrained, withinMs);
    },
    close: channel.close,
  };
};
