import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrders, isLeft } from 'orderfold';
import { sqliteStore } from 'orderfold/sqlite';
import type { Effect } from 'orderfold/testing';
import { expect, it } from 'vitest';
import { auditFile } from './audit-file.ts';
import { orderSaga } from './saga.ts';
import type { Services } from './services.ts';

const ORDERS = 200;

/** A payment that loses every fourth reply, and the books that a bank would keep: what it did, in the order of time. */
const bank = () => {
  const books: Effect[] = [];
  const known = new Map<string, { readonly chargeId: string }>();
  const replies = { sent: 0 };
  const charge: Services['payments']['charge'] = async ({ idempotencyKey: key = '', amountMinor }) => {
    const answer = known.get(key) ?? { chargeId: `ch_${known.size}` };
    const [orderId = '', step = ''] = key.split(':'); // an effect key is the order's id and the step's name
    if (!known.has(key)) books.push({ orderId, step, direction: 'do', key, amountMinor, at: performance.now() });
    known.set(key, answer);
    replies.sent += 1;
    if (replies.sent % 4 === 0) throw new Error('socket hang up');
    return answer;
  };
  return { books, charge };
};

it(`leaves ${ORDERS} orders in a file in which the audit finds nothing wrong`, { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'load-'));
  const path = join(folder, 'orders.db');
  const { books, charge } = bank();
  const services: Services = {
    payments: { charge, refund: async () => undefined },
    stock: { reserve: async () => ({ reservationId: 'rs_1' }), release: async () => undefined },
    mail: { send: async () => undefined },
  };
  const orders = createOrders({ store: sqliteStore({ path }), saga: orderSaga(services, { baseMs: 5, capMs: 50, timeoutMs: 5000 }) });
  await orders.worker().start();
  const placed = await Promise.all(
    Array.from({ length: ORDERS }, (_, n) =>
      orders.place({ customerId: `c${n}`, currency: 'EUR', items: [{ sku: 'tea', quantity: 1, unitPriceMinor: 100 + n }] }),
    ),
  );
  await Promise.all(placed.map((one) => (isLeft(one) ? undefined : orders.settled(one.right.orderId))));
  await orders.close();

  const { checked, violations } = await auditFile(path, books);
  expect(violations).toEqual([]);
  expect(checked).toMatchObject({ S2: ORDERS, S16: ORDERS });
  await rm(folder, { recursive: true });
});
