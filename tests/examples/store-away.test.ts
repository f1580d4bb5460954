import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startProducer } from '../../examples/producer.ts';
import type { ShopOrders } from '../../examples/saga.ts';
import { readSettings } from '../../examples/settings.ts';
import { type ErrorCode, OrderfoldError } from '../../src/core/errors.ts';
import { ask, book } from './processes.ts';

let fault: unknown;
const failing = async (): Promise<never> => {
  throw fault;
};
const listeners = new Map<string, (fact: unknown) => void>();
const { settings } = readSettings({ PORT: '0' });
let producer: Awaited<ReturnType<typeof startProducer>>;

beforeAll(async () => {
  const deadLetters = { list: failing, get: failing, redrive: failing, discard: failing };
  const methods = ['place', 'get', 'events', 'timeline', 'list', 'cancel'].map((name) => [name, failing]);
  const counts = async () => (fault === undefined ? { streams: {}, subscriptions: {} } : failing());
  const on = (name: string, listener: (fact: unknown) => void) => listeners.set(name, listener);
  const orders = { ...Object.fromEntries(methods), counts, on, deadLetters, open: async () => undefined };
  producer = await startProducer(orders as unknown as ShopOrders, settings);
});
afterAll(() => producer.close());

const requests = [
  ['POST', '/orders', book],
  ['GET', '/orders', undefined],
  ['GET', '/orders/x', undefined],
  ['GET', '/orders/x/events', undefined],
  ['GET', '/orders/x/timeline', undefined],
  ['POST', '/orders/x/cancel', { reason: 'x' }],
  ['GET', '/dead-letters', undefined],
  ['GET', '/dead-letters/x', undefined],
  ['POST', '/dead-letters/x/redrive', { by: 'a', reason: 'b' }],
  ['POST', '/dead-letters/x/discard', { by: 'a', reason: 'b' }],
  ['POST', '/dead-letters/redrive', { by: 'a', reason: 'b', filter: {} }],
  ['GET', '/readyz', undefined],
] as const;

describe('while the store is away', () => {
  it.each(['STORE', 'BUSY', 'CLOSED'] satisfies ErrorCode[])('everything that needs it answers 503 with Retry-After (%s)', async (code) => {
    fault = new OrderfoldError(code, 'the disk is full at /secret/path');
    for (const [method, target, body] of requests) {
      const answer = await ask(producer.url, method, target, body);
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answer.body.detail.length).toBeGreaterThan(10);
    }
  });

  it('readiness gives the reason, and liveness and metrics stay', async () => {
    fault = new OrderfoldError('STORE', 'the disk is full');
    expect((await ask(producer.url, 'GET', '/readyz')).body.detail).toBe('the store does not answer: the disk is full');
    expect((await ask(producer.url, 'GET', '/healthz')).status).toBe(200);
    const { status, text } = await ask(producer.url, 'GET', '/metrics');
    expect(status).toBe(200);
    expect(text).toMatch(/^orderfold_store_up 0$/m);
    expect(text).not.toContain('orderfold_orders');
  });

  it('is not ready while nothing can be written, though all can be read', async () => {
    fault = undefined;
    const ready = async () => (await ask(producer.url, 'GET', '/readyz')).status;
    expect(await ready()).toBe(200);
    listeners.get('storeAway')?.({ error: { message: 'the disk is full' } });
    expect(await ready()).toBe(503);
    listeners.get('storeBack')?.({});
    expect(await ready()).toBe(200);
  });
});

describe('an error nobody expected', () => {
  it('is a 500 that tells nothing, and one line in the log', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    fault = new Error('the password is hunter2\nand\u001b[31m more');
    const { status, text } = await ask(producer.url, 'GET', '/orders/x');
    expect(status).toBe(500);
    expect(text).not.toContain('hunter2');
    expect(log).toHaveBeenCalledTimes(1);
    expect(log.mock.calls[0]?.[0]).toMatch(/^error Error the password/);
    for (const control of ['\n', '\u001b']) expect(log.mock.calls[0]?.[0]).not.toContain(control);
    log.mockRestore();
  });
});
