import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allSettled, ask, book, openWorkshop, SMOOTH, settled } from './processes.ts';

const workshop = openWorkshop();
let url = '';

beforeAll(async () => {
  const env = { ...SMOOTH, DATABASE_URL: workshop.database() };
  const api = workshop.start('api.mjs', env);
  const worker = workshop.start('worker.mjs', env);
  [url] = await Promise.all([api.url(), worker.line(/^worker ready$/m)]);
});
afterAll(() => workshop[Symbol.asyncDispose]());

const place = (body: unknown, headers?: Record<string, string>) => ask(url, 'POST', '/orders', body, headers);

describe('placing an order', () => {
  it('answers 202 with a receipt and where the order is', async () => {
    const { status, headers, body } = await place(book);
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/orders/${body.orderId}`);
    expect(body).toEqual({ orderId: expect.any(String), status: 'placed', totalMinor: 2500, version: expect.any(Number) });
  });

  it('gives the same order for the same idempotency key and order, with its status of now', async () => {
    const key = { 'idempotency-key': 'again' };
    const first = await place(book, key);
    const done = await settled(url, first.body.orderId);
    const again = await place({ items: book.items, currency: 'EUR', customerId: 'c1' }, key);
    expect(again.status).toBe(202);
    expect(again.body).toEqual({ orderId: first.body.orderId, totalMinor: 2500, status: 'confirmed', version: done.version });
    expect(again.headers.get('location')).toBe(`/orders/${first.body.orderId}`);
  });

  it('gives one order however many ask at once under one key', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => place(book, { 'idempotency-key': 'at once' })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body.orderId)).size).toBe(1);
  });

  it('answers 422 for the same key with another order, and takes a new order where there is no key', async () => {
    const key = { 'idempotency-key': 'once' };
    await place(book, key);
    const other = await place({ ...book, customerId: 'c2' }, key);
    expect(other).toMatchObject({ status: 422, body: { status: 422, code: 'KEY_REUSED' } });
    const [one, two] = await Promise.all([place(book), place(book)]);
    expect(one.body.orderId).not.toBe(two.body.orderId);
  });

  it.each([
    ['', 400],
    ['k'.repeat(256), 400],
    ['k'.repeat(255), 202],
  ])('takes idempotency keys of 1 to 255 characters (%#)', async (key, status) => {
    expect((await place(book, { 'idempotency-key': key })).status).toBe(status);
  });

  it('names each field at fault in a problem document', async () => {
    const { status, headers, body } = await place({
      customerId: '',
      currency: 'eur',
      items: [{ sku: 'a', quantity: 0, unitPriceMinor: 1.5 }],
      extra: 1,
    });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({ type: 'about:blank', title: 'Bad Request', status: 400, detail: expect.any(String) });
    expect(body.errors.map(({ field }: { field: string }) => field).sort()).toEqual([
      'currency',
      'customerId',
      'extra',
      'items[0].quantity',
      'items[0].unitPriceMinor',
    ]);
  });

  const item = { sku: 'a', quantity: 1, unitPriceMinor: 1 };
  it.each([
    ['100 items', { items: Array(100).fill(item) }, 202],
    ['101 items', { items: Array(101).fill(item) }, 400],
    ['no items', { items: [] }, 400],
    ['a quantity of 1,000,000', { items: [{ ...item, quantity: 1_000_000 }] }, 202],
    ['a quantity of 1,000,001', { items: [{ ...item, quantity: 1_000_001 }] }, 400],
    ['a price of 10^9', { items: [{ ...item, unitPriceMinor: 1_000_000_000 }] }, 202],
    ['a price of 10^9 + 1', { items: [{ ...item, unitPriceMinor: 1_000_000_001 }] }, 400],
    ['a price of nothing', { items: [{ ...item, unitPriceMinor: 0 }] }, 202],
    ['a total over 2^53 − 1', { items: Array(10).fill({ sku: 'a', quantity: 1_000_000, unitPriceMinor: 1_000_000_000 }) }, 400],
    ['a customer id of 200 characters', { customerId: 'c'.repeat(200) }, 202],
    ['a customer id of 201 characters', { customerId: 'c'.repeat(201) }, 400],
    ['a sku of 201 characters', { items: [{ ...item, sku: 's'.repeat(201) }] }, 400],
  ])('keeps the bounds: %s', async (_, change, status) => {
    expect((await place({ ...book, ...change })).status).toBe(status);
  });
});

describe('asking for orders', () => {
  it('shows the order as folded, with each step', async () => {
    const { body } = await place(book);
    expect(await settled(url, body.orderId)).toEqual({
      orderId: body.orderId,
      status: 'confirmed',
      version: 8,
      totalMinor: 2500,
      steps: {
        payment: { status: 'succeeded', attempt: 1 },
        inventory: { status: 'succeeded', attempt: 1 },
        notification: { status: 'succeeded', attempt: 1 },
      },
    });
  });

  it('tells its events in the order of their versions', async () => {
    const { body } = await place(book);
    await settled(url, body.orderId);
    const { status, body: told } = await ask(url, 'GET', `/orders/${body.orderId}/events`);
    expect(status).toBe(200);
    const types = told.events.map(({ type }: { type: string }) => type);
    expect(types[0]).toBe('OrderPlaced');
    expect(types.slice(1, 3).sort()).toEqual(['InventoryRequested', 'PaymentRequested']);
    expect(types.slice(-1)).toEqual(['OrderConfirmed']);
    expect(types).toContain('PaymentSucceeded');
    expect(told.events.map(({ version }: { version: number }) => version)).toEqual(types.map((_: string, index: number) => index + 1));
    for (const event of told.events) {
      expect(Object.keys(event).sort()).toEqual(['data', 'id', 'time', 'type', 'version']);
      expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
  });

  it('tells everything that happened to it in one list', async () => {
    const { body } = await place(book);
    await settled(url, body.orderId);
    const { status, body: told } = await ask(url, 'GET', `/orders/${body.orderId}/timeline`);
    expect(status).toBe(200);
    expect(told.timeline.map(({ kind }: { kind: string }) => kind)).toEqual(Array(8).fill('event'));
  });

  it.each(['', '/events', '/timeline'])('answers 404 where there is no such order (%s)', async (of) => {
    const { status, headers } = await ask(url, 'GET', `/orders/no-such-order${of}`);
    expect(status).toBe(404);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it('lists orders, newest first, page by page', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.unshift((await place(book)).body.orderId);
    await allSettled(url, ids);
    const first = await ask(url, 'GET', '/orders?status=confirmed&limit=2&cursor=');
    expect(first.status).toBe(200);
    const second = await ask(url, 'GET', `/orders?status=confirmed&limit=3&cursor=${first.body.nextCursor}`);
    const listed = [...first.body.orders, ...second.body.orders];
    expect(listed.map(({ orderId }) => orderId)).toEqual(ids);
    expect(listed[0]).toEqual({ orderId: ids[0], status: 'confirmed', totalMinor: 2500, version: 8 });
    const none = await ask(url, 'GET', '/orders?status=stalled');
    expect(none.body).toEqual({ orders: [], nextCursor: null });
  });

  it.each(['status=open', 'limit=0', 'limit=501', 'limit=ten', 'cursor=made-up', 'sort=asc', 'limit=1&limit=2'])(
    'answers 400 for a list with ?%s and names the parameter',
    async (query) => {
      const { status, body } = await ask(url, 'GET', `/orders?${query}`);
      expect(status).toBe(400);
      expect(body.errors[0].field).toBe(query.split('=')[0]);
    },
  );
});

describe('what a producer says of itself', () => {
  it('is alive and ready', async () => {
    expect((await ask(url, 'GET', '/healthz')).status).toBe(200);
    expect(await ask(url, 'GET', '/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
  });

  it('counts orders and deliveries in a form that Prometheus reads', async () => {
    await settled(url, (await place(book)).body.orderId);
    const { status, headers, text } = await ask(url, 'GET', '/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(/^# (HELP|TYPE) [a-z0-9_]+ .+$|^[a-z0-9_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? [0-9.e+-]+$/);
    }
    expect(Number(/^orderfold_orders\{status="confirmed"\} (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
    for (const name of ['orderfold_backlog', 'orderfold_retries_total', 'orderfold_dead_letters']) {
      expect(text).toMatch(new RegExp(`^${name}\\{subscription="payment"\\} \\d+$`, 'm'));
    }
  });

  it('takes no label from what a client makes up', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, i) => ask(url, 'GET', `/made-up-${i}`)));
    const { text } = await ask(url, 'GET', '/metrics');
    expect(text).not.toContain('made-up');
    expect(text).toMatch(/^orderfold_http_requests_total\{method="GET",route="none",status="404"\} \d+$/m);
  });
});
