import { get } from 'node:http';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PaymentServer, startPaymentServer } from '../support/payment-server.ts';
import { ask, book, eventually, openWorkshop, SMOOTH, settled } from './processes.ts';

const workshop = openWorkshop();
let server: PaymentServer;
let url = '';
let worker: ReturnType<typeof workshop.start>;
/** Orders whose charges fail, and how. */
const broken = new Map<string, 'fail' | 'lose' | 'cut'>();

beforeAll(async () => {
  server = await startPaymentServer({
    script: ({ method, path, body, key }) => {
      const orderId = typeof body.orderId === 'string' ? body.orderId : (key.split(':')[0] ?? '');
      return path === '/charges' && (method === 'POST' || method === 'GET') ? (broken.get(orderId) ?? broken.get('*')) : undefined;
    },
  });
  const env = { ...SMOOTH, DATABASE_URL: workshop.database(), SERVICES_URL: server.url };
  const api = workshop.start('api.mjs', env);
  worker = workshop.start('worker.mjs', env);
  [url] = await Promise.all([api.url(), worker.line(/^worker ready$/m)]);
});
afterAll(async () => {
  await workshop[Symbol.asyncDispose]();
  await server.close();
});

const audit = { by: 'ops', reason: 'the gateway is back' };

/** Orders whose payment is dead, placed during an outage. */
const stalled = async (count = 1): Promise<{ orderId: string; letter: string }[]> => {
  broken.set('*', 'fail');
  const placed = await Promise.all(Array.from({ length: count }, () => ask(url, 'POST', '/orders', book)));
  const ids = placed.map(({ body }) => body.orderId as string);
  const dead = await Promise.all(
    ids.map((orderId) =>
      eventually(
        () => ask(url, 'GET', `/dead-letters?orderId=${orderId}`),
        ({ body }) => body.deadLetters.length === 1,
      ),
    ),
  );
  broken.delete('*');
  return ids.map((orderId, index) => ({ orderId, letter: dead[index]?.body.deadLetters[0].id as string }));
};

const one = async () => (await stalled())[0] as { orderId: string; letter: string };

describe('a dead letter', () => {
  it('is listed, and alone tells its envelope and every attempt', async () => {
    const { orderId, letter } = await one();
    const { body: order } = await ask(url, 'GET', `/orders/${orderId}`);
    expect(order).toMatchObject({
      status: 'stalled',
      steps: { payment: { status: 'dead', attempt: 3 }, notification: { status: 'waiting', attempt: 0 } },
    });

    const { body: list } = await ask(url, 'GET', `/dead-letters?subscription=payment&type=PaymentRequested&orderId=${orderId}`);
    expect(list).toEqual({
      deadLetters: [
        {
          id: letter,
          subscription: 'payment',
          type: 'PaymentRequested',
          orderId,
          cause: expect.stringContaining('HTTP_503'),
          attempts: 3,
          deadAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        },
      ],
      nextCursor: null,
    });
    expect(
      (await ask(url, 'GET', `/dead-letters?cause=${encodeURIComponent(list.deadLetters[0].cause)}`)).body.deadLetters.length,
    ).toBeGreaterThan(0);

    const { status, body } = await ask(url, 'GET', `/dead-letters/${encodeURIComponent(letter)}`);
    expect(status).toBe(200);
    expect(body).toMatchObject(list.deadLetters[0]);
    expect(body.envelope).toMatchObject({
      type: 'PaymentRequested',
      stream: orderId,
      data: { step: 'payment', effectKey: `${orderId}:payment` },
    });
    expect(body.history.map(({ attempt }: { attempt: number }) => attempt)).toEqual([1, 2, 3]);
    for (const attempt of body.history) {
      expect(attempt).toMatchObject({
        startedAt: expect.any(String),
        endedAt: expect.any(String),
        worker: expect.any(String),
        // A machine that is busy may not answer in time.
        error: { code: expect.stringMatching(/^(HTTP_503|ETIMEDOUT)$/), message: expect.any(String) },
        rule: expect.any(String),
      });
    }
    expect(body.history[0].delayMs).toEqual(expect.any(Number));
    expect(body.history[2].delayMs).toBeNull();

    const { body: told } = await ask(url, 'GET', `/orders/${orderId}/timeline`);
    expect(told.timeline.filter(({ kind }: { kind: string }) => kind === 'attempt')).toHaveLength(3);
    expect(told.timeline.at(-1)).toMatchObject({ kind: 'parked', state: 'dead' });
    expect(worker.output()).toMatch(new RegExp(`^retry PaymentRequested of ${orderId}`, 'm'));
    expect(worker.output()).toMatch(new RegExp(`^dead PaymentRequested of ${orderId} after 3 attempts`, 'm'));
  });

  it('is redriven once: 202, then 409, and the order is confirmed', async () => {
    const { orderId, letter } = await one();
    const target = `/dead-letters/${encodeURIComponent(letter)}/redrive`;
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask(url, 'POST', target, audit)));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409]);
    expect((await settled(url, orderId)).status).toBe('confirmed');
    expect((await ask(url, 'POST', target, audit)).status).toBe(409);
    expect((await ask(url, 'POST', target.replace('redrive', 'discard'), audit)).status).toBe(409);
    const { body } = await ask(url, 'GET', `/orders/${orderId}/events`);
    expect(body.events.map(({ type }: { type: string }) => type)).toEqual(
      expect.arrayContaining(['StepDeadLettered', 'DeadLetterRedriven']),
    );
    expect(server.books.charges.get(`${orderId}:payment`)).toMatchObject({ amountMinor: 2500, refundedMinor: 0 });
    expect(worker.output()).toMatch(new RegExp(`^confirmed ${orderId}$`, 'm'));
  });

  it('is discarded for good: the order is cancelled with nothing kept', async () => {
    const { orderId, letter } = await one();
    expect(
      (await ask(url, 'POST', `/dead-letters/${encodeURIComponent(letter)}/discard`, { by: 'ops', reason: 'customer called' })).status,
    ).toBe(202);
    expect((await settled(url, orderId)).status).toBe('cancelled');
    expect(server.audit([{ orderId, status: 'cancelled', totalMinor: 2500 }])).toEqual([]);
  });

  it('answers 404 where there is none', async () => {
    expect((await ask(url, 'GET', '/dead-letters/none')).status).toBe(404);
    expect((await ask(url, 'POST', '/dead-letters/none/redrive', audit)).status).toBe(404);
    expect((await ask(url, 'POST', '/dead-letters/none/discard', audit)).status).toBe(404);
  });

  it.each([
    ['redrive', {}],
    ['redrive', { by: 'ops' }],
    ['discard', { reason: 'because' }],
    ['discard', { by: '', reason: 'because' }],
    ['redrive', { by: 'o'.repeat(201), reason: 'because' }],
    ['redrive', { ...audit, force: true }],
    ['redrive', { by: '\u0000', reason: 'because' }],
    ['redrive', []],
  ])('is not touched without who and why: %s %j', async (change, body) => {
    const { letter } = await one();
    const answer = await ask(url, 'POST', `/dead-letters/${encodeURIComponent(letter)}/${change}`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.length).toBeGreaterThan(0);
    expect((await ask(url, 'GET', `/dead-letters/${encodeURIComponent(letter)}`)).body.state).toBe('dead');
  });
});

describe('what many letters have in common', () => {
  it('is listed by cause and by when they died', async () => {
    const before = new Date().toISOString();
    const two = await stalled(2);
    const since = `diedFrom=${before}&type=PaymentRequested`;
    const { body } = await ask(url, 'GET', `/dead-letters/causes?${since}`);
    expect(body).toEqual({
      causes: [
        {
          cause: expect.stringContaining('HTTP_503'),
          letters: 2,
          firstDeadAt: expect.stringMatching(/Z$/),
          lastDeadAt: expect.stringMatching(/Z$/),
          latest: expect.stringContaining('payment:'),
        },
      ],
    });
    expect((await ask(url, 'GET', `/dead-letters?${since}`)).body.deadLetters).toHaveLength(2);
    expect((await ask(url, 'GET', `/dead-letters?diedBefore=${before}&orderId=${two[0]?.orderId}`)).body.deadLetters).toEqual([]);
    expect((await ask(url, 'GET', '/dead-letters/causes?limit=1')).status).toBe(400);
    const filter = { diedFrom: before, diedBefore: new Date(Date.now() + 60_000).toISOString() };
    expect((await ask(url, 'POST', '/dead-letters/redrive', { ...audit, filter })).body).toEqual({ matched: 2, redriven: 2 });
    for (const { orderId } of two) expect((await settled(url, orderId)).status).toBe('confirmed');
  });

  it.each(['diedFrom=yesterday', 'diedBefore=2026-02-31T00:00:00Z', 'diedFrom=2026-01-01'])('is not asked for with ?%s', async (query) => {
    expect((await ask(url, 'GET', `/dead-letters/causes?${query}`)).status).toBe(400);
  });
});

describe('editing', () => {
  it('is refused for a step, which reads its order, and for what is not there', async () => {
    const { letter } = await one();
    const edit = (id: string, body: unknown) => ask(url, 'POST', `/dead-letters/${encodeURIComponent(id)}/edit`, body);
    const refused = await edit(letter, { ...audit, data: { step: 'payment' } });
    expect(refused).toMatchObject({ status: 409, body: { code: 'REFUSED', detail: expect.stringContaining('reads its order') } });
    expect((await ask(url, 'GET', `/dead-letters/${encodeURIComponent(letter)}`)).body).toMatchObject({ state: 'dead', generation: 0 });
    expect((await edit('none', { ...audit, data: 1 })).status).toBe(404);
    expect((await edit(letter, audit)).body.errors).toEqual([expect.objectContaining({ field: 'data' })]);
    expect((await edit(letter, { data: 1, by: 'ops' })).body.errors).toEqual([expect.objectContaining({ field: 'reason' })]);
  });
});

describe('redriving many', () => {
  it('counts on a dry run, then redrives what the filter matches', async () => {
    const some = await stalled(5);
    const mine = some[0]?.orderId;
    const single = { ...audit, filter: { orderId: mine } };
    expect(await ask(url, 'POST', '/dead-letters/redrive', { ...single, dryRun: true })).toMatchObject({
      status: 202,
      body: { matched: 1, redriven: 0 },
    });
    expect((await ask(url, 'GET', `/orders/${mine}`)).body.status).toBe('stalled');
    expect((await ask(url, 'POST', '/dead-letters/redrive', single)).body).toEqual({ matched: 1, redriven: 1 });

    const page = await ask(url, 'POST', '/dead-letters/redrive', { ...audit, filter: { subscription: 'payment', limit: 2 } });
    expect(page.body).toEqual({ matched: 2, redriven: 2 });
    expect((await ask(url, 'POST', '/dead-letters/redrive', { ...audit, filter: { type: 'InventoryRequested' } })).body).toEqual({
      matched: 0,
      redriven: 0,
    });
    const rest = await ask(url, 'POST', '/dead-letters/redrive', { ...audit, filter: {} });
    expect(rest.status).toBe(202);
    expect(rest.body.redriven).toBeGreaterThanOrEqual(2);
    for (const { orderId } of some) expect((await settled(url, orderId)).status).toBe('confirmed');
  });

  it.each([
    [{ ...audit }, 'filter'],
    [{ ...audit, filter: { stream: 'x' } }, 'filter.stream'],
    [{ ...audit, filter: { limit: 501 } }, 'filter.limit'],
    [{ ...audit, filter: {}, dryRun: 'yes' }, 'dryRun'],
    [{ filter: {} }, 'by'],
  ])('names what it can not take: %j', async (body, field) => {
    const answer = await ask(url, 'POST', '/dead-letters/redrive', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });

  it.each(['limit=0', 'cursor=abc', 'stream=x', 'subscription=a&subscription=b'])('and lists with ?%s', async (query) => {
    expect((await ask(url, 'GET', `/dead-letters?${query}`)).status).toBe(400);
  });

  it('lists page by page', async () => {
    await stalled(3);
    const first = (await ask(url, 'GET', '/dead-letters?limit=2&cursor=&type=')).body;
    expect(first.deadLetters).toHaveLength(2);
    const second = (await ask(url, 'GET', `/dead-letters?limit=500&cursor=${first.nextCursor}`)).body;
    const ids = [...first.deadLetters, ...second.deadLetters].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cursorOfOrders = (await ask(url, 'GET', '/orders?limit=1')).body.nextCursor;
    expect((await ask(url, 'GET', `/dead-letters?cursor=${cursorOfOrders}`)).status).toBe(400);
  });
});

describe('the traceparent of a request', () => {
  const [placing, cancelling] = [
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
  ];
  const tracesOf = (orderId: string, paths: RegExp) =>
    new Set(
      server.books.calls.filter(({ key, path }) => key.startsWith(orderId) && paths.test(path)).map(({ traceparent }) => traceparent),
    );

  it('goes with every call for the order it placed', async () => {
    const { body } = await ask(url, 'POST', '/orders', book, { traceparent: placing });
    expect((await settled(url, body.orderId)).status).toBe('confirmed');
    expect(tracesOf(body.orderId, /charges|reservations|notifications/)).toEqual(new Set([placing]));
  });

  it('goes with the undos of the order it cancelled', async () => {
    broken.set('*', 'lose');
    const { body } = await ask(url, 'POST', '/orders', book, { traceparent: placing });
    const isStalled = ({ body: order }: Awaited<ReturnType<typeof ask>>) =>
      order.status === 'stalled' && order.steps.inventory.status === 'succeeded';
    await eventually(() => ask(url, 'GET', `/orders/${body.orderId}`), isStalled);
    broken.delete('*');
    await ask(url, 'POST', `/orders/${body.orderId}/cancel`, { reason: 'changed my mind' }, { traceparent: cancelling });
    expect((await settled(url, body.orderId)).status).toBe('cancelled');
    expect(tracesOf(body.orderId, /refunds|^\/reservations\/./)).toEqual(new Set([cancelling]));
  });

  it.each(['no trace', `${placing}, ${cancelling}`, placing?.toUpperCase()])('is left out where it is none: %s', async (header = '') => {
    const { status, body } = await ask(url, 'POST', '/orders', book, { traceparent: header });
    expect(status).toBe(202);
    await settled(url, body.orderId);
    expect(tracesOf(body.orderId, /./)).toEqual(new Set([undefined]));
  });
});

describe('cancelling', () => {
  it('takes back what was done, and is the same when asked again', async () => {
    const { orderId } = await one();
    const cancel = () => ask(url, 'POST', `/orders/${orderId}/cancel`, { reason: 'changed my mind' });
    const first = await cancel();
    expect(first.status).toBe(202);
    expect(first.body).toMatchObject({ orderId, totalMinor: 2500, version: expect.any(Number) });
    expect(['cancelling', 'cancelled']).toContain(first.body.status);
    const order = await settled(url, orderId);
    expect(order).toMatchObject({ status: 'cancelled', reason: 'changed my mind' });
    expect(await cancel()).toMatchObject({ status: 202, body: { status: 'cancelled', version: order.version } });
    expect(server.audit([{ orderId, status: 'cancelled', totalMinor: 2500 }])).toEqual([]);
  });

  it('refunds a charge whose reply was lost', async () => {
    broken.set('*', 'lose');
    const { orderId } = (await ask(url, 'POST', '/orders', book)).body;
    const { body } = await eventually(
      () => ask(url, 'GET', `/orders/${orderId}`),
      (answer) => answer.body.steps.payment.status !== 'requested',
    );
    expect(['unknown', 'dead']).toContain(body.steps.payment.status);
    await ask(url, 'POST', `/orders/${orderId}/cancel`, { reason: 'never mind' });
    broken.delete('*');
    expect((await settled(url, orderId)).status).toBe('cancelled');
    expect(server.audit([{ orderId, status: 'cancelled', totalMinor: 2500 }])).toEqual([]);
  });

  it('comes too late for a confirmed order, and finds none that is not there', async () => {
    const { orderId } = (await ask(url, 'POST', '/orders', book)).body;
    await settled(url, orderId);
    expect(await ask(url, 'POST', `/orders/${orderId}/cancel`, { reason: 'late' })).toMatchObject({
      status: 409,
      body: { code: 'TOO_LATE' },
    });
    expect((await ask(url, 'POST', '/orders/none/cancel', { reason: 'x' })).status).toBe(404);
    expect((await ask(url, 'POST', `/orders/${orderId}/cancel`, {})).body.errors).toEqual([expect.objectContaining({ field: 'reason' })]);
  });
});

describe('who is an operator', () => {
  const routes = [
    ['GET', '/dead-letters', undefined],
    ['GET', '/dead-letters/x', undefined],
    ['POST', '/dead-letters/x/redrive', audit],
    ['POST', '/dead-letters/x/discard', audit],
    ['POST', '/dead-letters/x/edit', { ...audit, data: 1 }],
    ['GET', '/dead-letters/causes', undefined],
    ['POST', '/dead-letters/redrive', { ...audit, filter: {} }],
    ['POST', '/orders/x/cancel', { reason: 'x' }],
  ] as const;
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address !== undefined && !address.internal && address.family === 'IPv4')?.address;

  it('is whoever has the token, and nobody else, from this machine or not', async () => {
    const guarded = await workshop
      .start('api.mjs', { ...SMOOTH, DATABASE_URL: workshop.database('guarded.db'), ADMIN_TOKEN: 's3cret' })
      .url();
    for (const [method, target, body] of routes) {
      const none = await ask(guarded, method, target, body);
      expect(none.status).toBe(401);
      expect(none.headers.get('www-authenticate')).toBe('Bearer');
      for (const authorization of ['Bearer wrong', 'Bearer s3cre', 'Bearer s3crets', 'Basic s3cret', 's3cret', 'Bearer ']) {
        expect((await ask(guarded, method, target, body, { authorization })).status).toBe(401);
      }
      const let_in = await ask(guarded, method, target, body, { authorization: 'Bearer s3cret' });
      expect([200, 202, 404]).toContain(let_in.status);
    }
    // Unreadable bodies tell a stranger nothing either, and customers need no token.
    expect((await ask(guarded, 'POST', '/dead-letters/redrive', '{', {})).status).toBe(401);
    expect((await ask(guarded, 'POST', '/orders', book)).status).toBe(202);
  });

  it('is nobody who comes under a name that was made to point here', async () => {
    const { port } = new URL(url);
    for (const [host, status] of [
      ['evil.example', 403],
      ['localhost', 200],
      [`127.0.0.1:${port}`, 200],
    ] as const) {
      const answered = await new Promise((resolve, reject) => {
        get(`${url}/dead-letters`, { headers: { host } }, (response) => resolve(response.resume().statusCode)).on('error', reject);
      });
      expect(answered).toBe(status);
    }
  });

  it.skipIf(outside === undefined)('is only who is on this machine where there is no token', async () => {
    const open = workshop.start('api.mjs', { ...SMOOTH, DATABASE_URL: workshop.database('open.db'), HOST: '0.0.0.0' });
    const { port } = new URL(await open.url());
    for (const [method, target, body] of routes) {
      const stranger = await ask(`http://${outside}:${port}`, method, target, body, { 'x-forwarded-for': '127.0.0.1' });
      expect(stranger.status).toBe(403);
      expect([200, 202, 404]).toContain((await ask(`http://127.0.0.1:${port}`, method, target, body)).status);
    }
    expect((await ask(`http://${outside}:${port}`, 'POST', '/orders', book)).status).toBe(202);
  });
});
