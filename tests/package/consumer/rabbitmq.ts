// Without amqplib, which is an application's own: it can be imported, and says what is missing when it is used.
import { createOrders, isOrderfoldError, memoryStore, type Transport } from 'orderfold';
import { rabbitmqTransport } from 'orderfold/rabbitmq';
import { saga } from './app.js';

const main = async (): Promise<void> => {
  const transport: Transport = rabbitmqTransport({ url: 'amqp://shop:secret@127.0.0.1:1', topic: 'shop' });
  const opened = transport.open({ subscriptions: ['mail'], shards: 1 }).then(() => 'opened');
  console.log(await opened.catch((error: unknown) => (isOrderfoldError(error) ? `${error.code} ${error.message}` : String(error))));
  await createOrders({ store: memoryStore(), transport, saga }).close();
};

void main();
