import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { shardOf } from '../../src/core/shard.ts';
import { busCluster } from '../support/bus-cluster.ts';

/** Far longer than any of these tests: nothing is found by a tick. */
const leaseMs = 60_000;

const streamIn = (shard: number): string => {
  for (let i = 0; ; i += 1) if (shardOf(`s${i}`, 2) === shard) return `s${i}`;
};

describe('reading the log', () => {
  it('a slow subscription that had room for a part of a page reads the rest of it', async () => {
    const { system, member, publishMany, starts } = busCluster({
      fast: { handle: () => {}, start: 'beginning' },
      slow: { handle: (_, process) => process.sleep(100), start: 'beginning', concurrency: 16 },
    });
    const worker = member('w');
    await worker.work({ concurrency: 64, leaseMs });
    await publishMany(201);
    await publishMany(500);
    await system.advance(8000);
    expect(starts.filter((start) => start.startsWith('fast'))).toHaveLength(701);
    expect(starts.filter((start) => start.startsWith('slow'))).toHaveLength(701);
  });

  it.each([100, 520, 600, 700])('news that comes while %i others are read is not forgotten', async (howMany) => {
    const { system, member, publish, starts } = busCluster({ mail: { handle: () => {}, start: 'beginning' } }, { shards: 2 });
    const api = member('other');
    const all = Array.from({ length: howMany }, (_, index) =>
      api.bus.publish({ stream: streamIn(0), type: 'Did', data: { name: `e${index}` } }),
    );
    await system.run(Promise.all(all));
    let asked = false;
    const news = (name: string): void => {
      if (name !== 'read' || asked) return;
      asked = true;
      system.setTimer(1, () => void api.bus.publish({ stream: streamIn(1), type: 'Did', data: { name: 'news' } }));
    };
    await member('w', { latencyMs: 2, asked: news }).work({ concurrency: 64, leaseMs });
    await system.advance(15_000);
    expect(starts).toHaveLength(howMany + 1);
    expect(starts).toContain('mail:news.0.1');
    await publish(streamIn(1), 'later');
  });

  it('R28 retries that waited behind a rate limit go on after the leases were lost and regained', async () => {
    let broken = true;
    const { system, member, publishMany, starts } = busCluster({
      mail: {
        handle: () => {
          if (broken) throw new Error('no');
        },
        retry: RetryPolicy.fixed({ delayMs: 1000 }),
        start: 'beginning',
        rateLimit: { count: 300, perMs: 60_000 },
      },
    });
    await publishMany(300);
    // Nothing runs when the leases end: all are due, more than half of what may be in hand, and wait for the next window.
    const faults = Array.from({ length: 12 }, (_, index) => ({ of: 'tick' as const, nth: 100 + index, kind: 'rejectBefore' as const }));
    await member('w', { faults }).work({ concurrency: 4, leaseMs: 300 });
    await system.advance(30_000);
    broken = false;
    expect(starts).toHaveLength(300);
    await system.advance(60_000);
    expect(starts).toHaveLength(600);
  });
});
