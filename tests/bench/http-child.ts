import { randomUUID } from 'node:crypto';
import { ordersOf } from '../../examples/orders.ts';
import { startProducer } from '../../examples/producer.ts';
import type { ShopOrders } from '../../examples/saga.ts';
import { orderSaga } from '../../examples/saga.ts';
import { servicesOf } from '../../examples/services/services-of.ts';
import { readSettings } from '../../examples/settings.ts';
import { validate } from '../../src/order/validate.ts';
import { serve } from './children.ts';

// The example's producer, over a file, or over nothing: then it reads, validates and answers as ever and keeps nothing.
const [path = '', kind = ''] = process.argv.slice(2);
const { settings } = readSettings({ DATABASE_URL: `sqlite:${path}`, PORT: '0' });
const real = ordersOf(settings);
const saga = orderSaga(servicesOf(settings), settings);

const place = async (input: unknown) => {
  const validated = await validate(saga.schema, input);
  if (validated._tag === 'Left') return validated;
  return { _tag: 'Right', right: { orderId: randomUUID(), status: 'placed', version: 3, details: validated.right } };
};

const orders = kind === 'durable' ? real : ({ ...real, place } as unknown as ShopOrders);
const producer = await startProducer(orders, settings);
serve(
  () => process.send?.(producer.port),
  () => producer.close().then(() => real.close()),
);
