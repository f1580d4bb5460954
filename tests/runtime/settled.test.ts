import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { OrderSaga } from '../../src/order/saga.ts';
import { createOrdersOn } from '../../src/runtime/orders.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { createCluster } from '../../src/testing/simulation/cluster.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

const request = { customerId: 'c', currency: 'EUR', items: [{ sku: 'a', quantity: 1, unitPriceMinor: 5 }] };
const saga = OrderSaga.define().step('payment', { do: () => {}, undo: 'nothing' });

/** An API that nobody tells of what others commit, and a worker beside it. */
const setUp = async () => {
  const system = virtualSystem();
  const cluster = createCluster(system, createMemoryStore(system, 1));
  const member = (name: string) => {
    const process = cluster.process(name, { hints: 'none' });
    return createOrdersOn(process.system, { store: process.store, saga });
  };
  const [api, worker] = [member('api'), member('worker')];
  const placed = await system.run(api.place(request));
  return { system, cluster, api, worker, orderId: isRight(placed) ? placed.right.orderId : '' };
};

describe('waiting for an order to be settled', () => {
  it('ends although no hint ever comes and the store is away meanwhile', async () => {
    const { system, cluster, api, worker, orderId } = await setUp();
    const settled = api.settled(orderId);
    settled.catch(() => {});
    await system.advance(2000);
    cluster.away(3000, 'before');
    await system.advance(5000);
    await system.run(worker.worker().start());
    await system.advance(2000);
    expect(await system.run(settled, 1)).toMatchObject({ orderId, status: 'confirmed' });
    for (const each of [api, worker]) await system.run(each.close());
    await system.advance(1000);
    expect(system.pending).toBe(0);
  });

  it('ends with the reason of its signal, with CONFIG for an order nobody placed, and with CLOSED when all is closed', async () => {
    const { system, api, worker, orderId } = await setUp();
    const controller = new AbortController();
    const aborted = api.settled(orderId, { signal: controller.signal });
    controller.abort('enough');
    await expect(system.run(aborted)).rejects.toBe('enough');
    await expect(system.run(api.settled('nobody'))).rejects.toMatchObject({ code: 'CONFIG' });
    const closed = api.settled(orderId);
    closed.catch(() => {});
    for (const each of [api, worker]) await system.run(each.close());
    await system.advance(3000);
    await expect(system.run(closed, 1)).rejects.toMatchObject({ code: 'CLOSED' });
    expect(system.pending).toBe(0);
  });
});
