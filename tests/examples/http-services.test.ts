import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpServices } from '../../examples/services/http.ts';
import type { Services } from '../../examples/services/services.ts';
import { type PaymentServer, type Reaction, startPaymentServer } from '../support/payment-server.ts';

let server: PaymentServer;
let services: Services;
let keys = 0;

beforeAll(async () => {
  server = await startPaymentServer();
  services = httpServices({ url: new URL(server.url), timeoutMs: 150 });
});
afterEach(() => server.behave({ script: undefined, delayMs: 0 }));
afterAll(() => server.close());

const call = (key = `o:payment:${++keys}`, signal: AbortSignal = new AbortController().signal) => ({ key, signal });
const charge = { orderId: 'o', amountMinor: 2500, currency: 'EUR' };
const react = (reaction: Reaction) => server.behave({ script: () => reaction });
const PERMANENT = 'orderfold.permanent';

describe('the services over HTTP', () => {
  it('charge once per key, find the charge by its key, and refund it', async () => {
    const one = call();
    const { chargeId } = (await services.charge(charge, one)) as { chargeId: string };
    expect(await services.charge(charge, one)).toEqual({ chargeId });
    expect(await services.findCharge(one)).toEqual({ chargeId });
    expect(await services.findCharge(call())).toBeUndefined();
    const refund = call();
    await services.refund({ chargeId, amountMinor: 2500 }, refund);
    await services.refund({ chargeId, amountMinor: 2500 }, refund);
    expect(server.books.charges.get(one.key)).toMatchObject({ ...charge, refundedMinor: 2500 });
    expect(server.books.misuse).toEqual([]);
  });

  it('reserve and release, however often, and notify', async () => {
    const items = [{ sku: 'a', quantity: 1 }];
    const reserved = (await services.reserve({ orderId: 'o', items }, call('o:inventory'))) as { reservationId: string };
    await services.release(reserved, call('o:inventory:undo'));
    await services.release(reserved, call('o:inventory:undo'));
    expect(server.books.reservations.get('o:inventory')).toMatchObject({ orderId: 'o', released: true });
    await services.notify({ orderId: 'o', kind: 'confirmed' }, call('o:notification'));
    expect(server.books.notifications.get('o:notification')).toBe('o');
  });

  it('send the trace that they are part of, and no such header where there is none', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const [traced, untraced] = [{ ...call(), traceparent }, call()];
    for (const one of [traced, untraced]) {
      const { chargeId } = (await services.charge(charge, one)) as { chargeId: string };
      await services.findCharge(one);
      await services.refund({ chargeId, amountMinor: 1 }, one);
      await services.release((await services.reserve({ orderId: 'o', items: [] }, one)) as { reservationId: string }, one);
      await services.notify({ orderId: 'o', kind: 'confirmed' }, one);
    }
    const sent = ({ key }: { readonly key: string }) => server.books.calls.filter((served) => served.key === key);
    expect(sent(traced).map((served) => served.traceparent)).toEqual(Array(6).fill(traceparent));
    expect(sent(untraced).map((served) => 'traceparent' in served)).toEqual(Array(6).fill(false));
  });

  it('take 402 and 409 for a no, with its reason', async () => {
    react({ status: 402, body: { reason: 'no funds' } });
    expect(await services.charge(charge, call())).toMatchObject({ reason: 'no funds' });
    react({ status: 409, body: { reason: 'sold out' } });
    expect(await services.reserve({ orderId: 'o', items: [] }, call())).toMatchObject({ reason: 'sold out' });
    react(409);
    expect(await services.reserve({ orderId: 'o', items: [] }, call())).toMatchObject({ reason: 'the stock does not suffice' });
  });

  it.each([400, 401, 403, 404, 409, 422])('give up at once on a %i', async (status) => {
    react(status);
    await expect(services.charge(charge, call())).rejects.toMatchObject({ code: `HTTP_${status}`, [PERMANENT]: true });
  });

  it.each([301, 408, 429, 500, 502, 503])('may be asked again after a %i', async (status) => {
    react(status);
    const error = await services.charge(charge, call()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: `HTTP_${status}` });
    expect(error).not.toHaveProperty([PERMANENT]);
  });

  it('pass on what Retry-After asks for', async () => {
    server.behave({ retryAfterS: 7 });
    react('limit');
    await expect(services.charge(charge, call())).rejects.toMatchObject({ code: 'HTTP_429', retryAfterMs: 7000 });
  });

  it('tell silence, a cut connection and a lost reply by their codes, and the charge is found afterwards', async () => {
    react('silence');
    const [silent, lost] = [call(), call()];
    await expect(services.charge(charge, silent)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    react('lose');
    await expect(services.charge(charge, lost)).rejects.toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|UND_ERR_\w+)$/) });
    react('cut');
    await expect(services.charge(charge, call())).rejects.toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|UND_ERR_\w+)$/) });
    server.behave({ script: undefined });
    expect(await services.findCharge(silent)).toEqual({ chargeId: expect.any(String) });
    expect(await services.findCharge(lost)).toEqual({ chargeId: expect.any(String) });
  });

  it('end with the reason of whoever aborts them', async () => {
    server.behave({ delayMs: 1000 });
    const controller = new AbortController();
    const reason = new Error('the worker stops');
    const pending = services.charge(charge, call(undefined, controller.signal));
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
  });

  it.each([
    ['amountMinor', { chargeId: 'ch', amountMinor: 2499 }],
    ['currency', { chargeId: 'ch', currency: 'USD' }],
    ['orderId', { chargeId: 'ch', orderId: 'other' }],
  ])('take no answer that speaks of another %s', async (_, body) => {
    react({ status: 201, body });
    await expect(services.charge(charge, call())).rejects.toMatchObject({ code: 'WRONG_REPLY', [PERMANENT]: true });
  });

  it.each([[{ status: 201, body: {} }], [{ status: 201, body: { chargeId: 7 } }], [{ status: 200, body: ['x'.repeat(100_000)] }], [201]])(
    'ask again where a yes can not be read (%#)',
    async (reaction) => {
      react(reaction as Reaction);
      await expect(services.charge(charge, call())).rejects.toMatchObject({ code: 'LOST_REPLY' });
    },
  );
});
