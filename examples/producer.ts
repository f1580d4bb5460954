import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { isLeft } from 'orderfold';
import { closeInTime } from './close-in-time.ts';
import { healthRoutes } from './health-routes.ts';
import { answerInTime, httpLimits, takeOnlyJson } from './http-limits.ts';
import { serveMetrics } from './metrics.ts';
import { operatorRoutes } from './operator-routes.ts';
import { orderRoutes, receiptOf } from './order-routes.ts';
import { answerWithProblems, rejected } from './problems.ts';
import type { ShopOrders } from './saga.ts';
import type { Settings } from './settings.ts';
import { traceOf } from './trace.ts';

/** Takes orders over HTTP and tells what became of them. No step of an order runs here: that is a worker's work. */
export const startProducer = async (orders: ShopOrders, { host, port, adminToken, graceMs }: Settings) => {
  const app = Fastify(httpLimits);
  const close = closeInTime(app, graceMs);
  answerInTime(app);
  takeOnlyJson(app);
  answerWithProblems(app);
  serveMetrics(app, orders);
  healthRoutes(app, orders);
  orderRoutes(app, orders);
  operatorRoutes(app, orders, adminToken);

  app.post('/orders', async ({ body, headers }, reply) => {
    // `place` checks whatever came. Once it resolves the order is durable; a Left is an order that was not taken.
    const placed = await orders.place(body as Parameters<ShopOrders['place']>[0], {
      idempotencyKey: headers['idempotency-key']?.toString(),
      traceparent: traceOf(headers),
    });
    if (isLeft(placed)) throw rejected(placed.left);
    const { orderId } = placed.right;
    return reply.code(202).header('location', `/orders/${orderId}`).send(receiptOf(placed.right));
  });

  await orders.open();
  await app.listen({ host, port });
  const { port: taken } = app.server.address() as AddressInfo;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`, port: taken, close };
};
