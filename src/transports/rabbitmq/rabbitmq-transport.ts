import type { System } from '../../core/system.ts';
import type { Transport } from '../../core/transport.ts';
import type { Broker } from './connection.ts';
import { closedFault } from './faults.ts';
import { createLink } from './link.ts';
import { checkedOptions, type RabbitmqTransportOptions, shownAddress } from './options.ts';
import { createPublishing } from './publishing.ts';
import { createReceiving } from './receiving.ts';
import { createTopology } from './topology.ts';

/** The transport over one RabbitMQ, with all that is uncertain passed in. @throws OrderfoldError `CONFIG` */
export const createRabbitmqTransport = (system: System, options: RabbitmqTransportOptions): Transport => {
  const { url, topic, maxLength, maxBodyBytes, timeoutMs } = checkedOptions(options);
  const broker: Broker = { system, url, shown: shownAddress(url), timeoutMs };
  const outgoing = createLink(broker);
  // The broker never stops reading from this one, so what must not wait for a shortage to pass goes over it.
  const incoming = createLink(broker);
  const topology = createTopology(incoming, { topic, maxLength });
  const publish = createPublishing(broker, outgoing, topology, { topic, maxBodyBytes });
  const receiving = createReceiving(broker, incoming, topology, topic);
  let closed: Promise<void> | null = null;

  /** Whatever goes wrong because the transport is closed is no fault of the broker. */
  const whileOpen = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closed !== null) throw closedFault();
    try {
      return await work();
    } catch (error) {
      throw closed === null ? error : closedFault();
    }
  };
  const close = async (): Promise<void> => {
    await receiving.close();
    await Promise.all([outgoing.close(), incoming.close()]);
  };

  return {
    capabilities: Object.freeze({ redeliversInOrder: true, deduplicates: false, replays: false, durable: true, maxBodyBytes }),
    open: ({ subscriptions, shards }) => whileOpen(() => topology.open(subscriptions, shards)),
    publish: (messages) => whileOpen(() => publish(messages)),
    receive: receiving.receive,
    close() {
      closed ??= close();
      return closed;
    },
  };
};
