import type { System } from '../../core/system.ts';
import type { Transport } from '../../core/transport.ts';
import { system as realSystem } from '../../system.ts';
import type { RabbitmqTransportOptions } from './options.ts';
import { createRabbitmqTransport } from './rabbitmq-transport.ts';

export type { RabbitmqTransportOptions };

/**
 * Carries events over RabbitMQ 3.10 or later; `amqplib` 2 is the application's to install. One durable topic exchange, and a durable quorum
 * queue for each subscription and shard, of which one receiver at a time gets the messages; a message has the routing key `SHARD.TYPE`,
 * so that other services bind queues of their own with `*.OrderConfirmed`. `publish` resolves when the broker has confirmed all of it. A
 * lost broker is found within 1.5 `timeoutMs`, and the next call connects again.
 * @throws OrderfoldError `CONFIG` for unusable options; and from `open`, when `amqplib` is missing and when the exchange or a queue exists
 * and was made otherwise.
 * @example
 * const transport = rabbitmqTransport({ url: 'amqp://shop:secret@rabbitmq.internal:5672/shop' });
 */
export const rabbitmqTransport = ({
  system = realSystem,
  ...options
}: RabbitmqTransportOptions & { readonly system?: System }): Transport => createRabbitmqTransport(system, options);
