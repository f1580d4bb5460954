import { describe, expect, it, type TestContext } from 'vitest';
import type { Services } from '../../examples/services/services.ts';
import { createOrders, isLeft, type Orders } from '../../src/index.ts';
import { sqliteStore } from '../../src/stores/sqlite/index.ts';
import { type PaymentServer, startPaymentServer } from '../support/payment-server.ts';
import { type Child, startChild } from './child.ts';
import { saga1, saga2 } from './roles/versioned-sagas.ts';
import { openWorkplace, until } from './workplace.ts';

const items = [{ sku: 'a', quantity: 1, unitPriceMinor: 100 }];
const unused = undefined as unknown as Services;

/** Two versions of the code over one file: producers of both here, workers of both as processes. */
const openShop = async ({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, behaviour: Parameters<typeof startPaymentServer>[0]) => {
  const place = await openWorkplace(onTestFinished);
  const services = await startPaymentServer(behaviour);
  onTestFinished(() => services.close());
  const producer = <Saga extends ReturnType<typeof saga1> | ReturnType<typeof saga2>>(saga: Saga) => {
    const orders = createOrders({ store: sqliteStore({ path: place.database }), saga });
    onTestFinished(() => orders.close());
    const take = async (howMany: number): Promise<string[]> => {
      const placed = await Promise.all(
        Array.from({ length: howMany }, () => orders.place({ customerId: 'c', currency: 'EUR', items } as never)),
      );
      return placed.map((one) => {
        if (isLeft(one)) throw new Error(one.left.message);
        return (one.right as { orderId: string }).orderId;
      });
    };
    return { orders: orders as unknown as Orders, take };
  };
  const worker = (version: 1 | 2): Child =>
    startChild({
      name: `worker of version ${version}`,
      file: 'tests/crash/roles/versioned-worker.ts',
      env: { ...place.env, SERVICES_URL: services.url, VERSION: String(version) },
    });
  return { place, services, one: () => producer(saga1(unused)), two: () => producer(saga2(unused, () => 0)), worker };
};

const stop = async (child: Child): Promise<void> => {
  child.process.kill('SIGTERM');
  expect(await child.ended).toBe(0);
};

const settled = (orders: Orders, ids: readonly string[]) => async (): Promise<boolean> => {
  for (const id of ids) {
    const { status } = (await orders.get(id)) ?? {};
    if (status !== 'confirmed' && status !== 'cancelled') return false;
  }
  return true;
};

const typesOf = async (orders: Orders, id: string): Promise<string[]> => (await orders.events(id)).map(({ type }) => type as string);

const audit = async (services: PaymentServer, orders: Orders, ids: readonly string[], released: boolean): Promise<readonly string[]> => {
  const all = await Promise.all(ids.map((id) => orders.get(id)));
  const faults = services.audit(all.map((order) => ({ orderId: order?.orderId ?? '', status: order?.status ?? '', totalMinor: 100 })));
  // Orders of version 1 were promised no release.
  return released ? faults : faults.filter((fault) => !/is cancelled and has 1 reservations/.test(fault));
};

describe.concurrent('two versions of the code on one file', () => {
  it('S24 finish each order under the plan it was placed with; what the old code does not know waits and costs no attempt', {
    timeout: 120_000,
  }, async (context) => {
    const { place, services, one, two, worker } = await openShop(context, { seed: 3, declineRate: 0.1, lostReplyRate: 0.05, delayMs: 30 });
    const first = one();
    const old = worker(1);
    await old.line(/^worker ready$/);
    const early = await first.take(50);
    const second = two();
    const ahead = await second.take(50);

    // The old code alone: its own orders are finished, the new ones come as far as it knows the way.
    await until('the old code is done with its own', settled(first.orders, early), 60_000);
    await until('the new orders wait for their new step', async () => {
      const all = await Promise.all(ahead.map((id) => second.orders.get(id)));
      return all.every(
        (order) => order?.status === 'cancelled' || order?.steps.fraud?.status === 'requested' || order?.status === 'cancelling',
      );
    });
    const waiting = (await Promise.all(ahead.map((id) => second.orders.get(id)))).filter((order) => order?.status === 'placed');
    expect(waiting.length).toBeGreaterThan(15);
    for (const order of waiting) {
      const timeline = await second.orders.timeline(order?.orderId ?? '');
      expect(timeline.filter((entry) => 'subscription' in entry && entry.subscription === 'fraud')).toEqual([]);
    }

    // Both at once, and orders of both.
    const fresh = worker(2);
    await fresh.line(/^worker ready$/);
    const both = { one: await first.take(25), two: await second.take(25) };
    await until(
      'the first new orders are confirmed',
      async () => (await second.orders.list({ status: 'confirmed', limit: 500 })).orders.length > early.length,
    );
    const late = { one: await first.take(25), two: await second.take(25) };
    await stop(old);
    const olds = [...early, ...both.one, ...late.one];
    const news = [...ahead, ...both.two, ...late.two];
    await until('everything is settled by the new code', settled(second.orders, [...olds, ...news]), 60_000);
    await stop(fresh);

    const confirmed = { olds: 0, news: 0 };
    for (const id of olds) {
      const types = await typesOf(second.orders, id);
      expect(types.filter((type) => type.startsWith('Fraud') || type.startsWith('InventoryUndo'))).toEqual([]);
      if (types.at(-1) === 'OrderConfirmed') confirmed.olds += 1;
    }
    for (const id of news) {
      const types = await typesOf(second.orders, id);
      if (types.at(-1) !== 'OrderConfirmed') continue;
      confirmed.news += 1;
      expect(types.indexOf('FraudSucceeded')).toBeGreaterThan(0);
      expect(types.indexOf('FraudSucceeded')).toBeLessThan(types.indexOf('NotificationRequested'));
    }
    expect(confirmed.olds).toBeGreaterThan(60);
    expect(confirmed.news).toBeGreaterThan(60);
    expect(await audit(services, second.orders, olds, false)).toEqual([]);
    expect(await audit(services, second.orders, news, true)).toEqual([]);
    expect((await second.orders.deadLetters.list()).deadLetters).toEqual([]);
    const scored = (await place.marks<{ scored: string }>()).map((mark) => mark.scored);
    expect(scored.filter((id) => olds.includes(id))).toEqual([]);
  });

  it('S24 R1 an undo that only the new code has waits for it, instead of being passed over by the old', {
    timeout: 120_000,
  }, async (context) => {
    const { services, one, two, worker } = await openShop(context, { script: ({ path }) => (path === '/charges' ? 'decline' : undefined) });
    await one().orders.open();
    const old = worker(1);
    await old.line(/^worker ready$/);
    const second = two();
    const ids = await second.take(10);
    await until('the old code has come as far as it can', async () => {
      const all = await Promise.all(ids.map((id) => second.orders.get(id)));
      return all.every((order) => order?.status === 'cancelling' && /^(undoing|unknown)$/.test(order.steps.inventory?.status ?? ''));
    });
    await stop(old);
    const fresh = worker(2);
    await until('the new code takes it back', settled(second.orders, ids));
    await stop(fresh);
    for (const id of ids) {
      const timeline = await second.orders.timeline(id);
      expect(timeline.filter(({ kind }) => kind === 'attempt')).toEqual([]);
    }
    expect(await audit(services, second.orders, ids, true)).toEqual([]);
  });
});
