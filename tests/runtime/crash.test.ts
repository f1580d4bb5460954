import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { busCluster, type Handle } from '../support/bus-cluster.ts';

const fourTimes = RetryPolicy.fixed({ delayMs: 20 }).maxAttempts(4);
const nameOf = (data: unknown): string => (data as { readonly name: string }).name;

/** Kills its process whenever it sees `killer`. */
const killing: Handle = ({ data }, process) => {
  if (nameOf(data) === 'killer') process.crash();
  return process.sleep(20);
};

describe('a process that dies', () => {
  it('R4 R5 a delivery that kills its process every time is dead after maxAttempts + 2 starts, and its neighbours lose no attempt', async () => {
    const { system, witness, member, publish, starts } = busCluster({ mail: { handle: killing, retry: fourTimes } }, { shards: 2 });
    const first = member('w0');
    await first.work();
    for (const stream of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']) await publish(stream, `good-${stream}`);
    await publish('k', 'killer', 'after');
    let last = first;
    for (let life = 1; life < 30; life += 1) {
      await system.advance(2000);
      if (last.alive) continue;
      last = member(`w${life}`);
      await last.work();
    }
    expect(starts.filter((start) => start.includes('killer'))).toHaveLength(6);
    expect(witness.parked.get('mail:k@1')).toMatchObject({ state: 'dead', attempts: 4 });
    for (const event of [...witness.events.values()].flat()) {
      const record = witness.parked.get(`mail:${event.stream}@${event.version}`);
      if (event.stream !== 'k' && record !== undefined) expect(record).toMatchObject({ state: 'done', attempts: 0 });
    }
    expect(starts).not.toContain('mail:after.0.1');
    const { deadLetters } = await system.run(last.bus.deadLetters.list());
    const letter = await system.run(last.bus.deadLetters.get(deadLetters[0]?.id ?? ''));
    expect(letter?.history.map(({ error }) => error.code)).toEqual(['CRASHED', 'CRASHED', 'CRASHED', 'CRASHED']);
    expect(letter?.lostStarts).toHaveLength(6);
  });

  it('R4 R3 a killer whose policy sets no limit is dead after at most 22 starts, and its ledger says by which rule', async () => {
    const { system, witness, member, publish, starts } = busCluster({
      mail: { handle: killing, retry: RetryPolicy.fixed({ delayMs: 0 }) },
    });
    await member('w0').work();
    await publish('k', 'killer');
    for (let life = 1; life < 40 && witness.parked.get('mail:k@1')?.state !== 'dead'; life += 1) {
      await system.advance(2000);
      await member(`w${life}`).work();
    }
    const letter = witness.parked.get('mail:k@1');
    expect(letter?.state).toBe('dead');
    expect(starts.length).toBeLessThanOrEqual(22);
    expect(starts.length).toBeGreaterThan(15);
    const attempts: readonly unknown[] = JSON.parse(letter?.detail ?? '{}').ledger.attempts;
    expect(attempts.at(-1)).toMatchObject({ delayMs: null, rule: '20 crashes are the most a delivery gets' });
  });

  it('R5 R18 those that wait for their trial keep nobody else from running', async () => {
    const { system, member, publish, starts } = busCluster({ mail: { handle: (_, process) => process.sleep(1000) } });
    const streams = ['a', 'b', 'c', 'd'];
    const first = member('w1');
    await first.work({ concurrency: 4 });
    for (const stream of streams) await publish(stream, stream);
    await system.advance(100);
    first.crash();
    const second = member('w2');
    await second.work({ concurrency: 4 });
    for (let i = 0; i < 60 && starts.length === 4; i += 1) await system.advance(100);
    second.crash();
    await member('w3').work({ concurrency: 4 });
    for (let i = 0; i < 60 && starts.length === 8; i += 1) await system.advance(100);
    for (const stream of ['x', 'y']) await publish(stream, stream);
    await system.advance(100);
    expect(starts.slice(8)).toEqual(['mail:a.0.1', 'mail:x.0.1', 'mail:y.0.1']);
    await system.advance(10_000);
    expect(starts.slice(11)).toEqual(['mail:b.0.1', 'mail:c.0.1', 'mail:d.0.1']);
  });

  it('what ran in a process that died runs elsewhere within four thirds of a lease, whenever it died', async () => {
    for (let phase = 0; phase < 3000; phase += 130) {
      let startedAt = 0;
      const { system, member, publish } = busCluster({
        mail: {
          handle: (_, process) => {
            if (process.name === 'w1') return new Promise(() => {});
            startedAt = process.system.monotonic();
            return undefined;
          },
        },
      });
      const first = member('w1');
      await first.work({ leaseMs: 3000 });
      await system.advance(phase);
      await member('w2').work({ leaseMs: 3000 });
      await publish('s', 'a');
      await system.advance(5000 - phase / 2);
      const diedAt = system.monotonic();
      first.crash();
      await system.advance(10_000);
      expect(startedAt).toBeGreaterThan(diedAt);
      expect(startedAt - diedAt).toBeLessThanOrEqual(4001);
    }
  });

  it('R10 attempts survive the death of the process', async () => {
    const { system, member, publish, starts } = busCluster({
      mail: {
        handle: ({ attempt }) => {
          if (attempt < 4) throw new Error('not yet');
        },
        retry: RetryPolicy.fixed({ delayMs: 1000 }).maxAttempts(4),
      },
    });
    const first = member('w1');
    await first.work();
    await publish('s', 'a');
    await system.advance(1500);
    first.crash();
    await member('w2').work();
    await system.advance(10_000);
    expect(starts).toEqual(['mail:a.0.1', 'mail:a.0.2', 'mail:a.0.3', 'mail:a.0.4']);
  });

  it('R11 R12 R14 an owner that stalled beyond its lease aborts, and what it then reports changes nothing', async () => {
    const aborts: string[] = [];
    const { system, witness, member, publish, starts } = busCluster({
      mail: {
        handle: async ({ signal, data }, process) => {
          signal.addEventListener('abort', () => aborts.push(`${process.name} ${(signal.reason as { code: string }).code}`));
          await process.sleep(500);
          if (process.name === 'w1') throw new Error(`too late for ${nameOf(data)}`);
          return [{ type: 'Other', data: {} }];
        },
        retry: fourTimes,
      },
    });
    const first = member('w1');
    await first.work();
    await publish('s', 'a');
    await system.advance(100);
    first.stall(3000);
    await member('w2').work();
    await system.advance(10_000);
    expect(starts).toEqual(['mail:a.0.1', 'mail:a.0.1']);
    expect(witness.events.get('s')?.map(({ type }) => type)).toEqual(['Did', 'Other']);
    expect(witness.parked.get('mail:s@1')).toMatchObject({ state: 'done', attempts: 0, lostStarts: 1 });
    expect(witness.faults).toEqual([]);
  });

  it('R14 the signal of a handler fires by the end of a lease that can not be renewed', async () => {
    let abortedAt = 0;
    const { system, member, publish, away } = busCluster({
      mail: {
        handle: ({ signal }, process) => {
          signal.addEventListener('abort', () => {
            abortedAt = process.system.monotonic();
          });
          return process.sleep(20_000);
        },
      },
    });
    await member('w').work({ leaseMs: 3000 });
    await publish('s', 'a');
    await system.advance(1500);
    away(60_000, 'before');
    await system.advance(10_000);
    expect(abortedAt).toBeGreaterThan(0);
    expect(abortedAt).toBeLessThanOrEqual(4000);
  });

  it('R29 a wall clock stepped by an hour, there and back, changes no lease', async () => {
    const { system, member, publish, starts } = busCluster({ mail: { handle: (_, process) => process.sleep(100) } }, { shards: 4 });
    const workers = [member('w1'), member('w2')];
    const lost: string[] = [];
    for (const worker of workers) {
      worker.bus.on('leaseLost', ({ subscription, shard }) => lost.push(`${subscription}/${shard}`));
      await worker.work();
    }
    await system.advance(3000);
    for (const byMs of [3_600_000, -7_200_000, 3_600_000]) {
      workers[0]?.stepWallClock(byMs);
      for (const stream of ['a', 'b', 'c', 'd', 'e']) await publish(stream, `${stream}${byMs}`);
      await system.advance(3000);
    }
    expect(lost).toEqual([]);
    expect(starts).toHaveLength(15);
    expect(new Set(starts).size).toBe(starts.length - 5); // two of the names are the same
  });
});
