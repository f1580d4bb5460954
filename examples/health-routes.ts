import type { FastifyInstance } from 'fastify';
import type { Orders } from 'orderfold';
import { problem } from './problems.ts';

/** Whether this process lives, and whether it can do its work. */
export const healthRoutes = (app: FastifyInstance, orders: Pick<Orders, 'counts'>): void => {
  app.get('/healthz', async () => ({ status: 'alive' }));

  app.get('/readyz', { config: { answerWithinMs: 2000 } }, async () => {
    try {
      await orders.counts();
    } catch (error) {
      throw problem(503, `the store does not answer: ${error instanceof Error ? error.message : String(error)}`, { code: 'STORE' });
    }
    return { status: 'ready' };
  });
};
