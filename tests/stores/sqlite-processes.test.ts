import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/core/records.ts';
import type { Store } from '../../src/core/store.ts';
import { append, commit, mustCommit, own, tick, wholeLog } from '../../src/testing/conformance/store/subject.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { type Child, openStore, rawDatabase, startChild, temporaryFile } from './sqlite-files.ts';

/** Checks that positions and versions have no gap and that every pair is whole; gives the pairs that are there. */
const pairsOf = async (store: Store): Promise<Set<string>> => {
  const log = await wholeLog(store);
  for (const shard of log) expect(shard.map(({ position }) => position)).toEqual(shard.map((_, index) => index + 1));
  const names = (side: string) =>
    log
      .flat()
      .filter(({ stream }: StoredEvent) => stream.includes(side))
      .map(({ stream }) => stream.replace(side, ''));
  const left = new Set(names(' left '));
  expect(new Set(names(' right '))).toEqual(left);
  expect(log.flat()).toHaveLength(2 * left.size);
  return left;
};

const committed = ({ lines }: Child): number => lines.filter((line) => line.startsWith('committed ')).length;

/** Calls `body` while measuring the longest time the event loop was held up. */
const longestStall = async (body: () => Promise<void>): Promise<number> => {
  let longestMs = 0;
  let last = performance.now();
  const probe = setInterval(() => {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last);
    last = now;
  }, 1);
  await body();
  clearInterval(probe);
  return longestMs;
};

describe('several processes on one SQLite file', () => {
  it('create it at once, append at once and leave no gap, and none of them starves', { timeout: 60_000 }, async () => {
    const path = await temporaryFile();
    const children = ['a', 'b', 'c'].map((name) => startChild('commit', path, name, '300'));
    await Promise.all(children.map((child) => child.line('open')));
    for (const child of children) child.process.stdin?.write('go\n');
    // The first to be done says how far the others came against it.
    await Promise.race(children.map(({ ended }) => ended));
    const progress = children.map(committed);
    for (const child of children) expect(await child.ended).toBe(0);
    expect(Math.min(...progress), `commits when the first was done: ${progress.join(', ')}`).toBeGreaterThan(15);
    const store = await openStore(path);
    expect((await pairsOf(store)).size).toBe(3 * 300 * 8);
  });

  it('keep every batch whole, and every batch they were told of, when one is killed in the middle of a commit', {
    timeout: 60_000,
  }, async () => {
    const path = await temporaryFile();
    const told = new Map<string, number>();
    for (let round = 0; round < 6; round += 1) {
      const child = startChild('commit', path, `round ${round}`, '1000000');
      await child.line('open');
      child.process.stdin?.write('go\n');
      await sleep(30 + round * 17);
      child.process.kill('SIGKILL');
      expect(await child.ended).toBe('SIGKILL');
      told.set(`round ${round}`, committed(child));
    }
    const store = await openStore(path);
    const pairs = await pairsOf(store);
    for (const [name, batches] of told) {
      const there = [...pairs].filter((pair) => pair.startsWith(name)).length;
      expect(there % 8, 'a batch is there in part').toBe(0);
      expect(there / 8).toBeGreaterThanOrEqual(batches);
      expect(there / 8).toBeLessThanOrEqual(batches + 1);
    }
    expect(
      [...told.values()].reduce((sum, batches) => sum + batches, 0),
      'nothing was killed while it worked',
    ).toBeGreaterThan(20);
    expect(rawDatabase(path).prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  });

  it('know what the others have written: heads, versions, checkpoints and leases', async () => {
    const path = await temporaryFile();
    const system = virtualSystem();
    const [a, b] = [await openStore(path, { system }), await openStore(path, { system })] as const;
    await own(a, 'a');
    for (let i = 0; i < 5; i += 1) {
      await mustCommit(a, [{ appends: [append('x', 2 * i)] }]);
      expect((await commit(b, [{ appends: [append('x', 2 * i)] }])).units[0]?.won).toBe(false);
      await mustCommit(b, [{ appends: [append('x', 2 * i + 1)] }]);
      expect(await a.heads()).toEqual(await b.heads());
    }
    await system.advance(10_000);
    const { gained } = await tick(b, 'b');
    const [lease] = gained;
    expect(gained).toHaveLength(16);
    const old = { ...lease, epoch: (lease?.epoch ?? 0) - 1, subscription: 'mail', shard: 0 };
    expect((await commit(a, [{ lease: old }], { owner: 'a' })).units[0]).toEqual({ won: false, why: 'lease' });
    expect(await a.events('x', 0, 100)).toHaveLength(10);
  });

  it('keep the write-ahead log short while three write all the time and two read all the time', { timeout: 60_000 }, async () => {
    const path = await temporaryFile();
    const writers = ['a', 'b', 'c'].map((name) => startChild('fill', path, name, '30'));
    const readers = ['', ''].map(() => startChild('follow', path));
    await Promise.all([...writers, ...readers].map((child) => child.line('open')));
    let mostMb = 0;
    const look = setInterval(async () => {
      mostMb = Math.max(mostMb, (await stat(`${path}-wal`).catch(() => ({ size: 0 }))).size / 2 ** 20);
    }, 5);
    for (const child of writers) child.process.stdin?.write('go\n');
    await Promise.all(writers.map((child) => child.line('filled')));
    clearInterval(look);
    expect(mostMb, 'nothing was written').toBeGreaterThan(8);
    expect(mostMb, 'MB of log, for 90 MB of events').toBeLessThan(64);
  });

  it('hear of each other soon, and not of themselves', async () => {
    const path = await temporaryFile();
    const store = await openStore(path);
    let told = 0;
    const stop = store.watch(() => {
      told += 1;
    });
    await mustCommit(store, [{ appends: [append('a', 'none')] }]);
    await sleep(40);
    expect(told).toBe(0);
    const child = startChild('commit', path, 'other', '1');
    await child.line('open');
    child.process.stdin?.write('go\n');
    await child.line('committed 0');
    await expect.poll(() => told, { timeout: 2000 }).toBeGreaterThan(0);
    stop();
  });
});

describe('a SQLite file whose write lock somebody else holds', () => {
  it('is waited for without holding up the event loop', async () => {
    const path = await temporaryFile();
    const store = await openStore(path);
    await mustCommit(store, [{ appends: [append('a', 'none')] }]);
    const child = startChild('lock', path, '', '600');
    await child.line('locked');
    let waitedMs = 0;
    const stallMs = await longestStall(async () => {
      const before = performance.now();
      const writing = Promise.all([mustCommit(store, [{ appends: [append('a', 1)] }]), tick(store, 'worker'), store.lookUp('a', 'b')]);
      expect(await store.events('a', 0, 10), 'readers wait for writers').toHaveLength(1);
      await writing;
      waitedMs = performance.now() - before;
    });
    expect(waitedMs).toBeGreaterThan(300);
    expect(stallMs, 'the event loop stood still').toBeLessThan(300);
    expect(await store.events('a', 0, 10)).toHaveLength(2);
  });

  it('is given up after five seconds with a fault worth a retry, and nothing of the batch ever happens', async () => {
    const path = await temporaryFile();
    const clock = virtualSystem();
    const store = await openStore(path, { system: clock });
    const blocker = rawDatabase(path);
    blocker.exec('BEGIN IMMEDIATE');
    const before = clock.monotonic();
    const batch = { owner: 'a', id: '1', units: [{ appends: [append('a', 'none')] }], progress: [] };
    await expect(clock.run(store.commit(batch))).rejects.toMatchObject({ code: 'STORE', retryable: true });
    expect(clock.monotonic() - before).toBeGreaterThanOrEqual(5000);
    expect(clock.monotonic() - before).toBeLessThan(5100);
    blocker.exec('ROLLBACK');
    await clock.advance(60_000);
    expect(await store.lookUp('a', '1')).toBeNull();
    expect(await store.stream('a')).toBeNull();
    expect(clock.pending).toBe(0);
  });

  it('makes nobody wait who has closed the store', async () => {
    const path = await temporaryFile();
    const store = await openStore(path);
    rawDatabase(path).exec('BEGIN IMMEDIATE');
    const waiting = expect(mustCommit(store, [{ appends: [append('a', 'none')] }])).rejects.toMatchObject({ code: 'CLOSED' });
    await store.close();
    await waiting;
  });
});
