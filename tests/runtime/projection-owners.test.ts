import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { COUNTING, countsOf, SUM, storedCounts } from '../support/counting.ts';
import { counting } from '../support/counting-cluster.ts';

const AUDIT = { by: 'op', reason: 'test' } as const;

describe('a batch and its owner', () => {
  it('R4 R5 a killer among many is found, charged and dead after maxAttempts + 2 starts; the others of its batches lose no attempt', async () => {
    const { system, witness, member, publish, publishMany, calls } = counting(
      (names, process) => {
        if (names.includes('killer')) process.crash();
        return process.sleep(5);
      },
      { retry: RetryPolicy.fixed({ delayMs: 20 }).maxAttempts(3) },
    );
    await publishMany(200, 20);
    await publish('s3', 'killer', 'after');
    await publishMany(200, 20);
    let last = member('w0');
    await last.work();
    for (let life = 1; life < 30; life += 1) {
      await system.advance(3000);
      if (last.alive) continue;
      last = member(`w${life}`);
      await last.work();
    }
    expect(calls.filter((names) => names.includes('killer'))).toHaveLength(5);
    expect(witness.parked.get(`${COUNTING}:s3@11`)).toMatchObject({ state: 'dead', attempts: 3 });
    for (const { id, attempts } of witness.parked.values()) if (id !== `${COUNTING}:s3@11`) expect(attempts).toBe(0);
    expect(await storedCounts(witness)).toEqual(countsOf(witness, ({ stream, version }) => stream === 's3' && version > 10));
  });

  it('R12 one that comes back late writes nothing', async () => {
    const { system, witness, member, publishMany, calls } = counting((_, process) => process.sleep(process.name === 'w1' ? 500 : 10));
    const first = member('w1');
    await first.work();
    await publishMany(20, 4);
    await system.advance(100);
    first.stall(3000);
    await member('w2').work();
    await system.advance(10_000);
    expect(calls.length).toBeGreaterThan(1);
    expect(await storedCounts(witness)).toEqual(countsOf(witness));
    expect(witness.faults).toEqual([]);
  });

  it('R25 one that a stopping worker interrupts has never happened: nothing is parked, and the next owner takes it whole', async () => {
    const { system, witness, member, publishMany, calls } = counting((_, process) => process.sleep(process.name === 'w1' ? 60_000 : 10));
    const first = member('w1');
    await first.work();
    await publishMany(20, 4);
    await system.advance(100);
    await system.run(first.bus.stop({ graceMs: 0 }));
    const gained: boolean[] = [];
    const second = member('w2');
    second.bus.on('leaseGained', ({ subscription, clean }) => subscription === COUNTING && gained.push(clean));
    await second.work();
    await system.advance(1000);
    expect(gained).toEqual([true]);
    expect(witness.parked.size).toBe(0);
    expect(calls.at(-1)).toHaveLength(20);
    expect(await storedCounts(witness)).toEqual(countsOf(witness));
  });

  it.each([1, 5])('of %i events whose reads the store does not answer is run again, and no attempt is counted', async (events) => {
    const { system, witness, member, publishMany, calls } = counting(() => {}, { retry: RetryPolicy.never() });
    await publishMany(events);
    const faults = [1, 2, 3, 4, 5].map((nth) => ({ of: 'documents' as const, nth, kind: 'rejectBefore' as const }));
    await member('w', { faults }).work();
    await system.advance(1000);
    expect(calls.map((names) => names.length)).toEqual(Array(6).fill(events));
    expect(witness.parked.size).toBe(0);
    expect(await storedCounts(witness)).toEqual(countsOf(witness));
  });

  it('notices a row that was deleted and written anew while it ran', async () => {
    let seen = 0;
    const { system, witness, member, publish, view } = counting(() => {}, {
      handle: async (_, draft) => {
        const row = await draft.get(SUM);
        seen += 1;
        // Another shard's batches come in between: as many writes as there were before.
        if (seen === 2) {
          for (const [id, value] of [
            ['1', null],
            ['2', '{"events":70,"last":""}'],
          ] as const) {
            const documents = [{ collection: COUNTING, key: SUM, value, expect: 'any' as const }];
            await witness.store.commit({ owner: 'other', id, progress: [], units: [{ documents }] });
          }
        }
        draft.set(SUM, { events: (row?.events ?? 0) + 1, last: '' });
      },
    });
    await member('w').work();
    await publish('a', 'first');
    await system.advance(500);
    await publish('a', 'second');
    await system.advance(500);
    expect(seen).toBe(3);
    expect(await system.run(view.get(SUM))).toEqual({ events: 71, last: '' });
  });
});

describe('a rebuild', () => {
  it('R12 empties the view and makes it anew, whatever its owners have in hand and however often at once', async () => {
    const { system, witness, member, publishMany, view } = counting((_, process) => process.sleep(300), {}, { shards: 4 });
    const workers = [member('w1'), member('w2')];
    for (const { work } of workers) await work();
    await publishMany(60, 12);
    await system.advance(5000);
    expect(await storedCounts(witness)).toEqual(countsOf(witness));
    await publishMany(60, 12);
    await system.advance(100); // batches are at work
    await Promise.all([system.run(view.rebuild(AUDIT)), view.rebuild({ by: 'another', reason: 'at once' })]);
    expect(await system.run(view.list())).toEqual({ rows: [], nextCursor: null });
    expect(await system.run(view.progress())).toMatchObject({ behind: 120, total: 120, caughtUp: false });
    await publishMany(60, 12);
    await system.advance(10_000);
    expect(await storedCounts(witness)).toEqual(countsOf(witness));
    expect(await system.run(view.progress())).toMatchObject({ behind: 0, total: 180, caughtUp: true });
    expect(witness.faults).toEqual([]);
  });

  it('forgets its dead letters and hands their events over again, and remembers who wanted that', async () => {
    let bad = true;
    const { system, witness, member, publish, view } = counting(
      (names) => {
        if (bad && names.includes('poison')) throw new Error('no');
      },
      { retry: RetryPolicy.never() },
    );
    await publish('a', 'poison', 'after');
    const { work, bus } = member('w');
    await work();
    await system.advance(1000);
    expect((await system.run(bus.deadLetters.list())).deadLetters).toHaveLength(1);
    bad = false;
    await system.run(view.rebuild(AUDIT));
    await system.advance(3000);
    expect((await system.run(bus.deadLetters.list())).deadLetters).toEqual([]);
    expect((await system.run(view.progress())).rebuilt).toEqual({ ...AUDIT, at: expect.stringMatching(/^2026-01-01T00:00:0/) });
    expect(await storedCounts(witness)).toEqual(countsOf(witness));
  });

  it('needs someone who wants it and a reason', async () => {
    const { view } = counting();
    await expect(view.rebuild({ by: '', reason: 'x' })).rejects.toMatchObject({ code: 'CONFIG' });
    await expect(view.rebuild({ by: 'op' } as never)).rejects.toMatchObject({ code: 'CONFIG' });
  });
});
