import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { busCluster } from '../support/bus-cluster.ts';

/** The most of these times that lie in a window of that length, its end excluded. */
const mostWithin = (times: readonly number[], windowMs: number): number => {
  let most = 0;
  let from = 0;
  for (const [index, time] of times.entries()) {
    while (time - (times[from] ?? 0) >= windowMs - 1e-6) from += 1;
    most = Math.max(most, index - from + 1);
  }
  return most;
};

describe('concurrency of a subscription', () => {
  it('bounds its handlers in each worker, and others take the slots it leaves', async () => {
    const running = new Map<string, number>();
    const most = new Map<string, number>();
    const count = (key: string, by: number): void => {
      running.set(key, (running.get(key) ?? 0) + by);
      most.set(key, Math.max(most.get(key) ?? 0, running.get(key) ?? 0));
    };
    const handler = (name: string) => ({
      handle: async ({ version }: { readonly version: number }, process: { readonly name: string; sleep(ms: number): Promise<void> }) => {
        const keys = [`${process.name} ${name}`, process.name];
        for (const key of keys) count(key, 1);
        await process.sleep(20);
        for (const key of keys) count(key, -1);
        if (version % 2 === 0 && name === 'bounded') throw new Error('not now');
      },
    });
    const { system, member, publishMany, starts } = busCluster(
      {
        bounded: { ...handler('bounded'), concurrency: 2, retry: RetryPolicy.fixed({ delayMs: 5 }).maxAttempts(2) },
        free: handler('free'),
      },
      { shards: 4 },
    );
    for (const name of ['w1', 'w2']) await member(name).work({ concurrency: 6 });
    await system.advance(3000);
    await publishMany(100, 40);
    await system.advance(5000);
    expect(starts.length).toBeGreaterThan(200);
    for (const worker of ['w1', 'w2']) {
      expect([most.get(`${worker} bounded`), most.get(worker)]).toEqual([2, 6]);
      expect(most.get(`${worker} free`)).toBeGreaterThan(3);
    }
  });
});

describe('the rate limit of a subscription', () => {
  it('in any window no more handlers start than it says, over all workers, retries and lookups included; what must wait for another takes no part of it', async () => {
    const given = fc.record({
      seed: fc.nat(),
      count: fc.integer({ min: 1, max: 9 }),
      perMs: fc.constantFrom(40, 100, 333),
      workers: fc.integer({ min: 1, max: 3 }),
      shards: fc.integer({ min: 1, max: 4 }),
      latencyMs: fc.constantFrom(0, 5),
      failing: fc.constantFrom(0, 3),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ seed, count, perMs, workers, shards, latencyMs, failing }) => {
        const times: number[] = [];
        const { system, witness, member, publishMany } = busCluster(
          {
            mail: {
              rateLimit: { count, perMs },
              retry: RetryPolicy.fixed({ delayMs: 7 }).maxAttempts(2),
              handle: async ({ version, attempt }, process) => {
                times.push(process.system.monotonic());
                await process.sleep(3);
                if (failing > 0 && version % failing === 0 && attempt === 1) throw new Error('not now');
              },
            },
          },
          { seed, shards },
        );
        for (let index = 0; index < workers; index += 1) await member(`w${index}`, { latencyMs }).work({ leaseMs: 600 });
        await system.advance(3000);
        const begun = system.monotonic();
        await publishMany(40, 8);
        await system.advance(perMs * 150 + 1000);
        expect(witness.faults).toEqual([]);
        expect(times).toHaveLength(failing === 0 ? 40 : 48);
        // One of each worker has to be let through at some time.
        expect(mostWithin(times, perMs)).toBeLessThanOrEqual(Math.max(count, Math.min(workers, shards)));
        if (workers === 1 && failing === 0) {
          const fastest = (Math.ceil(40 / count) - 1) * perMs;
          expect((times.at(-1) ?? 0) - begun).toBeLessThan(fastest + 50 + 8 * latencyMs * 5);
          expect((times.at(-1) ?? 0) - begun).toBeGreaterThanOrEqual(fastest - 1e-6);
        }
      }),
      { numRuns: Number(process.env.ORDERFOLD_RUNS ?? 60) },
    );
  }, 3_600_000);

  it('deliveries held behind a retry take no part of it', async () => {
    const times: string[] = [];
    const { system, member, publish } = busCluster({
      mail: {
        rateLimit: { count: 1, perMs: 1000 },
        retry: RetryPolicy.fixed({ delayMs: 60_000 }),
        handle: ({ data }, process) => {
          times.push(`${(data as { name: string }).name} ${Math.round(process.system.monotonic() / 1000)}`);
          if ((data as { name: string }).name === 'bad') throw new Error('no');
        },
      },
    });
    const worker = member('w');
    await worker.work();
    await publish('s', 'bad', 'b', 'c', 'd', 'e');
    await publish('t', 'x', 'y', 'z');
    await system.advance(5000);
    expect(times).toEqual(['bad 0', 'x 1', 'y 2', 'z 3']);
  });

  it('R25 a worker stops at once while it waits for its rate, and nothing is left', async () => {
    const { system, member, publishMany, starts } = busCluster({ mail: { rateLimit: { count: 1, perMs: 60_000 }, handle: () => {} } });
    const worker = member('w');
    await worker.work();
    await publishMany(5);
    await system.advance(10);
    await system.run(worker.bus.close(), 100);
    await system.advance(1);
    expect(starts).toHaveLength(1);
    await system.advance(1000);
    expect(system.pending).toBe(0);
  });

  it.each([
    [{ concurrency: 0 }, /concurrency to be a whole number of at least 1/],
    [{ rateLimit: { count: 0, perMs: 5 } }, /rateLimit: expected count/],
    [{ rateLimit: { count: 1, perMs: 0 } }, /rateLimit: expected perMs/],
    [{ rateLimit: { count: 1 } }, /rateLimit: expected perMs/],
    [{ breaker: { trip: 0 } }, /breaker: expected trip to be a whole number of at least 1, or a function/],
    [{ breaker: { pause: 5 } }, /breaker: expected pause/],
    [{ breaker: { trips: 5 } }, /expected only the options trip, pause/],
  ])('refuses %j', (options, message) => {
    expect(() => busCluster({ mail: { handle: () => {}, ...(options as object) } })).toThrow(message);
  });
});
