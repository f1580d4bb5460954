import { CountBreaker } from 'cockatiel';
import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { permanent } from '../../src/core/permanent.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { refused } from '../../src/order/refused.ts';
import { OrderSaga } from '../../src/order/saga.ts';
import { createOrdersOn } from '../../src/runtime/orders.ts';
import type { SubscribeOptions } from '../../src/runtime/subscription.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { busCluster, type Events, type Handle, type Member } from '../support/bus-cluster.ts';

const thrice = RetryPolicy.fixed({ delayMs: 50 }).maxAttempts(3);
const steady = RetryPolicy.fixed({ delayMs: 1000 });

/** A service that is down or up, and what its callers notice. */
const service = (
  options: Partial<Omit<SubscribeOptions<Events>, 'on'>> = {},
  { latencyMs = 10, fails = () => true as boolean }: { readonly latencyMs?: number; readonly fails?: (stream: string) => boolean } = {},
) => {
  const state = { down: true };
  const calls: { readonly stream: string; readonly id: string; readonly at: number; readonly worker: string; endedAt: number }[] = [];
  const handle: Handle = async ({ stream, id }, process) => {
    const call = { stream, id, at: process.system.monotonic(), worker: process.name, endedAt: Number.POSITIVE_INFINITY };
    calls.push(call);
    await process.sleep(latencyMs);
    call.endedAt = process.system.monotonic();
    if (state.down && fails(stream)) throw new Error('503');
  };
  const cluster = busCluster({ mail: { retry: thrice, breaker: { trip: 5, pause: steady }, ...options, handle } });
  const told: string[] = [];
  const worker = (name = 'w'): Member => {
    const member = cluster.member(name);
    member.bus.on('breakerOpened', ({ subscription, pauseMs }) => told.push(`${name} ${subscription} opened for ${pauseMs}`));
    member.bus.on('breakerClosed', ({ subscription }) => told.push(`${name} ${subscription} closed`));
    return member;
  };
  return { ...cluster, state, calls, told, worker };
};

const attemptsOf = ({ witness }: ReturnType<typeof service>): readonly number[] =>
  [...witness.parked.values()].map(({ attempts }) => attempts);

describe('a breaker', () => {
  it('opens when as many streams fail as it says, spends no attempt while it is open, and lets everything run once a probe succeeds', async () => {
    const down = service();
    const { system, witness, calls, told, state, publishMany, worker } = down;
    await worker().work({ concurrency: 1 });
    await publishMany(40);
    await system.advance(600);
    expect(told).toEqual(['w mail opened for 1000']);
    expect(calls.map(({ stream }) => stream)).toEqual(['s0', 's1', 's2', 's3', 's4']);
    await system.advance(60_000);
    expect(calls.length).toBeGreaterThan(50);
    expect(attemptsOf(down).filter((attempts) => attempts > 0)).toEqual([1, 1, 1, 1, 1]);
    state.down = false;
    await system.advance(3000);
    expect(told.at(-1)).toBe('w mail closed');
    expect([...witness.events.values()].flat().every((event) => witness.isDone('mail', event))).toBe(true);
    expect([...witness.parked.values()].every((record) => record.state === 'done')).toBe(true);
    expect(attemptsOf(down).reduce((sum, attempts) => sum + attempts, 0)).toBe(5);
  });

  it('probes with one delivery at a time, each time another one, and keeps the failed probe as a start without an outcome', async () => {
    const { system, calls, told, publishMany, worker } = service();
    const member = worker();
    await member.work({ concurrency: 8 });
    await publishMany(60);
    await system.advance(30_000);
    const probes = calls.filter(({ at }) => at > 900);
    expect(probes.length).toBeGreaterThan(20);
    for (const [index, { at, stream }] of probes.entries()) {
      const before = probes[index - 1];
      if (before === undefined) continue;
      expect(at).toBeGreaterThanOrEqual(before.endedAt + 1000);
      expect(stream).not.toBe(before.stream);
    }
    expect(new Set(probes.map(({ stream }) => stream)).size).toBe(Math.min(probes.length, 60));
    expect(told).toHaveLength(probes.length + 1);
    const parked = await system.run(member.bus.parkedOf(probes[0]?.stream ?? '', 'all'));
    expect(parked.map(({ attempts, lostStarts }) => [attempts, lostStarts])).toEqual([[0, 0]]);
    expect(JSON.parse(parked[0]?.detail ?? '')).toMatchObject({ lost: [{ how: 'probe', worker: expect.any(String) }] });
  });

  it('waits between probes as its policy says, and begins anew the next time it opens', async () => {
    const { system, state, told, publishMany, worker } = service({
      breaker: { trip: 2, pause: RetryPolicy.exponential({ baseMs: 100, capMs: 1500, jitter: 'none' }) },
    });
    await worker().work();
    await publishMany(50);
    await system.advance(6000);
    expect(told.slice(0, 6).map((line) => Number(line.split(' ').at(-1)))).toEqual([100, 200, 400, 800, 1500, 1500]);
    state.down = false;
    await system.advance(5000);
    expect(told.at(-1)).toBe('w mail closed');
    state.down = true;
    await publishMany(50);
    await system.advance(50);
    expect(told.at(-1)).toBe('w mail opened for 100');
  });

  it('R3 one stream that fails alone never opens it: its delivery goes through its attempts to its death', async () => {
    const only = service({ breaker: { trip: 2 } }, { fails: (stream) => stream === 'bad' });
    const { system, witness, told, publish, publishMany, worker } = only;
    await worker().work();
    await publish('bad', 'a');
    await system.advance(1000);
    expect(witness.parked.get('mail:bad@1')).toMatchObject({ state: 'dead', attempts: 3 });
    for (let round = 0; round < 5; round += 1) {
      await publish(`fine${round}`, 'x');
      await publish('worse', 'b');
      await system.advance(500);
    }
    await publishMany(20);
    await system.advance(1000);
    expect(told).toEqual([]);
  });

  it('permanent errors are answers: they open nothing, and a probe that gets one closes it', async () => {
    let error: unknown = permanent('no such account');
    const { system, witness, member, publishMany, starts } = busCluster({
      mail: {
        retry: thrice,
        breaker: { trip: 3, pause: steady },
        onDead: 'continue',
        handle: () => {
          throw error;
        },
      },
    });
    const worker = member('w');
    const told: string[] = [];
    for (const name of ['breakerOpened', 'breakerClosed'] as const) worker.bus.on(name, () => told.push(name));
    await worker.work({ concurrency: 1 });
    await publishMany(10);
    await system.advance(1000);
    expect([told, starts.length]).toEqual([[], 10]);
    error = new Error('503');
    await publishMany(10);
    await system.advance(500);
    expect([told, starts.length]).toEqual([['breakerOpened'], 13]);
    error = permanent('no such account');
    await system.advance(5000);
    expect(told).toEqual(['breakerOpened', 'breakerClosed']);
    expect([...witness.parked.values()].every(({ state }) => state === 'dead')).toBe(true);
  });

  it("takes a rule of one's own, such as cockatiel's CountBreaker, a new one for each process", async () => {
    const made: CountBreaker[] = [];
    const { system, state, told, publishMany, worker } = service({
      breaker: {
        trip: () => {
          const rule = new CountBreaker({ threshold: 0.5, size: 20 });
          made.push(rule);
          return rule;
        },
        pause: steady,
      },
    });
    state.down = false;
    await worker().work({ concurrency: 1 });
    await publishMany(12);
    await system.advance(2000);
    state.down = true;
    await publishMany(30);
    await system.advance(95);
    expect(told).toEqual([]);
    await system.advance(200);
    expect(told).toEqual(['w mail opened for 1000']);
    state.down = false;
    await system.advance(2000);
    expect(told.at(-1)).toBe('w mail closed');
    await worker('w2').work();
    expect(made).toHaveLength(2);
  });

  it('goes on under a rule that throws, as if it had said nothing', async () => {
    const broken = (): never => {
      throw new Error('a bad rule');
    };
    const trip = () => ({ success: broken, failure: broken });
    const { system, member, publish, starts } = busCluster({ mail: { handle: () => {}, retry: thrice, breaker: { trip, pause: steady } } });
    const worker = member('w');
    await worker.work();
    await publish('s', 'a', 'b');
    await system.advance(1000);
    expect(starts).toEqual(['mail:a.0.1', 'mail:b.0.1']);
    await system.run(worker.bus.close());
  });

  it('R5 R10 a process that dies with a probe out costs that delivery no attempt, and the next one probes for itself', async () => {
    const down = service({ breaker: { trip: 2, pause: steady } });
    const { system, witness, calls, state, publishMany, worker } = down;
    const first = worker('w1');
    await first.work({ concurrency: 1 });
    await publishMany(10);
    await system.advance(900);
    const before = calls.length;
    while (calls.length === before) await system.advance(1);
    first.crash();
    const spent = attemptsOf(down).reduce((sum, attempts) => sum + attempts, 0);
    expect(spent).toBe(2);
    await worker('w2').work({ concurrency: 1 });
    await system.advance(30_000);
    expect(attemptsOf(down).reduce((sum, attempts) => sum + attempts, 0)).toBe(spent + 2);
    state.down = false;
    await system.advance(5000);
    expect([...witness.events.values()].flat().every((event) => witness.isDone('mail', event))).toBe(true);
    expect([...witness.parked.values()].every((record) => record.state === 'done')).toBe(true);
  });

  it('R25 a worker stops while it is open, and with a probe out, and no timer is left', async () => {
    for (const waitMs of [500, 1013]) {
      const down = service({ breaker: { trip: 2, pause: steady } });
      const { system, publishMany, worker } = down;
      const member = worker();
      await member.work({ concurrency: 1 });
      await publishMany(10);
      await system.advance(waitMs);
      await system.run(member.bus.close(), 2000);
      await system.advance(1);
      expect(attemptsOf(down).reduce((sum, attempts) => sum + attempts, 0)).toBe(2);
      await system.advance(100);
      expect(system.pending).toBe(0);
    }
  });

  it('R16 what turns out to wait behind an earlier one is no probe, and keeps nobody from being it', async () => {
    // Longer than the breaker waits, so that those behind the first failures are at the head when it is time to probe.
    const down = service({ retry: RetryPolicy.fixed({ delayMs: 3500 }).maxAttempts(3) });
    const { system, witness, state, told, publishMany, worker } = down;
    await worker().work({ concurrency: 4 });
    await publishMany(60, 6);
    await system.advance(20_000);
    const opened = told.length;
    expect(opened).toBeGreaterThan(10);
    state.down = false;
    await system.advance(5000);
    expect(told).toHaveLength(opened + 1);
    expect([...witness.events.values()].flat().every((event) => witness.isDone('mail', event))).toBe(true);
    expect(Math.max(...attemptsOf(down))).toBe(1);
  });

  it('does not stop another subscription, and is of one process: each finds out for itself', async () => {
    const { system, member, publishMany, starts } = busCluster(
      {
        mail: {
          retry: RetryPolicy.fixed({ delayMs: 50 }),
          breaker: { trip: 2, pause: steady },
          handle: () => {
            throw new Error('503');
          },
        },
        stock: { handle: () => {} },
      },
      { shards: 4 },
    );
    for (const name of ['w1', 'w2']) await member(name).work({ concurrency: 1 });
    await system.advance(3000);
    await publishMany(100);
    await system.advance(500);
    expect(starts.filter((start) => start.startsWith('stock'))).toHaveLength(100);
    expect(starts.filter((start) => start.startsWith('mail'))).toHaveLength(4);
  });
});

const order = { customerId: 'c', currency: 'EUR', items: [{ sku: 'tea', quantity: 1, unitPriceMinor: 5 }] };

describe('orders that are all refused', () => {
  it('open nothing: a no is an answer', async () => {
    const system = virtualSystem();
    const saga = OrderSaga.define().step('payment', { do: () => refused('declined'), undo: 'nothing', breaker: { trip: 1 } });
    const orders = createOrdersOn(system, { store: createMemoryStore(system, 1), saga });
    const opened: string[] = [];
    orders.on('breakerOpened', ({ subscription }) => opened.push(subscription));
    await system.run(orders.worker().start());
    for (let index = 0; index < 5; index += 1) await system.run(orders.place(order));
    await system.advance(1000);
    expect([opened, (await system.run(orders.counts())).streams.cancelled]).toEqual([[], 5]);
    await system.run(orders.close());
  });
});

describe('orders whose payment is down for hours', () => {
  it('are all confirmed once it is back, and none is dead', async () => {
    const system = virtualSystem();
    let down = true;
    let calls = 0;
    const saga = OrderSaga.define()
      .step('payment', {
        do: ({ orderId }) => {
          calls += 1;
          if (down) throw new Error('503');
          return { chargeId: orderId };
        },
        undo: () => {},
        retry: RetryPolicy.exponential({ baseMs: 200, capMs: 60_000 }).maxAttempts(6),
        breaker: {},
        concurrency: 8,
      })
      .step('post', { after: ['payment'], do: () => 'sent', undo: 'irreversible', rateLimit: { count: 10, perMs: 1000 } });
    const orders = createOrdersOn(system, { store: createMemoryStore(system, 4), saga });
    await system.run(orders.worker().start());
    const ids: string[] = [];
    const dead: string[] = [];
    orders.on('dead', ({ id }) => dead.push(id));
    for (let index = 0; index < 50; index += 1) {
      const placed = await system.run(orders.place(order));
      if (isRight(placed)) ids.push(placed.right.orderId);
    }
    await system.advance(4 * 3_600_000);
    expect(calls).toBeLessThan(500);
    down = false;
    await system.advance(120_000);
    for (const id of ids) expect((await system.run(orders.get(id)))?.status).toBe('confirmed');
    expect([ids.length, dead]).toEqual([50, []]);
    await system.run(orders.close());
    await system.advance(1000);
    expect(system.pending).toBe(0);
  });
});
