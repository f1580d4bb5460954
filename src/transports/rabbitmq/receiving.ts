import { OrderfoldError } from '../../core/errors.ts';
import type { Received } from '../../core/transport.ts';
import { type Broker, FAREWELL_MS } from './connection.ts';
import { forAWhile } from './deadline.ts';
import { closedFault, NOT_FOUND, replyCode, transportFault } from './faults.ts';
import { type Inlet, inHandOf, type Listener, openInlet } from './inlet.ts';
import type { Link } from './link.ts';
import { queueName } from './names.ts';
import type { Topology } from './topology.ts';

/** `receive` of a transport: each receiver has a channel of its own, which gives back what it holds when it is closed. */
export const createReceiving = ({ system }: Broker, link: Link, topology: Topology, topic: string) => {
  const running = new Set<() => Promise<void>>();
  let isClosed = false;

  const open = async (queues: readonly string[], listener: Listener): Promise<Inlet> => {
    await topology.restore();
    return openInlet(await link.connection(), queues, inHandOf(topology.shards), system, listener);
  };

  async function* receive(subscription: string, shards: readonly number[], signal: AbortSignal): AsyncGenerator<readonly Received[]> {
    if (isClosed) throw closedFault();
    if (!topology.has(subscription)) throw new OrderfoldError('CONFIG', `${subscription} was never opened`);
    if (signal.aborted) return;
    let inlet: Inlet | undefined;
    let failure: OrderfoldError | undefined;
    let isOver = false;
    let wake = (): void => {};
    const failed = (error: unknown): void => {
      if (replyCode(error) === NOT_FOUND) topology.missed();
      failure ??= transportFault(`receiving for ${subscription}`, error);
      wake();
    };
    const queues = shards.map((shard) => queueName(topic, subscription, shard));
    open(queues, { arrived: () => wake(), failed }).then((opened) => {
      inlet = opened;
      if (isOver) opened.end();
      else wake();
    }, failed);
    /** What is still on its way is closed when it is there, and nobody waits for that: nothing of it was handed out. */
    const end = async (): Promise<void> => {
      isOver = true;
      wake();
      if (inlet !== undefined) await forAWhile(system, FAREWELL_MS, inlet.end());
    };
    signal.addEventListener('abort', end);
    running.add(end);
    try {
      while (!isOver) {
        if (failure !== undefined) throw failure;
        const batch = inlet?.take() ?? [];
        if (batch.length > 0) yield batch;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', end);
      await end();
      running.delete(end);
    }
  }

  return {
    receive,
    /** Ends all that receive. */
    async close(): Promise<void> {
      isClosed = true;
      await Promise.all([...running].map((end) => end()));
    },
  };
};
