import type { FastifyInstance } from 'fastify';
import { cursorOf, nextCursorOf, oneOf, optional, readFields, wholeNumber } from './fields.ts';
import { problem } from './problems.ts';
import type { ShopOrders } from './saga.ts';

interface OfOrder {
  readonly Params: { readonly orderId: string };
}

type Folded = NonNullable<Awaited<ReturnType<ShopOrders['get']>>>;

const listFields = {
  status: optional(oneOf(['placed', 'confirmed', 'cancelling', 'cancelled', 'stalled'])),
  limit: optional(wholeNumber(1, 500)),
  cursor: optional(cursorOf('orders')),
};

/** What a customer keeps of an order. */
export const receiptOf = ({ orderId, status, version, details }: Pick<Folded, 'orderId' | 'status' | 'version' | 'details'>) => ({
  orderId,
  status,
  totalMinor: details.totalMinor,
  version,
});

/** An order as it stands, with how its steps fare. */
const orderOf = (order: Folded) => ({
  ...receiptOf(order),
  ...(order.reason !== undefined && { reason: order.reason }),
  steps: Object.fromEntries(Object.entries(order.steps).map(([name, { status, attempt }]) => [name, { status, attempt }])),
});

const noSuchOrder = () => problem(404, 'there is no such order', { code: 'NOT_FOUND' });

/** Every order there is has at least one event. */
const ofKnown = <T>(found: readonly T[]): readonly T[] => {
  if (found.length === 0) throw noSuchOrder();
  return found;
};

/** What became of orders. */
export const orderRoutes = (app: FastifyInstance, orders: ShopOrders): void => {
  app.get('/orders', async ({ query }) => {
    const page = await orders.list(readFields(query, listFields));
    return { orders: page.orders.map(receiptOf), nextCursor: nextCursorOf('orders', page.nextCursor) };
  });

  app.get<OfOrder>('/orders/:orderId', async ({ params }) => {
    const order = await orders.get(params.orderId);
    if (order === null) throw noSuchOrder();
    return orderOf(order);
  });

  app.get<OfOrder>('/orders/:orderId/events', async ({ params }) => {
    const events = ofKnown(await orders.events(params.orderId));
    return { events: events.map(({ id, type, version, time, data }) => ({ id, type, version, time, data })) };
  });

  app.get<OfOrder>('/orders/:orderId/timeline', async ({ params }) => ({ timeline: ofKnown(await orders.timeline(params.orderId)) }));
};
