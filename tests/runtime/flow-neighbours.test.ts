import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { busCluster, type Handle, type Subscriptions } from '../support/bus-cluster.ts';

const BACKLOG = 10_000;

/** What keeps a subscription from its backlog. */
const burdens: Readonly<Record<string, Subscriptions[string]>> = {
  'is slow': { handle: (_, process) => process.sleep(5000), concurrency: 4, timeoutMs: 60_000 },
  'is limited in its rate': { handle: () => {}, rateLimit: { count: 5, perMs: 1000 } },
  'is paused': { handle: () => {} },
  'has a breaker that is open': {
    handle: () => {
      throw new Error('503');
    },
    retry: RetryPolicy.fixed({ delayMs: 1000 }),
    breaker: {},
  },
};

describe('the neighbour of a subscription that is 10,000 events behind', () => {
  it.each(Object.keys(burdens))(
    'R15 R27 starts what is published at once although that one %s',
    async (burden) => {
      const startedAt = new Map<string, number>();
      const quick: Handle = ({ data }, process) => void startedAt.set((data as { name: string }).name, process.system.monotonic());
      const behind = burdens[burden] as Subscriptions[string];
      const { system, member, publishMany, publish } = busCluster({ behind, quick: { handle: quick } }, { shards: 4 });
      const worker = member('w');
      if (burden === 'is paused') await system.run(worker.bus.pause({ subscription: 'behind' }, { by: 'anna', reason: 'no paper' }));
      for (let round = 0; round < BACKLOG / 1000; round += 1) await publishMany(1000, 250);
      await worker.work({ concurrency: 16 });
      await system.advance(2000);
      const { backlog = 0, scheduled = 0 } = (await system.run(worker.bus.counts())).subscriptions.behind ?? {};
      expect(backlog + scheduled).toBeGreaterThan(BACKLOG - 100);
      for (let index = 0; index < 50; index += 1) {
        const at = system.monotonic();
        await publish(`s${index}`, `n${index}`);
        await system.advance(37);
        expect((startedAt.get(`n${index}`) ?? Number.POSITIVE_INFINITY) - at).toBeLessThan(2);
      }
      await system.run(worker.bus.close(), 60_000);
    },
    60_000,
  );
});
