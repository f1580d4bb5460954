import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { busCluster } from '../support/bus-cluster.ts';

const thrice = RetryPolicy.fixed({ delayMs: 50 }).maxAttempts(3);
const nameOf = (data: unknown): string => (data as { readonly name: string }).name;

describe('stopping and handing over', () => {
  it('R25 what runs ends in its time, what had not started loses no attempt and no start, and the next worker goes on with it', async () => {
    const { system, witness, member, publish, publishMany, starts } = busCluster(
      { mail: { handle: (_, process) => process.sleep(100), retry: thrice } },
      { shards: 2 },
    );
    const worker = member('w1');
    await worker.work({ concurrency: 2 });
    await publishMany(10);
    await publish('s0', 'later');
    await system.advance(50);
    await system.run(worker.bus.stop({ graceMs: 5000 }));
    expect(starts).toHaveLength(2);
    expect(witness.parked.size).toBe(0);
    await system.advance(2000);
    expect(system.pending).toBe(0);
    await member('w2').work({ concurrency: 2 });
    await system.advance(3000);
    expect(starts).toHaveLength(11);
    expect(new Set(starts).size).toBe(11);
    expect(witness.parked.size).toBe(0);
  });

  it('R25 what takes longer than the grace is aborted, told so, and runs again elsewhere without a lost attempt', async () => {
    const reasons: string[] = [];
    const { system, witness, member, publish, starts } = busCluster({
      mail: {
        handle: ({ signal }, process) => {
          signal.addEventListener('abort', () => reasons.push((signal.reason as { code: string }).code));
          return process.name === 'w1' ? new Promise(() => {}) : undefined;
        },
        retry: thrice,
      },
    });
    const worker = member('w1');
    await worker.work();
    await publish('s', 'a', 'b');
    await system.run(worker.bus.stop({ graceMs: 300 }));
    expect(reasons).toEqual(['CLOSED']);
    await member('w2').work();
    await system.advance(1000);
    expect(starts).toEqual(['mail:a.0.1', 'mail:a.0.1', 'mail:b.0.1']);
    expect(witness.parked.get('mail:s@1')).toMatchObject({ state: 'done', attempts: 0 });
  });

  it('R25 a stop in the middle of trials starts none of those that wait for theirs', async () => {
    const { system, member, publish, starts } = busCluster({ mail: { handle: (_, process) => process.sleep(1000) } });
    const processes = [member('w1'), member('w2')];
    for (const stream of ['a', 'b', 'c']) await publish(stream, stream);
    for (const [life, process] of processes.entries()) {
      await process.work();
      for (let i = 0; i < 60 && starts.length === life * 3; i += 1) await system.advance(100);
      process.crash();
    }
    const third = member('w3');
    await third.work();
    for (let i = 0; i < 60 && starts.length === 6; i += 1) await system.advance(100);
    await system.run(third.bus.stop({ graceMs: 200 }));
    await system.advance(5000);
    expect(starts.slice(6)).toEqual(['mail:a.0.1']);
  });

  it('R11 R13 shards move to a second worker and back, one owner at a time, and nothing runs twice', async () => {
    const running = new Set<string>();
    const overlaps: string[] = [];
    const { system, witness, member, publishMany, starts } = busCluster(
      {
        mail: {
          handle: async ({ stream }, process) => {
            if (running.has(stream)) overlaps.push(stream);
            running.add(stream);
            await process.sleep(30);
            running.delete(stream);
          },
        },
      },
      { shards: 8 },
    );
    await member('w1').work({ concurrency: 4 });
    let published = 0;
    const load = async (): Promise<void> => {
      await publishMany(60, 12);
      published += 60;
      await system.advance(100);
    };
    for (let round = 0; round < 5; round += 1) await load();
    const second = member('w2');
    await second.work({ concurrency: 4 });
    for (let round = 0; round < 15; round += 1) await load();
    await system.run(second.bus.stop());
    for (let round = 0; round < 5; round += 1) await load();
    await system.advance(10_000);
    expect(starts).toHaveLength(published);
    expect(overlaps).toEqual([]);
    expect(witness.parked.size).toBe(0);
    expect([...witness.events.values()].flat().every((event) => witness.isDone('mail', event))).toBe(true);
  });

  it('R25 close frees everything in the middle of work, with no unhandled rejection', async () => {
    const { system, member, publish } = busCluster({
      mail: {
        handle: async ({ data, attempt }, process) => {
          await process.sleep(20);
          if (nameOf(data) === 'bad' && attempt < 3) throw new Error('no');
          return [{ type: 'Other', data: {} }];
        },
        retry: thrice,
      },
    });
    for (let cut = 0; cut < 60; cut += 7) {
      const worker = member(`w${cut}`);
      await worker.work();
      await publish(`s${cut}`, 'bad', 'good');
      await publish(`t${cut}`, 'good', 'bad');
      await system.advance(cut);
      await system.run(worker.bus.close());
      await expect(worker.bus.publish({ stream: 's', type: 'Did', data: { name: 'x' } })).rejects.toMatchObject({ code: 'CLOSED' });
      await system.advance(1500);
      expect(system.pending).toBe(0);
    }
  });

  it('R14 R25 a handler that ended late, after its time was up, leaves the others within reach', async () => {
    const aborted: string[] = [];
    const { system, member, publish } = busCluster({
      mail: {
        handle: async ({ data, signal }, process) => {
          signal.addEventListener('abort', () => aborted.push(`${nameOf(data)} ${(signal.reason as { code: string }).code}`));
          await process.sleep(nameOf(data) === 'late' ? 2500 : 100_000);
        },
        timeoutMs: 2000,
        retry: RetryPolicy.never(),
      },
    });
    const worker = member('w');
    await worker.work();
    await publish('s', 'late');
    await system.advance(2400);
    await publish('t', 'long');
    await system.advance(200);
    expect(aborted).toEqual(['late HANDLER_TIMEOUT']);
    await system.run(worker.bus.stop({ graceMs: 0 }));
    expect(aborted).toEqual(['late HANDLER_TIMEOUT', 'long CLOSED']);
  });

  it('R25 close in the middle of starting leaves nothing running', async () => {
    const { system, member } = busCluster({ mail: { handle: () => {} } });
    const worker = member('w', { latencyMs: 5 });
    const started = worker.bus.start().then(
      () => 'started',
      ({ code }) => code,
    );
    await system.run(worker.bus.close());
    await system.advance(1000);
    expect(system.pending).toBe(0);
    expect(await started).toBe('CLOSED');
  });

  it('R25 a stop while the worker still waits for the store keeps it from starting', async () => {
    const { system, member, publish, starts } = busCluster({ mail: { handle: () => {}, start: 'beginning' } });
    await publish('s', 'a');
    const worker = member('w', { latencyMs: 5 });
    const started = worker.bus.start();
    await system.run(worker.bus.stop());
    await system.run(started);
    await system.advance(1000);
    expect(starts).toEqual([]);
    await worker.work();
    await system.advance(1000);
    expect(starts).toEqual(['mail:a.0.1']);
  });

  it('R25 S4 a stop that can not tell the outcome of what it aborted leaves a suspect behind, not a delivery that never ran', async () => {
    const sinceLastStart: unknown[] = [];
    const { system, witness, member, publish } = busCluster({
      mail: {
        handle: ({ sinceLastStartMs }, process) => {
          sinceLastStart.push(sinceLastStartMs);
          return process.name === 'w1' ? new Promise(() => {}) : undefined;
        },
      },
    });
    const worker = member('w1', { faults: [{ of: 'commit', nth: 2, kind: 'stuck' }] });
    await worker.work();
    await publish('s', 'a');
    await system.advance(100);
    const published = worker.bus.publish({ stream: 't', type: 'Other', data: {} });
    await system.advance(10);
    await system.run(worker.bus.stop({ graceMs: 100 }));
    await member('w2').work();
    await system.run(published);
    await system.advance(3000);
    expect(sinceLastStart).toEqual([null, expect.any(Number)]);
    expect(witness.parked.get('mail:s@1')).toMatchObject({ state: 'done', attempts: 0, lostStarts: 1 });
  });
});
