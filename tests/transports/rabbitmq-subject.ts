import { type Channel, type ChannelModel, connect } from 'amqplib';
import type { System } from '../../src/core/system.ts';
import type { Transport } from '../../src/core/transport.ts';
import type { TransportSubject } from '../../src/testing/conformance/transport/subject.ts';
import { queueName } from '../../src/transports/rabbitmq/names.ts';
import type { RabbitmqTransportOptions } from '../../src/transports/rabbitmq/options.ts';
import { createRabbitmqTransport } from '../../src/transports/rabbitmq/rabbitmq-transport.ts';
import { type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts';

/** A transport over a topic of its own, behind a proxy, and a way to look at the broker beside it. */
export interface RabbitmqSubject extends TransportSubject {
  readonly topic: string;
  readonly proxy: TcpProxy;
  readonly another: (more?: Partial<RabbitmqTransportOptions>) => Promise<Transport>;
  readonly outage: (during: () => Promise<void>) => Promise<void>;
  queue(subscription: string, shard: number): string;
  /** Runs `work` on a channel of its own, straight to the broker. */
  beside<T>(work: (channel: Channel) => Promise<T>): Promise<T>;
}

/** The address of the same broker behind the proxy. */
const through = (url: string, proxy: TcpProxy): string => {
  const address = new URL(url);
  address.hostname = '127.0.0.1';
  address.port = String(proxy.port);
  return address.href;
};

/** What is opened by the test is known, so that its queues can be deleted after it: without its management plugin a broker lists none. */
const watching = (transport: Transport, opened: Map<string, number>): Transport => ({
  ...transport,
  async open(setup) {
    for (const name of setup.subscriptions) opened.set(name, setup.shards);
    return transport.open(setup);
  },
});

export const rabbitmqSubject = async (
  system: System,
  url: string,
  options: Partial<RabbitmqTransportOptions> = {},
): Promise<RabbitmqSubject> => {
  const topic = `test-${system.id()}`;
  const { hostname, port } = new URL(url);
  const proxy = await tcpProxy({ host: hostname, port: Number(port || 5672) });
  const subscriptions = new Map<string, number>();
  const opened: Transport[] = [];
  let model: Promise<ChannelModel> | undefined;

  const another = async (more: Partial<RabbitmqTransportOptions> = {}): Promise<Transport> => {
    const transport = createRabbitmqTransport(system, { url: through(url, proxy), topic, ...options, ...more });
    opened.push(transport);
    return watching(transport, subscriptions);
  };
  const beside = async <T>(work: (channel: Channel) => Promise<T>): Promise<T> => {
    model ??= connect(url);
    const channel = await (await model).createChannel();
    channel.on('error', () => {});
    const result = await work(channel);
    await channel.close();
    return result;
  };

  return {
    topic,
    proxy,
    transport: await another(),
    another,
    beside,
    queue: (subscription, shard) => queueName(topic, subscription, shard),
    async outage(during) {
      await proxy.cut();
      await during();
      await proxy.mend();
    },
    async close() {
      await Promise.all(opened.map((one) => one.close()));
      await proxy.close();
      await beside(async (channel) => {
        for (const [name, shards] of subscriptions)
          for (let shard = 0; shard < shards; shard += 1) await channel.deleteQueue(queueName(topic, name, shard));
        await channel.deleteExchange(topic);
      });
      await (await model)?.close();
    },
  };
};
