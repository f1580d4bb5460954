import { checkpointAt, isDone, markDone } from '../../core/checkpoint.ts';
import { OrderfoldError } from '../../core/errors.ts';
import { count, resolveOptions } from '../../core/options.ts';
import type { Checkpoint } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import { LARGEST_BATCH, type Message, type Received, type Transport, type TransportCapabilities } from '../../core/transport.ts';

export interface MemoryTransportOptions {
  /** How many messages of a shard are kept, at least until every subscription has acked them. @default 10_000 */
  readonly keep?: number;
  /** @default 16 MiB */
  readonly maxBodyBytes?: number;
}

/** A transport whose messages are in this process's memory. */
export interface MemoryTransport extends Transport {
  /** Another connection to the same messages, as another process would have; closed on its own. */
  another(): MemoryTransport;
}

/** Where a subscription is in a shard. Positions count from 1 and are never used twice. */
interface Cursor {
  acked: Checkpoint;
  /** Handed out, and to whom, while that receiver runs. */
  readonly inHand: Map<number, Receiver>;
}

/** The messages of one shard, as a log of which the beginning is forgotten. */
interface Shard {
  readonly kept: Message[];
  readonly ids: Set<string>;
  /** How many were forgotten. */
  gone: number;
  readonly cursors: Map<string, Cursor>;
}

interface Receiver {
  /** Gives back what it has in hand. */
  readonly end: () => void;
  /** There may be something to hand out. */
  readonly wake: () => void;
}

const specification = {
  keep: count({ min: 1, max: 10_000_000, default: 10_000 }),
  maxBodyBytes: count({ min: 1, max: 2 ** 29, default: 2 ** 24 }),
};

const closed = (): OrderfoldError => new OrderfoldError('CLOSED', 'the transport is closed');

/**
 * The reference transport: a log in this process's memory, gone with it, which keeps every other promise; so it serves as a test double
 * of brokers. A shard that is full of messages which some subscription has not acked yet answers `BUSY`.
 * @throws OrderfoldError `CONFIG`
 */
export const createMemoryTransport = (system: System, options?: MemoryTransportOptions): MemoryTransport => {
  const { keep, maxBodyBytes } = resolveOptions('memoryTransport', options, specification);
  const capabilities: TransportCapabilities = Object.freeze({
    redeliversInOrder: true,
    deduplicates: true,
    replays: true,
    durable: false,
    maxBodyBytes,
  });
  const shards = new Map<number, Shard>();
  const subscriptions = new Set<string>();
  const receivers = new Set<Receiver>();

  const shardAt = (index: number): Shard => {
    const shard = shards.get(index) ?? { kept: [], ids: new Set<string>(), gone: 0, cursors: new Map<string, Cursor>() };
    shards.set(index, shard);
    return shard;
  };
  const cursorOf = (shard: Shard, subscription: string): Cursor => {
    const cursor = shard.cursors.get(subscription) ?? { acked: checkpointAt(shard.gone), inHand: new Map<number, Receiver>() };
    shard.cursors.set(subscription, cursor);
    return cursor;
  };
  const isTooLarge = ({ body }: Message): boolean => body.length * 3 > maxBodyBytes && new TextEncoder().encode(body).length > maxBodyBytes;

  /** Forgets what every subscription has acked, as far as the room is needed. */
  const makeRoom = (shard: Shard, messages: number): void => {
    const acked = Math.min(...[...subscriptions].map((name) => cursorOf(shard, name).acked.low), shard.gone + shard.kept.length);
    const wanted = Math.max(0, shard.kept.length + messages - keep);
    for (const { id } of shard.kept.splice(0, Math.min(wanted, acked - shard.gone))) {
      shard.ids.delete(id);
      shard.gone += 1;
    }
    if (shard.kept.length + messages > keep)
      throw new OrderfoldError('BUSY', `${shard.kept.length} messages of a shard are kept, of at most ${keep}`);
  };

  const publish = (messages: readonly Message[]): void => {
    const large = messages.find(isTooLarge);
    if (large !== undefined)
      throw new OrderfoldError('TRANSPORT', `the body of ${large.id} has more than ${maxBodyBytes} bytes`, { retryable: false });
    const fresh = new Map<Shard, Message[]>();
    for (const message of new Map(messages.map((one) => [one.id, one])).values()) {
      const shard = shardAt(message.shard);
      const more = fresh.get(shard) ?? [];
      if (!shard.ids.has(message.id)) more.push(message);
      fresh.set(shard, more);
    }
    for (const [shard, more] of fresh) makeRoom(shard, more.length);
    for (const [shard, more] of fresh) {
      for (const message of more) shard.ids.add(message.id);
      shard.kept.push(...more);
    }
    for (const receiver of receivers) system.soon(receiver.wake);
  };

  /** What to hand out next: the first that are neither acked nor in anybody's hand. */
  const waiting = (shard: Shard, { acked, inHand }: Cursor, limit: number): readonly (readonly [number, Message])[] => {
    const found: [number, Message][] = [];
    for (let position = acked.low + 1; position <= shard.gone + shard.kept.length && found.length < limit; position += 1) {
      const message = shard.kept[position - shard.gone - 1];
      if (message !== undefined && !inHand.has(position) && !isDone(acked, position)) found.push([position, message]);
    }
    return found;
  };

  const connect = (): MemoryTransport => {
    const mine = new Set<Receiver>();
    let isClosed = false;
    const checkOpen = (): void => {
      if (isClosed) throw closed();
    };

    async function* receive(subscription: string, indexes: readonly number[], signal: AbortSignal): AsyncGenerator<readonly Received[]> {
      checkOpen();
      if (!subscriptions.has(subscription)) throw new OrderfoldError('CONFIG', `${subscription} was never opened`);
      const places = indexes.map(shardAt).map((shard) => ({ shard, cursor: cursorOf(shard, subscription) }));
      let ended = signal.aborted;
      let wake = (): void => {};
      const receiver: Receiver = {
        wake: () => wake(),
        end() {
          ended = true;
          for (const { cursor } of places)
            for (const [position, holder] of cursor.inHand) if (holder === receiver) cursor.inHand.delete(position);
          for (const set of [receivers, mine]) set.delete(receiver);
          signal.removeEventListener('abort', receiver.end);
          wake();
          for (const other of receivers) system.soon(other.wake);
        },
      };
      const handOut = (cursor: Cursor, position: number, { body }: Message): Received => {
        cursor.inHand.set(position, receiver);
        return {
          body,
          ack() {
            if (ended || !cursor.inHand.delete(position)) return;
            cursor.acked = markDone(cursor.acked, [[position, position]]);
          },
        };
      };
      const pull = (): readonly Received[] => {
        const batch: Received[] = [];
        for (const { shard, cursor } of places) {
          for (const [position, message] of waiting(shard, cursor, LARGEST_BATCH - batch.length))
            batch.push(handOut(cursor, position, message));
        }
        // Another shard is the first next time, so that a busy one keeps nobody waiting.
        places.push(...places.splice(0, 1));
        return batch;
      };
      signal.addEventListener('abort', receiver.end);
      for (const set of [receivers, mine]) set.add(receiver);
      try {
        while (!ended) {
          const batch = pull();
          if (batch.length > 0) yield batch;
          else {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        }
      } finally {
        receiver.end();
      }
    }

    return {
      capabilities,
      async open(setup) {
        checkOpen();
        for (const name of setup.subscriptions) subscriptions.add(name);
        for (const shard of shards.values()) for (const name of setup.subscriptions) cursorOf(shard, name);
      },
      async publish(messages) {
        checkOpen();
        publish(messages);
      },
      receive,
      async close() {
        isClosed = true;
        for (const receiver of [...mine]) receiver.end();
      },
      another: connect,
    };
  };
  return connect();
};
