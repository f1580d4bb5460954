import { isLeft } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { refused } from '../../src/order/refused.ts';
import { OrderSaga } from '../../src/order/saga.ts';
import { audit } from '../../src/testing/audit.ts';
import { testApp, testBus } from '../../src/testing/test-app.ts';

const request = { customerId: 'c1', currency: 'EUR', items: [{ sku: 'a', quantity: 1, unitPriceMinor: 990 }] };
const HOUR = 3_600_000;

/** A shop whose payment fails so often, with an hour between the attempts. */
const shop = ({ failures = 0, attempts = 6, deadlineMs = 24 * HOUR, soldOut = false } = {}) => {
  const calls: string[] = [];
  const saga = OrderSaga.define({ deadlineMs })
    .step('payment', {
      do: async ({ effectKey, attempt, order }) => {
        calls.push(`charge ${effectKey} ${attempt}`);
        if (calls.length <= failures) throw new Error('the gateway is down');
        return { chargeId: `ch_${order.totalMinor}` };
      },
      undo: ({ result }) => void calls.push(`refund ${result.chargeId}`),
      retry: RetryPolicy.fixed({ delayMs: HOUR }).maxAttempts(attempts),
    })
    .step('inventory', { after: ['payment'], do: () => (soldOut ? refused('sold out') : 1), undo: () => undefined });
  return { saga, calls };
};

const placedIn = async (app: Awaited<ReturnType<typeof testApp<ReturnType<typeof shop>['saga']>>>): Promise<string> => {
  const placed = await app.orders.place(request);
  if (isLeft(placed)) throw new Error(placed.left.message);
  return placed.right.orderId;
};

describe('a test app', () => {
  it('places with a plain await, runs the steps by itself, and has nothing left', async () => {
    await using app = await testApp({ saga: shop().saga });
    const orderId = await placedIn(app);
    expect(await app.settle()).toEqual([]);
    expect(await app.orders.get(orderId)).toMatchObject({ status: 'confirmed', steps: { payment: { result: { chargeId: 'ch_990' } } } });
  });

  it('moves time over retries that take hours, in milliseconds', async () => {
    const { saga, calls } = shop({ failures: 5 });
    await using app = await testApp({ saga });
    const from = app.clock.now();
    const orderId = await placedIn(app);
    const began = performance.now();
    expect(await app.settle()).toEqual([]);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(calls).toEqual([1, 2, 3, 4, 5, 6].map((attempt) => `charge ${orderId}:payment ${attempt}`));
    expect(app.clock.now() - from).toBeGreaterThanOrEqual(5 * HOUR);
    expect(app.clock.now() - from).toBeLessThan(5 * HOUR + 500);
  });

  it('gives dead letters as left, and goes on after a redrive', async () => {
    const { saga, calls } = shop({ failures: 2, attempts: 2 });
    await using app = await testApp({ saga });
    const orderId = await placedIn(app);
    const left = await app.settle();
    expect(left.map(({ stream, state }) => [stream, state])).toEqual([
      [orderId, 'dead'],
      [orderId, 'timer'],
    ]);
    const { deadLetters } = await app.orders.deadLetters.list();
    expect(deadLetters).toMatchObject([{ stream: orderId, subscription: 'payment' }]);
    await app.orders.deadLetters.redrive({ filter: {} }, { by: 'me', reason: 'it is back' });
    expect(await app.settle()).toEqual([]);
    expect(calls.at(-1)).toBe(`charge ${orderId}:payment 1`);
  });

  it('passes a deadline when the clock is put forward, and takes back what was done', async () => {
    const { saga, calls } = shop({ failures: 99, attempts: 99, deadlineMs: 90 * 60_000 });
    await using app = await testApp({ saga });
    const orderId = await placedIn(app);
    await app.clock.advance(80 * 60_000);
    expect(calls).toHaveLength(2);
    expect(await app.orders.get(orderId)).toMatchObject({ status: 'placed' });
    await app.clock.advance(10 * 60_000 + 1_000);
    expect(await app.orders.get(orderId)).toMatchObject({ status: 'cancelling', reason: 'the deadline passed' });
  });

  it('lets time pass for what is awaited, such as the end of an order that is refused in the second hour', async () => {
    const { saga, calls } = shop({ soldOut: true, failures: 1 });
    await using app = await testApp({ saga });
    const orderId = await placedIn(app);
    expect(await app.orders.settled(orderId)).toMatchObject({ status: 'cancelled', reason: 'sold out' });
    expect(calls).toEqual([`charge ${orderId}:payment 1`, `charge ${orderId}:payment 2`, 'refund ch_990']);
  });

  it('leaves deadlines alone, what is paused, and after its bound what never ends', async () => {
    const { saga } = shop({ failures: 999, attempts: 999, deadlineMs: 999 * HOUR });
    await using app = await testApp({ saga });
    const orderId = await placedIn(app);
    const moving = await app.settle({ withinMs: 10 * HOUR });
    expect(moving.map(({ state }) => state)).toEqual(['retry', 'timer']);
    await app.orders.pause({ orderId }, { by: 'me', reason: 'to look at it' });
    const paused = await app.settle();
    expect(paused.map(({ state }) => state).sort()).toEqual(['paused', 'timer']);
  });

  it('lets subscriptions and listeners be set up before anything runs', async () => {
    const seen: string[] = [];
    await using app = await testApp({
      saga: shop().saga,
      setUp: (orders) => {
        orders.subscribe('mail', { on: { OrderConfirmed: async ({ stream }) => void seen.push(`mail for ${stream}`) } });
        orders.on('appended', ({ events }) => void seen.push(...events.map(({ type }) => type)));
      },
    });
    const orderId = await placedIn(app);
    await app.settle();
    expect(seen).toContain('OrderConfirmed');
    expect(seen.at(-1)).toBe(`mail for ${orderId}`);
  });

  it('records what happened for an audit', async () => {
    const { saga } = shop({ failures: 2, attempts: 2 });
    await using app = await testApp({ saga });
    await placedIn(app);
    expect((await app.record()).stage).toBe('running');
    await app.settle();
    expect(await app.record()).toMatchObject({ stage: 'quiet', parked: [{ state: 'dead' }, { kind: 'timer' }] });
    await app.orders.deadLetters.redrive({ filter: {} }, { by: 'me', reason: 'it is back' });
    await app.settle();
    const run = await app.record();
    expect(run.stage).toBe('settled');
    const { checked, violations } = audit(run);
    expect(violations).toEqual([]);
    expect(checked).toMatchObject({ S5: 1, S10: 1, S17: 1, R3: 1, R19: 1, R20: 1 });
  });

  it('R30 gives the same run for the same seed, and another for another', async () => {
    const jittered = OrderSaga.define().step('payment', {
      do: ({ attempt }) => {
        if (attempt < 4) throw new Error('503');
        return attempt;
      },
      undo: 'nothing',
      retry: RetryPolicy.exponential({ baseMs: 60_000 }).maxAttempts(5),
    });
    const told = async (seed: number): Promise<string> => {
      await using app = await testApp({ saga: jittered, seed });
      await app.orders.place(request);
      await app.settle();
      const { streams, parked } = await app.record();
      return JSON.stringify([[...streams], parked]);
    };
    expect(await told(1)).toBe(await told(1));
    expect(await told(1)).not.toBe(await told(2));
  });

  it('refuses unknown options', async () => {
    await expect(testApp({ saga: shop().saga, sed: 1 } as never)).rejects.toThrow(/expected only the options saga, setUp, seed, startMs/);
  });
});

describe('a test bus', () => {
  it('tells what waits behind the dead from what waits for time', async () => {
    await using app = await testBus<{ A: number }>({
      setUp: (bus) => bus.subscribe('books', { on: { A: () => Promise.reject(new Error('503')) }, retry: RetryPolicy.never() }),
    });
    for (const data of [1, 2]) await app.bus.publish({ stream: 's', type: 'A', data });
    await app.bus.schedule({ stream: 's', type: 'A', data: 3 }, { delayMs: HOUR });
    expect((await app.settle()).map(({ id, state }) => `${id.replace(/#.*/, '')} ${state}`).sort()).toEqual([
      'books:s@1 dead',
      'books:s@2 held',
      'timers:s timer',
    ]);
  });

  it('retries, buries and redrives in no time', async () => {
    const runs: string[] = [];
    await using app = await testBus<{ UserSignedUp: { userId: string } }>({
      setUp: (bus) =>
        bus.subscribe('mail', {
          on: {
            UserSignedUp: async ({ data, generation, attempt }) => {
              runs.push(`${data.userId} ${generation}.${attempt}`);
              if (generation === 0) throw new Error('503');
            },
          },
          retry: RetryPolicy.fixed({ delayMs: HOUR }).maxAttempts(2),
        }),
    });
    await app.bus.publish({ stream: 'u1', type: 'UserSignedUp', data: { userId: 'u1' } });
    expect(await app.settle()).toMatchObject([{ stream: 'u1', state: 'dead' }]);
    await app.bus.deadLetters.redrive({ filter: {} }, { by: 'me', reason: 'it is back' });
    expect(await app.settle()).toEqual([]);
    expect(runs).toEqual(['u1 0.1', 'u1 0.2', 'u1 1.1']);
    expect(audit(await app.record()).violations).toEqual([]);
  });
});
