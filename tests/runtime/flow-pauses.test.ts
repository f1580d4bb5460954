import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { busCluster, type Member } from '../support/bus-cluster.ts';

const audit = { by: 'anna', reason: 'the gateway is being moved' };
const thrice = RetryPolicy.fixed({ delayMs: 50 }).maxAttempts(3);
const sleepy = { handle: (_: unknown, process: { sleep(ms: number): Promise<void> }) => process.sleep(10) };

const nameOf = (start: string): string => /:(.*?)\./.exec(start)?.[1] ?? '';

describe('what operators tell to wait', () => {
  it('R15 nothing of a paused subscription starts once `pause` has resolved in its process; others go on; all of it runs after `resume`', async () => {
    const { system, member, publish, starts } = busCluster({ mail: sleepy, stock: sleepy }, { shards: 2 });
    const worker = member('w');
    await worker.work();
    await publish('s', 'a');
    await system.advance(100);
    await system.run(worker.bus.pause({ subscription: 'mail' }, audit));
    for (const name of ['b', 'c']) await publish('s', name);
    await publish('t', 'x');
    await system.advance(10_000);
    expect(starts.filter((start) => start.startsWith('mail')).map(nameOf)).toEqual(['a']);
    expect(
      starts
        .filter((start) => start.startsWith('stock'))
        .map(nameOf)
        .sort(),
    ).toEqual(['a', 'b', 'c', 'x']);
    await system.run(worker.bus.resume({ subscription: 'mail' }, audit));
    await system.advance(50);
    expect(
      starts
        .filter((start) => start.startsWith('mail'))
        .map(nameOf)
        .sort(),
    ).toEqual(['a', 'b', 'c', 'x']);
  });

  it('R16 R18 nothing of a paused stream starts, whatever its subscription; other streams go on, and it runs in order afterwards', async () => {
    const { system, member, publish, starts } = busCluster({ mail: sleepy, stock: sleepy });
    const worker = member('w');
    await worker.work();
    await system.run(worker.bus.pause({ stream: 's' }, audit));
    await publish('s', 'a', 'b', 'c');
    await publish('t', 'x', 'y');
    await system.advance(5000);
    expect(starts.map(nameOf).sort()).toEqual(['x', 'x', 'y', 'y']);
    await system.run(worker.bus.resume({ stream: 's' }, audit));
    await system.advance(1000);
    for (const name of ['mail', 'stock'])
      expect(
        starts
          .filter((start) => start.startsWith(name))
          .slice(2)
          .map(nameOf),
      ).toEqual(['a', 'b', 'c']);
    expect(starts.every((start) => start.endsWith('.0.1'))).toBe(true);
  });

  it('what had begun to run when its stream was paused goes on to its outcome, and the next does not start', async () => {
    const { system, witness, member, publish, starts } = busCluster({ mail: { handle: (_, process) => process.sleep(500) } });
    const worker = member('w');
    await worker.work();
    await publish('s', 'a', 'b');
    await system.advance(50);
    await system.run(worker.bus.pause({ stream: 's' }, audit));
    await system.advance(3000);
    expect(starts.map(nameOf)).toEqual(['a']);
    const [a] = witness.events.get('s') ?? [];
    expect(a && witness.isDone('mail', a)).toBe(true);
  });

  it('may be asked in a process without a worker, and is heard by workers within a third of a lease even without a hint', async () => {
    const { system, member, publish, starts } = busCluster({ mail: sleepy });
    await member('w', { hints: 'none' }).work({ leaseMs: 3000 });
    await member('v').work({ leaseMs: 3000 });
    const api = member('office');
    await system.run(api.bus.pause({ subscription: 'mail' }, audit));
    await system.advance(1050);
    await publish('s', 'a');
    await publish('t', 'b');
    await system.advance(5000);
    expect(starts).toEqual([]);
    await system.run(api.bus.resume({ subscription: 'mail' }, audit));
    await system.advance(1100);
    expect(starts.map(nameOf).sort()).toEqual(['a', 'b']);
  });

  it('is heard at once by a worker that is told of other commits', async () => {
    const { system, member, publish, starts } = busCluster({ mail: sleepy });
    await member('w').work({ leaseMs: 30_000 });
    const api = member('office');
    await system.run(api.bus.pause({ subscription: 'mail' }, audit));
    await publish('s', 'a');
    await system.advance(8000);
    expect(starts).toEqual([]);
    await system.run(api.bus.resume({ subscription: 'mail' }, audit));
    await system.advance(20);
    expect(starts.map(nameOf)).toEqual(['a']);
  });

  it('holds in its own process from the moment it resolves, however slow and in whatever order the store answers', async () => {
    const given = fc.record({
      seed: fc.nat(),
      pauseAt: fc.nat(200),
      target: fc.constantFrom({ subscription: 'mail' }, { stream: 's0' }),
      concurrency: fc.constantFrom(1, 3),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ seed, pauseAt, target, concurrency }) => {
        const tried = new Set<string>();
        const seen: string[] = [];
        const { system, witness, member } = busCluster(
          {
            mail: {
              retry: RetryPolicy.fixed({ delayMs: 5 }).maxAttempts(2),
              handle: async ({ id, stream }, process) => {
                if ('subscription' in target || stream === target.stream) seen.push(id);
                await process.sleep(2);
                if (tried.has(id)) return;
                tried.add(id);
                throw new Error('not now');
              },
            },
          },
          { seed },
        );
        const [worker, other] = [member('w', { latencyMs: 12 }), member('other')];
        await worker.work({ concurrency });
        for (let index = 0; index < 60; index += 1)
          system.setTimer(index * 5, () => void other.bus.publish({ stream: `s${index % 2}`, type: 'Did', data: { name: `e${index}` } }));
        await system.advance(pauseAt);
        let before = -1;
        const paused = worker.bus.pause(target, audit).then(() => {
          before = seen.length;
        });
        await system.run(paused);
        await system.advance(1000);
        expect(seen.length).toBe(before);
        await system.run(worker.bus.resume(target, audit));
        await system.advance(20_000);
        for (const event of [...witness.events.values()].flat()) expect(witness.isDone('mail', event)).toBe(true);
        for (const { state, attempts } of witness.parked.values()) expect([state, attempts <= 1]).toEqual(['done', true]);
      }),
      { numRuns: Number(process.env.ORDERFOLD_RUNS ?? 40) },
    );
  }, 3_600_000);

  it.each([2, 4, 6, 8, 10])('is not forgotten over an answer of before that comes late, be it the answer number %i', async (nth) => {
    const { system, member, publish, starts } = busCluster({ mail: { handle: (_, process) => process.sleep(700) } });
    const worker = member('w', { faults: [{ of: 'pauses', nth, kind: 'slow' }] });
    await worker.work({ leaseMs: 60_000, concurrency: 1 });
    for (const stream of ['a', 'b', 'c', 'd', 'e']) await publish(stream, stream);
    await system.run(worker.bus.pause({ subscription: 'mail' }, audit));
    const before = [...starts];
    await system.advance(5000);
    expect(starts).toEqual(before);
    await system.run(worker.bus.resume({ subscription: 'mail' }, audit));
    await system.advance(5000);
    expect(starts).toHaveLength(5);
  });

  it('stops also what is just being asked about when it is heard', async () => {
    const handle = ({ data }: { readonly data: unknown }) => {
      if ((data as { name: string }).name === 'bad') throw new Error('no');
    };
    const { system, member, publish, starts } = busCluster({ mail: { handle, retry: RetryPolicy.fixed({ delayMs: 60_000 }) } });
    const worker = member('w', { faults: [{ of: 'held', nth: 1, kind: 'slow' }] });
    await worker.work();
    await publish('s', 'bad');
    await publish('t', 'x');
    await system.run(worker.bus.pause({ stream: 't' }, audit));
    await system.advance(5000);
    expect(starts).toEqual(['mail:bad.0.1']);
    await system.run(worker.bus.resume({ stream: 't' }, audit));
    await system.advance(1000);
    expect(starts).toEqual(['mail:bad.0.1', 'mail:x.0.1']);
  });

  it('is listed with who, why and since when, and asked twice is the same as once', async () => {
    const { system, member } = busCluster({ mail: sleepy });
    const [one, other] = [member('one'), member('other')] as [Member, Member];
    const told: string[] = [];
    for (const name of ['paused', 'resumed'] as const) one.bus.on(name, (fact) => told.push(`${name} ${fact.name} ${fact.by}`));
    const at = new Date(system.now()).toISOString();
    await system.run(one.bus.pause({ subscription: 'mail' }, audit));
    await system.advance(1000);
    const later = new Date(system.now()).toISOString();
    await system.run(
      Promise.all([other.bus.pause({ subscription: 'mail' }, { by: 'ben', reason: 'too' }), one.bus.pause({ stream: 's' }, audit)]),
    );
    expect(await system.run(other.bus.paused())).toEqual([
      { subscription: 'mail', ...audit, at },
      { stream: 's', ...audit, at: later },
    ]);
    expect(await system.run(one.bus.pausesOf('s'))).toHaveLength(2);
    for (let times = 0; times < 2; times += 1) await system.run(other.bus.resume({ subscription: 'mail' }, audit));
    await system.run(one.bus.resume({ stream: 's' }, audit));
    expect(await system.run(one.bus.paused())).toEqual([]);
    expect(told).toEqual(['paused mail anna', 'paused s anna', 'resumed s anna']);
  });

  it('refuses what does not exist, says no more than one thing, or does not say who and why', async () => {
    const { system, member } = busCluster({ mail: sleepy });
    const { bus } = member('w');
    const refused = (target: object, by: object = audit) =>
      system.run(
        bus.pause(target as never, by as never).then(
          () => 'taken',
          ({ code }) => code,
        ),
      );
    for (const target of [{ subscription: 'male' }, { subscription: 'timers' }, {}, { stream: 's', subscription: 'mail' }, { order: 's' }])
      expect(await refused(target), JSON.stringify(target)).toBe('CONFIG');
    for (const by of [{}, { by: 'anna' }, { by: '', reason: 'x' }, { ...audit, why: 'x' }])
      expect(await refused({ stream: 's' }, by)).toBe('CONFIG');
    expect(await system.run(bus.paused())).toEqual([]);
    expect(await refused({ stream: 'not there yet' })).toBe('taken');
  });

  it('R17 R31 a delivery in retry, and a redriven dead letter, wait for their stream and cost no attempt meanwhile', async () => {
    let broken = true;
    const handle = ({ data }: { readonly data: unknown }) => {
      if (broken && (data as { name: string }).name.startsWith('bad')) throw new Error('no');
    };
    const { system, witness, member, publish, starts } = busCluster({ mail: { handle, retry: thrice } });
    const worker = member('w');
    await worker.work();
    await publish('s', 'bad', 'b');
    await publish('t', 'bad2', 'c');
    await system.advance(20);
    await system.run(worker.bus.pause({ stream: 's' }, audit));
    await system.advance(5000);
    expect(starts.filter((start) => start.startsWith('mail:bad.'))).toEqual(['mail:bad.0.1']);
    expect(witness.parked.get('mail:t@1')?.state).toBe('dead');
    await system.run(worker.bus.pause({ stream: 't' }, audit));
    await system.run(worker.bus.deadLetters.redrive({ filter: {} }, audit));
    broken = false;
    await system.advance(5000);
    expect(starts.filter((start) => start.startsWith('mail:bad2'))).toHaveLength(3);
    for (const stream of ['t', 's']) await system.run(worker.bus.resume({ stream }, audit));
    await system.advance(1000);
    const ran = (...names: string[]) => starts.filter((start) => names.includes(nameOf(start)));
    expect(ran('bad', 'b')).toEqual(['mail:bad.0.1', 'mail:bad.0.2', 'mail:b.0.1']);
    expect(ran('bad2', 'c').slice(3)).toEqual(['mail:bad2.1.1', 'mail:c.0.1']);
  });

  it('a pause survives the restart of every process', async () => {
    const { system, member, publish, starts } = busCluster({ mail: sleepy, stock: sleepy }, { shards: 2 });
    const first = member('w1');
    await first.work();
    await system.run(first.bus.pause({ subscription: 'mail' }, audit));
    await system.run(first.bus.pause({ stream: 't' }, audit));
    first.crash();
    await publish('s', 'a');
    await publish('t', 'b');
    await member('w2').work();
    await system.advance(5000);
    expect(starts).toEqual(['stock:a.0.1']);
    const second = member('w3');
    await system.run(second.bus.resume({ subscription: 'mail' }, audit));
    await system.run(second.bus.resume({ stream: 't' }, audit));
    await system.advance(5000);
    expect([...starts].sort()).toEqual(['mail:a.0.1', 'mail:b.0.1', 'stock:a.0.1', 'stock:b.0.1']);
  });

  it('R25 a worker stops and ends while something is paused', async () => {
    const { system, member, publish, starts } = busCluster({ mail: sleepy });
    const worker = member('w');
    await worker.work();
    await system.run(worker.bus.pause({ subscription: 'mail' }, audit));
    await publish('s', 'a');
    await system.advance(100);
    await system.run(worker.bus.close());
    await system.advance(5000);
    expect(starts).toEqual([]);
    expect(system.pending).toBe(0);
  });

  it('R16 R17 over two workers, whatever is paused and resumed when: every stream in order, no attempt spent, and nothing starts that is known to wait', async () => {
    const change = fc.record({
      at: fc.nat(400),
      what: fc.constantFrom('mail', 'stock', 's0', 's1', 's2'),
      how: fc.constantFrom('pause' as const, 'pause' as const, 'resume' as const),
      from: fc.nat(2),
    });
    const given = fc.record({
      seed: fc.nat(),
      shards: fc.integer({ min: 1, max: 3 }),
      concurrency: fc.constantFrom(1, 8),
      latencyMs: fc.constantFrom(0, 6),
      changes: fc.array(change, { maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ seed, shards, concurrency, latencyMs, changes }) => {
        const heeded = new Set<string>();
        const early: string[] = [];
        const ran = new Map<string, number[]>();
        const retried = new Set<string>();
        const handler = (subscription: string) => ({
          retry: RetryPolicy.fixed({ delayMs: 15 }).maxAttempts(2),
          handle: async (
            { id, stream, version, attempt }: { id: string; stream: string; version: number; attempt: number },
            process: { sleep(ms: number): Promise<void> },
          ) => {
            if (heeded.has(subscription) || heeded.has(stream)) early.push(`${subscription}:${id}`);
            await process.sleep(8);
            if (version % 3 === 0 && attempt === 1 && !retried.has(`${subscription}:${id}`)) {
              retried.add(`${subscription}:${id}`);
              throw new Error('not now');
            }
            const key = `${subscription} ${stream}`;
            ran.set(key, [...(ran.get(key) ?? []), version]);
          },
        });
        const { system, witness, member, publishMany } = busCluster({ mail: handler('mail'), stock: handler('stock') }, { seed, shards });
        const members = ['w0', 'w1', 'office'].map((name) => member(name, { latencyMs }));
        for (const worker of members.slice(0, 2)) await worker.work({ concurrency });
        await system.advance(1500);
        const targetOf = (what: string) => (what.startsWith('s') && what !== 'stock' ? { stream: what } : { subscription: what });
        const asked = new Map<string, Promise<void>>();
        for (const { at, what, how, from } of changes) {
          system.setTimer(at, () => {
            const before = asked.get(what) ?? Promise.resolve();
            const bus = members[from % 3]?.bus;
            asked.set(
              what,
              before.then(async () => {
                heeded.delete(what);
                await bus?.[how](targetOf(what), audit);
                // Known for sure in a process where it was asked for.
                for (const { bus: worker } of members.slice(0, 2)) if (how === 'pause') await worker.pause(targetOf(what), audit);
                if (how === 'pause') heeded.add(what);
              }),
            );
          });
        }
        for (let round = 0; round < 4; round += 1) {
          await publishMany(6, 3);
          await system.advance(100);
        }
        await system.run(Promise.all(asked.values()));
        await system.advance(1000);
        heeded.clear();
        for (const what of ['mail', 'stock', 's0', 's1', 's2'])
          await system.run(members[2]?.bus.resume(targetOf(what), audit) ?? Promise.resolve());
        await system.advance(5000);
        expect(early).toEqual([]);
        expect(witness.faults).toEqual([]);
        expect([...ran.keys()].sort()).toEqual(['mail s0', 'mail s1', 'mail s2', 'stock s0', 'stock s1', 'stock s2']);
        for (const versions of ran.values()) expect(versions).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
        for (const record of witness.parked.values()) expect(record.attempts).toBeLessThanOrEqual(record.version % 3 === 0 ? 1 : 0);
      }),
      { numRuns: Number(process.env.ORDERFOLD_RUNS ?? 60) },
    );
  }, 3_600_000);
});
