import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { busCluster } from '../support/bus-cluster.ts';

const thrice = RetryPolicy.fixed({ delayMs: 50 }).maxAttempts(3);

describe('a store in trouble', () => {
  it('R1 R16 a look-up that fails at the head of a lane neither drops nor overtakes a delivery', async () => {
    const { system, member, publish, starts } = busCluster({
      mail: {
        handle: ({ data, attempt }) => {
          if ((data as { name: string }).name === 'a' && attempt === 1) throw new Error('no');
        },
        retry: thrice,
      },
    });
    const worker = member('w', { faults: [{ of: 'held', nth: 1, kind: 'rejectBefore' }] });
    await worker.work();
    await publish('s', 'a');
    await publish('s', 'b');
    await publish('t', 'x');
    await system.advance(5000);
    expect(starts.filter((start) => start.includes('x'))).toEqual(['mail:x.0.1']);
    expect(starts.filter((start) => !start.includes('x'))).toEqual(['mail:a.0.1', 'mail:a.0.2', 'mail:b.0.1']);
  });

  it('R1 R22 a delivery whose outcome nobody can tell is started again, not dropped', async () => {
    const { system, witness, member, publish, starts } = busCluster({
      mail: {
        handle: ({ data, attempt }) => {
          if ((data as { name: string }).name === 'a' && attempt === 1) throw new Error('no');
        },
        retry: thrice,
      },
    });
    const worker = member('w', { faults: [{ of: 'held', nth: 1, kind: 'refuse' }] });
    await worker.work();
    await publish('s', 'a', 'b', 'c');
    await system.advance(5000);
    expect(starts).toEqual(['mail:a.0.1', 'mail:a.0.2', 'mail:b.0.1', 'mail:c.0.1']);
    for (const event of witness.events.get('s') ?? []) expect(witness.isDone('mail', event)).toBe(true);
  });

  it('R1 done marks whose commit failed are written by a later one', async () => {
    const { system, witness, member, publish, starts } = busCluster({ mail: { handle: () => {} } });
    const worker = member('w', { faults: [{ of: 'commit', nth: 2, kind: 'rejectBefore' }] });
    await worker.work();
    await publish('s', 'a');
    await system.advance(1000);
    const [event] = witness.events.get('s') ?? [];
    expect(event !== undefined && witness.isDone('mail', event)).toBe(true);
    expect(starts).toHaveLength(1);
    expect(worker.struck).toBe(1);
  });

  it('R12 an outcome whose reply was lost is looked up, not written again', async () => {
    const { system, witness, member, publish, starts, away } = busCluster({
      mail: {
        handle: async (_, process) => {
          await process.sleep(100);
          return [{ type: 'Other' as const, data: {} }];
        },
      },
    });
    await member('w').work({ leaseMs: 10_000 });
    await publish('s', 'a');
    await system.advance(90);
    away(300, 'after');
    await system.advance(5000);
    expect(starts).toHaveLength(1);
    expect(witness.events.get('s')?.map(({ type }) => type)).toEqual(['Did', 'Other']);
  });

  it('R27 refuses what is asked for beyond 20,000 waiting units with BUSY, and takes the rest', async () => {
    const { system, witness, member } = busCluster({ mail: { handle: () => {} } });
    const { bus } = member('w', { faults: [{ of: 'commit', nth: 1, kind: 'slow' }] });
    await system.run(bus.open());
    const publish = (stream: string) =>
      bus.publish({ stream, type: 'Did', data: { name: stream } }).then(
        () => 'published',
        ({ code }) => code,
      );
    const first = publish('first');
    await system.advance(1);
    const outcomes = await system.run(Promise.all([first, ...Array.from({ length: 20_003 }, (_, index) => publish(`s${index}`))]));
    expect(outcomes.slice(0, 20_001).every((outcome) => outcome === 'published')).toBe(true);
    expect(outcomes.slice(20_001)).toEqual(['BUSY', 'BUSY', 'BUSY']);
    expect(witness.events.size).toBe(20_001);
    expect(await system.run(publish('later'))).toBe('published');
  });

  it('R28 works on after the store was away for longer than a lease', async () => {
    const { system, member, publish, starts, away } = busCluster({ mail: { handle: () => {} } });
    await member('w').work();
    await publish('s', 'a');
    await system.advance(100);
    away(3000, 'before');
    await system.advance(3100);
    await publish('s', 'b');
    await system.advance(3000);
    expect(starts).toEqual(['mail:a.0.1', 'mail:b.0.1']);
  });

  it('R28 works on after the reply to the claim of its leases was lost', async () => {
    const { system, member, publish, starts } = busCluster({ mail: { handle: () => {} } });
    const worker = member('w', { faults: [{ of: 'tick', nth: 1, kind: 'rejectAfter' }] });
    await worker.work();
    await publish('s', 'a');
    await system.advance(3000);
    expect(starts).toEqual(['mail:a.0.1']);
  });

  it('R28 asks a store that is away for its leases a few times a second, not without end', async () => {
    const { system, member, publish, starts } = busCluster({ mail: { handle: () => {} } }, { shards: 4 });
    // The fourth is the one that would let two shards go to the second worker.
    const faults = Array.from({ length: 8 }, (_, index) => ({ of: 'tick' as const, nth: index + 4, kind: 'rejectBefore' as const }));
    const first = member('w1', { faults });
    const troubles: number[] = [];
    first.bus.on('trouble', () => troubles.push(system.monotonic()));
    await first.work();
    await system.advance(400);
    await member('w2').work();
    await system.advance(5000);
    for (const stream of ['a', 'b', 'c', 'd', 'e', 'f']) await publish(stream, stream);
    await system.advance(1000);
    expect(starts).toHaveLength(6);
    expect(troubles).toHaveLength(8);
    for (const [index, at] of troubles.slice(1).entries()) expect(at - (troubles[index] ?? 0)).toBeGreaterThan(50);
  });

  it('R28 an outage costs a handled delivery no attempt', async () => {
    const { system, member, publish, starts, away } = busCluster({ mail: { handle: (_, process) => process.sleep(100), retry: thrice } });
    await member('w').work({ leaseMs: 10_000 });
    await publish('s', 'a');
    away(2000, 'before');
    await system.advance(5000);
    expect(starts).toEqual(['mail:a.0.1']);
  });

  it('R25 stop and close end while the store is away, and what was in hand is done elsewhere', async () => {
    const { system, member, publish, starts, away, witness } = busCluster({
      mail: { handle: (_, process) => process.sleep(100), retry: thrice },
    });
    const worker = member('w');
    await worker.work();
    await publish('s', 'a', 'b');
    await publish('t', 'c');
    away(60_000, 'before');
    const publishing = worker.bus.publish({ stream: 'u', type: 'Did', data: { name: 'd' } }).then(
      () => 'published',
      ({ code }) => code,
    );
    await system.advance(50);
    await system.run(worker.bus.stop({ graceMs: 200 }), 30_000);
    await system.run(worker.bus.close(), 30_000);
    expect(await publishing).toBe('STORE');
    await system.advance(60_000);
    expect(system.pending).toBe(0);
    await member('v').work();
    await system.advance(5000);
    expect([...witness.events.values()].flat().every((event) => witness.isDone('mail', event))).toBe(true);
    expect(starts.filter((start) => start.startsWith('mail:b'))).toHaveLength(1);
  });

  it('R25 a second stop waits for the first', async () => {
    const { system, member, publish } = busCluster({ mail: { handle: (_, process) => process.sleep(1000) } });
    const worker = member('w');
    await worker.work();
    await publish('s', 'a');
    await system.advance(10);
    const ended: string[] = [];
    void worker.bus.stop({ graceMs: 5000 }).then(() => ended.push(`first at ${system.monotonic()}`));
    void worker.bus.close().then(() => ended.push(`close at ${system.monotonic()}`));
    await system.advance(5000);
    expect(ended).toHaveLength(2);
    expect(ended[0]).toMatch(/^first at 1\d\d\d$/);
  });
});
