import type { Transport } from 'orderfold';
import { rabbitmqTransport } from 'orderfold/rabbitmq';
import type { Broker } from './settings.ts';

/** The transport of TRANSPORT_URL, if there is one. */
export const transportOf = (broker: Broker | undefined): Transport | undefined =>
  broker === undefined ? undefined : rabbitmqTransport({ url: broker.url, topic: broker.topic });
