import type { Message as Delivery } from 'amqplib';
import type { System } from '../../core/system.ts';
import { LARGEST_BATCH, type Received } from '../../core/transport.ts';
import { createAcks } from './acks.ts';
import type { Connection } from './connection.ts';
import { NOT_FOUND } from './faults.ts';

/** A channel that consumes some queues. */
export interface Inlet {
  /** What has come and was not taken yet, at most `LARGEST_BATCH`. */
  take(): readonly Received[];
  /** Sends the acks there are and closes the channel: what is left goes to others. Later acks are ignored. Idempotent; never rejects. */
  end(): Promise<void>;
}

/** What the inlet tells its owner. */
export interface Listener {
  /** Something has come. */
  readonly arrived: () => void;
  /** Some of the queues deliver nothing any more. */
  readonly failed: (error: unknown) => void;
}

/** How many messages are in hand at most, for all shards together and for each; with less than the least a queue would be slow. */
const IN_HAND = { all: 1024, least: 32, most: 256 } as const;

/**
 * How many of one queue are in hand at most. The same for all who ever receive from it: what comes back to a queue is delivered first, and
 * a receiver that can't hold all of that and goes away too gives back what it had behind the rest.
 */
export const inHandOf = (shards: number): number => Math.min(IN_HAND.most, Math.max(IN_HAND.least, Math.floor(IN_HAND.all / shards)));

/** What the broker tells when it stops to deliver, as it does for a queue that is deleted. */
const cancelled = (queue: string): Error =>
  Object.assign(new Error(`the broker delivers nothing from ${queue} any more`), { code: NOT_FOUND });

/** @param inHand how many messages of each queue are un-acked at most */
export const openInlet = async (
  connection: Connection,
  queues: readonly string[],
  inHand: number,
  system: System,
  { arrived, failed }: Listener,
): Promise<Inlet> => {
  const channel = await connection.answer(connection.model.createChannel());
  const waiting: Received[] = [];
  let isOpen = true;
  let isFlushing = false;
  let refusal: unknown;
  let ended: Promise<void> | null = null;
  channel.on('error', (error) => {
    refusal = error;
  });
  channel.on('close', () => {
    isOpen = false;
    failed(connection.lostBecause ?? refusal ?? new Error('the channel was closed'));
  });

  const acks = createAcks((deliveryTag, allUpTo) => channel.ack({ fields: { deliveryTag } } as Delivery, allUpTo));
  const flush = (): void => {
    isFlushing = false;
    try {
      acks.flush();
    } catch {
      // The channel is closed, so that all of this comes again.
    }
  };
  const ack = (tag: number): void => {
    acks.add(tag);
    if (isFlushing) return;
    isFlushing = true;
    system.soon(flush);
  };
  const consume = (queue: string): Promise<unknown> =>
    channel.consume(queue, (delivery) => {
      if (delivery === null) return failed(cancelled(queue));
      const { deliveryTag } = delivery.fields;
      waiting.push({ body: delivery.content.toString(), ack: () => ack(deliveryTag) });
      arrived();
    });

  await connection.answer(channel.prefetch(inHand));
  for (const queue of queues) await connection.answer(consume(queue));

  return {
    take: () => waiting.splice(0, LARGEST_BATCH),
    end() {
      flush();
      ended ??= isOpen ? connection.answer(channel.close()).catch(() => {}) : Promise.resolve();
      return ended;
    },
  };
};
