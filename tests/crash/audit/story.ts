import { createOrders, OrderSaga } from '../../../src/index.ts';
import { sqliteStore } from '../../../src/stores/sqlite/index.ts';
import type { Evidence } from '../evidence.ts';

const reader = OrderSaga.define().step('reader', { do: () => null, undo: 'nothing' });

const ofOrder = (orderId: string, key: string, body: Readonly<Record<string, unknown>>): boolean =>
  key.startsWith(`${orderId}:`) || body.orderId === orderId;

/** One order's whole story, for whoever has to find out what went wrong: its timeline, and what the services saw of it. */
export const storyOf = async ({ database, services }: Evidence, orderId: string): Promise<string> => {
  const orders = createOrders({ store: sqliteStore({ path: database }), saga: reader });
  try {
    const timeline = (await orders.timeline(orderId)).map((entry) => {
      const { kind, at, ...rest } = entry;
      return `  ${at} ${kind} ${JSON.stringify(rest).slice(0, 400)}`;
    });
    const calls = services.books.calls
      .filter(({ key, body }) => ofOrder(orderId, key, body))
      .map(({ method, path, key, nth }) => `  ${method} ${path} ${key}, call ${nth}`);
    return [`timeline of ${orderId}:`, ...timeline, 'calls the services saw:', ...calls].join('\n');
  } finally {
    await orders.close();
  }
};
