import { OrderfoldError } from '../../src/core/errors.ts';
import { LARGEST_BATCH, type Message, type Received, type Transport, type TransportCapabilities } from '../../src/core/transport.ts';

/** What a plain queue promises. */
export const QUEUE: TransportCapabilities = {
  redeliversInOrder: false,
  deduplicates: false,
  replays: false,
  durable: true,
  maxBodyBytes: 2 ** 20,
};

export interface QueueBroker {
  connect(): Transport;
  /** Nobody reaches it while `during` runs, and who receives loses it. */
  outage(during: () => Promise<void>): Promise<void>;
}

/**
 * The least that is still a transport: a queue for each subscription and shard, where what was not acked goes to the end. It outlives
 * its connections.
 * @param claims what its connections say of themselves, true or not.
 */
export const queueBroker = (claims: TransportCapabilities = QUEUE): QueueBroker => {
  const queues = new Map<string, Map<number, Message[]>>();
  const waiting = new Set<() => void>();
  const wakeAll = (): void => {
    for (const wake of [...waiting]) wake();
  };

  const lost = (): OrderfoldError => new OrderfoldError('TRANSPORT', 'the broker is away');
  let isAway = false;
  const everybody = new Set<() => void>();

  const connect = (): Transport => {
    const ending = new Set<() => void>();
    let isClosed = false;
    const checkOpen = (): void => {
      if (isClosed) throw new OrderfoldError('CLOSED', 'the connection is closed');
    };
    async function* receive(subscription: string, shards: readonly number[], signal: AbortSignal): AsyncGenerator<readonly Received[]> {
      checkOpen();
      if (isAway) throw lost();
      const queue = queues.get(subscription) ?? new Map<number, Message[]>();
      const unacked = new Set<Message>();
      let ended = signal.aborted;
      let wake = (): void => {};
      const end = (): void => {
        ended = true;
        for (const message of unacked) queue.get(message.shard)?.push(message);
        unacked.clear();
        for (const set of [ending, everybody]) set.delete(end);
        wakeAll();
      };
      signal.addEventListener('abort', end);
      for (const set of [ending, everybody]) set.add(end);
      try {
        while (!ended) {
          const taken = shards.flatMap((shard) => queue.get(shard)?.splice(0, Math.ceil(LARGEST_BATCH / shards.length)) ?? []);
          for (const message of taken) unacked.add(message);
          if (taken.length > 0) yield taken.map((message) => ({ body: message.body, ack: () => void unacked.delete(message) }));
          else {
            await new Promise<void>((resolve) => {
              wake = resolve;
              waiting.add(wake);
            });
          }
          waiting.delete(wake);
        }
        if (isAway) throw lost();
      } finally {
        end();
      }
    }

    return {
      capabilities: claims,
      async open({ subscriptions, shards }) {
        checkOpen();
        for (const name of subscriptions) {
          if (!queues.has(name)) queues.set(name, new Map(Array.from({ length: shards }, (_, shard) => [shard, []])));
        }
      },
      async publish(messages) {
        checkOpen();
        if (isAway) throw lost();
        if (messages.some(({ body }) => Buffer.byteLength(body) > claims.maxBodyBytes))
          throw new OrderfoldError('TRANSPORT', 'too large', { retryable: false });
        for (const queue of queues.values()) for (const message of messages) queue.get(message.shard)?.push({ ...message });
        wakeAll();
      },
      receive,
      async close() {
        isClosed = true;
        for (const end of [...ending]) end();
      },
    };
  };

  return {
    connect,
    async outage(during) {
      isAway = true;
      for (const end of [...everybody]) end();
      await during();
      isAway = false;
    },
  };
};
