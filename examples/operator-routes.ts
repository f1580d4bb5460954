import type { FastifyInstance } from 'fastify';
import { isLeft } from 'orderfold';
import { deadLetterRoutes } from './dead-letter-routes.ts';
import { readFields, text } from './fields.ts';
import { operatorsOnly } from './operators-only.ts';
import { receiptOf } from './order-routes.ts';
import { rejected } from './problems.ts';
import type { ShopOrders } from './saga.ts';
import { traceOf } from './trace.ts';

/** Cancelling, and all that can be done about dead letters. */
export const operatorRoutes = (app: FastifyInstance, orders: ShopOrders, adminToken: string | undefined): void => {
  app.register(async (operators) => {
    operators.addHook('onRequest', operatorsOnly(adminToken));

    operators.post<{ Params: { orderId: string } }>('/orders/:orderId/cancel', async ({ params, body, headers }, reply) => {
      const wish = { ...readFields(body, { reason: text(1000) }), traceparent: traceOf(headers) };
      const cancelled = await orders.cancel(params.orderId, wish);
      if (isLeft(cancelled)) throw rejected(cancelled.left);
      return reply.code(202).send(receiptOf(cancelled.right));
    });

    deadLetterRoutes(operators, orders.deadLetters);
  });
};
