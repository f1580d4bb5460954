import type { FastifyInstance } from 'fastify';
import type { Orders } from 'orderfold';
import { problem } from './problems.ts';

/** Whether this process lives, and whether it can do its work. */
export const healthRoutes = (app: FastifyInstance, orders: Pick<Orders, 'counts' | 'on'>): void => {
  // Reading alone says nothing about a disk that is full or a file that is locked.
  let away: string | undefined;
  orders.on('storeAway', ({ error }) => {
    away = error.message;
  });
  orders.on('storeBack', () => {
    away = undefined;
  });

  app.get('/healthz', async () => ({ status: 'alive' }));

  app.get('/readyz', { config: { answerWithinMs: 2000 } }, async () => {
    if (away !== undefined) throw problem(503, `the store takes nothing: ${away}`, { code: 'STORE' });
    try {
      await orders.counts();
    } catch (error) {
      throw problem(503, `the store does not answer: ${error instanceof Error ? error.message : String(error)}`, { code: 'STORE' });
    }
    return { status: 'ready' };
  });
};
