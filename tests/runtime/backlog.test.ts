import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { busCluster } from '../support/bus-cluster.ts';

/** More than a process reads ahead. */
const MANY = 1000;

describe('a backlog', () => {
  it('R27 is read no further ahead than the bound, and everything in it is handled', async () => {
    const { system, witness, member, publishMany, starts } = busCluster(
      { mail: { handle: (_, process) => process.sleep(10), start: 'beginning' } },
      { shards: 4 },
    );
    await publishMany(20_000, 5000);
    const read = [0, 0, 0, 0];
    let most = 0;
    const asked = (name: string, [shard, after, limit]: readonly unknown[]): void => {
      if (name !== 'read') return;
      read[shard as number] = (after as number) + (limit as number);
      most = Math.max(most, read.reduce((sum, position) => sum + position, 0) - starts.length);
    };
    await member('w', { asked }).work({ concurrency: 64, leaseMs: 10_000 });
    while (starts.length < 20_000) await system.advance(1000);
    await system.advance(1000);
    expect(starts).toHaveLength(20_000);
    expect(most).toBeLessThan(64 * 8 + 512);
    expect([...witness.events.values()].flat().every((event) => witness.isDone('mail', event))).toBe(true);
  });

  it('R27 R28 is read on after leases were lost with much of it in hand', async () => {
    const { system, member, publishMany, starts } = busCluster({ mail: { handle: () => {}, start: 'beginning' } });
    await publishMany(MANY);
    const away = (of: 'commit' | 'lookUp' | 'tick', from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, index) => ({ of, nth: from + index, kind: 'rejectBefore' as const }));
    const worker = member('w', { faults: [...away('commit', 1, 1), ...away('lookUp', 1, 12), ...away('tick', 2, 15)] });
    await worker.work({ concurrency: 1 });
    await system.advance(60_000);
    expect(new Set(starts).size).toBe(MANY);
  });

  it('R27 of parked deliveries is taken in hand no further than the bound', async () => {
    let broken = true;
    const { system, witness, member, publishMany, starts } = busCluster({
      mail: {
        handle: async (_, process) => {
          if (broken) throw new Error('no');
          await process.sleep(5000);
        },
        retry: RetryPolicy.fixed({ delayMs: 1000 }),
        start: 'beginning',
      },
    });
    await publishMany(3000);
    const limits: number[] = [];
    const asked = (name: string, [, limit]: readonly unknown[]): void => void (name === 'due' && limits.push(limit as number));
    await member('w', { asked }).work({ concurrency: 1, leaseMs: 10_000 });
    while (witness.parked.size < 3000) await system.advance(100);
    broken = false;
    limits.length = 0;
    const before = starts.length;
    await system.advance(20_000);
    expect(starts.length - before).toBeLessThan(10);
    expect(Math.max(...limits)).toBeLessThan(2 * 256 + 64);
    expect(limits.length).toBeLessThan(200);
  });

  it('R5 R27 behind a process that died, only what it had read ahead is suspect, not the backlog', async () => {
    const { system, witness, member, publishMany, starts } = busCluster({
      mail: {
        handle: async ({ type }, process) => {
          await process.sleep(5);
          return type === 'Did' ? [{ type: 'Other' as const, data: {} }] : undefined;
        },
        types: ['Did', 'Other'],
        start: 'beginning',
      },
    });
    await publishMany(5000);
    const first = member('w1');
    await first.work({ concurrency: 8 });
    while (starts.length < 1000) await system.advance(100);
    first.crash();
    await member('w2').work({ concurrency: 8 });
    await system.advance(2000);
    expect(starts.length).toBeGreaterThan(1000);
    expect(witness.parked.size).toBeLessThan(600);
  });

  it('what a process appends itself it need not read back', async () => {
    let reads = 0;
    const { system, member, starts } = busCluster({ mail: { handle: () => {} } }, { shards: 4 });
    const worker = member('w', { asked: (name) => void (name === 'read' && reads++) });
    await worker.work();
    for (let index = 0; index < 200; index += 1) {
      await system.run(worker.bus.publish({ stream: `s${index}`, type: 'Did', data: { name: `e${index}` } }));
    }
    await system.advance(1000);
    expect(starts).toHaveLength(200);
    expect(reads).toBeLessThan(10);
  });
});
