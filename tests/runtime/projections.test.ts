import { describe, expect, it } from 'vitest';
import { permanent } from '../../src/core/permanent.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { COUNTING, countsOf, SUM, storedCounts } from '../support/counting.ts';
import { counting } from '../support/counting-cluster.ts';

describe('a view', () => {
  it('is brought up to date in batches from the beginning, each event once', async () => {
    const { system, witness, member, publishMany, calls, view } = counting();
    await publishMany(1200, 7);
    const { work } = member('w');
    await work();
    await system.advance(1000);
    expect(await storedCounts(witness)).toEqual(countsOf(witness));
    expect(calls.flat()).toHaveLength(1200);
    expect(calls.length).toBeLessThanOrEqual(6);
    expect(Math.max(...calls.map((names) => names.length))).toBe(500);
    expect(await system.run(view.progress())).toEqual({ behind: 0, total: 1200, caughtUp: true, rebuilt: null });
  });

  it('takes no more than `batch` events in a call', async () => {
    const { system, member, publishMany, calls } = counting(() => {}, { batch: 10 });
    await publishMany(100);
    await member('w').work();
    await system.advance(1000);
    expect(calls.map((names) => names.length)).toEqual(Array(10).fill(10));
  });

  it('is read where no worker runs: rows by key and by beginning, page by page', async () => {
    const { system, member, publishMany, view } = counting();
    expect(await system.run(view.get('s1'))).toBeNull();
    await publishMany(9, 3);
    expect(await system.run(view.progress())).toMatchObject({ behind: 9, total: 9, caughtUp: false });
    await member('w').work();
    await system.advance(1000);
    expect(await system.run(view.get('s1'))).toEqual({ events: 3, last: 'e7' });
    const first = await system.run(view.list({ prefix: 's', limit: 2 }));
    expect(first.rows.map(({ key }) => key)).toEqual(['s0', 's1']);
    const second = await system.run(view.list({ prefix: 's', limit: 2, cursor: first.nextCursor ?? '' }));
    expect(second).toEqual({
      rows: [
        { key: 's2', row: { events: 3, last: 'e8' } },
        { key: SUM, row: { events: 9, last: '' } },
      ],
      nextCursor: null,
    });
  });

  it('changed by many shards at once loses no change', async () => {
    const { system, witness, member, publishMany, calls } = counting(undefined, { batch: 5 }, { shards: 8 });
    await publishMany(400, 40);
    for (const name of ['w1', 'w2']) await member(name).work();
    await system.advance(20_000);
    expect(await storedCounts(witness)).toEqual(countsOf(witness));
    expect(calls.flat().length).toBeGreaterThan(400);
    expect(witness.parked.size).toBe(0);
  });
});

describe('a batch that fails', () => {
  const fourTimes = { retry: RetryPolicy.fixed({ delayMs: 50 }).maxAttempts(4) };

  it('R3 R15 R17 R18 is cut down to the event at fault: that one is retried and dies, its stream waits, the others go on', async () => {
    const { system, witness, member, publish, publishMany, calls, view } = counting((names) => {
      if (names.includes('poison')) throw new Error('no');
    }, fourTimes);
    await publishMany(100, 10);
    await publish('s3', 'poison', 'after');
    await publishMany(100, 10);
    const { work, bus } = member('w');
    await work();
    await system.advance(5000);
    const behindPoison = ({ stream, version }: { stream: string; version: number }): boolean => stream === 's3' && version > 10;
    expect(await storedCounts(witness)).toEqual(countsOf(witness, behindPoison));
    expect(witness.parked.get(`${COUNTING}:s3@11`)).toMatchObject({ state: 'dead', attempts: 4 });
    expect(witness.parked.get(`${COUNTING}:s3@12`)).toMatchObject({ state: 'scheduled', attempts: 0 });
    expect(calls.filter((names) => names.includes('poison') && names.length === 1)).toHaveLength(4);
    expect(calls.length).toBeLessThan(30);
    expect(await system.run(view.progress())).toMatchObject({ behind: 12, caughtUp: false });
    calls.length = 0;
    await system.run(bus.deadLetters.discard({ filter: {} }, { by: 'op', reason: 'never' }));
    await system.advance(5000);
    expect(await storedCounts(witness)).toEqual(countsOf(witness, ({ stream, version }) => stream === 's3' && version === 11));
    expect(await system.run(view.progress())).toMatchObject({ behind: 0, caughtUp: true });
  });

  it('because of its time limit runs event by event', async () => {
    const { system, witness, member, publishMany, calls } = counting((names, process) => process.sleep(names.length * 30), {
      timeoutMs: 100,
    });
    await publishMany(20);
    await member('w').work();
    await system.advance(3000);
    expect(calls.map((names) => names.length)).toEqual([20, ...Array(20).fill(1)]);
    expect(await storedCounts(witness)).toEqual(countsOf(witness));
    expect(witness.parked.size).toBe(0);
  });

  it('R23 over a payload that can not be read goes on without it', async () => {
    const { system, witness, member, publishMany, calls } = counting();
    await publishMany(20, 5);
    await witness.store.commit({
      owner: 'x',
      id: '1',
      progress: [],
      units: [{ appends: [{ stream: 's1', expected: 'any', events: [{ type: 'Did', schema: 1, data: '{', time: 0 }] }] }],
    });
    await publishMany(20, 5);
    await member('w').work();
    await system.advance(1000);
    expect(calls.map((names) => names.length)).toEqual([20, 16]);
    expect(witness.parked.get(`${COUNTING}:s1@5`)).toMatchObject({ state: 'dead' });
    expect(await storedCounts(witness)).toEqual(
      countsOf({ ...witness, events: new Map([...witness.events].map(([s, e]) => [s, s === 's1' ? e.slice(0, 4) : e])) }),
    );
  });

  it('R9 R3 loses its changes, and a permanent error dies at once', async () => {
    const { system, witness, member, publish } = counting((names) => {
      if (names.includes('poison')) throw permanent('never');
    });
    await publish('a', 'poison');
    await publish('b', 'fine');
    await member('w').work();
    await system.advance(1000);
    expect(await storedCounts(witness)).toEqual({ b: { events: 1, last: 'fine' }, [SUM]: { events: 1, last: '' } });
    expect(witness.parked.get(`${COUNTING}:a@1`)).toMatchObject({ state: 'dead', attempts: 1 });
  });
});

describe('declaring a view', () => {
  const handle = async (): Promise<void> => {};
  const fails = { code: 'CONFIG' };

  it('refuses what it does not know, and names that are taken', () => {
    const bus = createEventBus<{ Did: unknown }>(virtualSystem(), { store: createMemoryStore(virtualSystem()) });
    bus.project('taken', { types: ['Did'], handle });
    const wrong: readonly [string, object][] = [
      ['taken', { types: ['Did'], handle }],
      ['$mine', { types: ['Did'], handle }],
      ['timers', { types: ['Did'], handle }],
      ['a', { types: [], handle }],
      ['a', { types: ['Did'] }],
      ['a', { types: ['Did'], handle, start: 'head' }],
      ['a', { types: ['Did'], handle, batch: 0 }],
      ['a', { types: ['Did'], handle, batch: 501 }],
    ];
    for (const [name, options] of wrong) expect(() => bus.project(name, options as never)).toThrow(expect.objectContaining(fails));
    expect(() => bus.subscribe('taken', { on: { Did: handle } })).toThrow(expect.objectContaining(fails));
  });

  it('comes before the first publish', async () => {
    const bus = createEventBus<{ Did: unknown }>(virtualSystem(), { store: createMemoryStore(virtualSystem()) });
    await bus.open();
    expect(() => bus.project('late', { types: ['Did'], handle })).toThrow(/before the first publish or start/);
  });
});
