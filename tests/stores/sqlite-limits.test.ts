import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import * as SQL from '../../src/stores/sqlite/sql.ts';
import { absent, append, batchOf, delivery, mustCommit, own, tick, timer } from '../../src/testing/conformance/store/subject.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { openStore, rawDatabase, temporaryFile } from './sqlite-files.ts';

/** Opens a store and gives the connection it uses too. */
const openWithConnection = async (path: string, more?: Parameters<typeof openStore>[1]) => {
  const real = process.getBuiltinModule('node:sqlite');
  const made: DatabaseSync[] = [];
  const spy = vi.spyOn(process, 'getBuiltinModule').mockReturnValue({
    DatabaseSync: class extends real.DatabaseSync {
      constructor(...args: ConstructorParameters<typeof DatabaseSync>) {
        super(...args);
        made.push(this);
      }
    },
  } as never);
  try {
    const store = await openStore(path, more);
    const [connection] = made;
    if (connection === undefined) throw new Error('the store made no connection');
    return { store, connection };
  } finally {
    spy.mockRestore();
  }
};

describe('a full disk', () => {
  it('fails commits with a fault worth a retry, loses nothing, and is forgotten as soon as there is room', async () => {
    const { store, connection } = await openWithConnection(await temporaryFile());
    const leases = await own(store);
    await mustCommit(store, [{ appends: [append('a', 'none', 3)], park: [absent(delivery(store, 'a', 1))] }]);
    const size = Object.values(connection.prepare('PRAGMA page_count').get() ?? {})[0];
    connection.exec(`PRAGMA max_page_count = ${size}`);

    const big = {
      stream: 'big',
      expected: 'none' as const,
      events: [{ type: 'Big', schema: 1, data: 'x'.repeat(100_000), time: 0 }],
      fold: { state: '{}', status: 'new', fingerprint: 'f' },
    };
    const batches = Array.from({ length: 3 }, () =>
      batchOf([{ appends: [append('a', 3)] }, { appends: [big], key: { key: 'k', fingerprint: 'f', stream: 'big' } }]),
    );
    for (const batch of batches) {
      await expect(store.commit(batch)).rejects.toMatchObject({ code: 'STORE', retryable: true });
      expect(await store.events('a', 0, 10)).toHaveLength(3);
      expect(await store.stream('big')).toBeNull();
      expect((await store.counts()).streams).toEqual({});
    }

    connection.exec('PRAGMA max_page_count = 1000000');
    for (const batch of batches) expect(await store.lookUp(batch.owner, batch.id)).toBeNull();
    const { units } = await mustCommit(store, batches[0]?.units ?? []);
    expect(units.map((unit) => unit.won && unit.appended[0]?.firstVersion)).toEqual([4, 1]);
    expect((await tick(store, 'worker')).held).toHaveLength(leases.length);
    expect((await store.counts()).streams).toEqual({ new: 1 });
    expect(connection.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  });
});

describe('a restart of the machine', () => {
  it('frees every lease at once, because the clock they were granted by began anew', async () => {
    const path = await temporaryFile();
    const before = virtualSystem();
    await before.advance(500_000_000);
    await own(await openStore(path, { system: before }), 'before');

    const after = virtualSystem();
    await after.advance(9000);
    const store = await openStore(path, { system: after });
    const { gained, share } = await tick(store, 'after');
    expect(gained).toHaveLength(store.shards);
    expect(new Set(gained.map(({ clean }) => clean))).toEqual(new Set([false]));
    expect(share).toEqual({ mail: store.shards });
    expect((await tick(store, 'another')).gained).toHaveLength(0);
  });

  it('frees no lease for another owner that was told a shorter time', async () => {
    const system = virtualSystem();
    const store = await openStore(await temporaryFile(), { system });
    await store.register([{ name: 'mail', start: 'head' }]);
    await tick(store, 'patient', { leaseMs: 60_000 });
    expect((await tick(store, 'hasty', { leaseMs: 1000 })).gained).toHaveLength(0);
    await system.advance(59_999);
    expect((await tick(store, 'hasty', { leaseMs: 1000 })).gained).toHaveLength(0);
  });
});

describe('the write-ahead log', () => {
  const MB = 2 ** 20;
  const megabyte = (stream: string) => ({
    ...append(stream),
    events: [{ type: 'Happened', schema: 1, data: JSON.stringify('x'.repeat(MB)), time: 0 }],
  });

  it('is cut back although some reader or other is always reading it', async () => {
    const path = await temporaryFile();
    const system = virtualSystem();
    const store = await openStore(path, { system });
    const readers = [rawDatabase(path), rawDatabase(path)] as const;
    let turn = 0;
    // Each begins before the other ends.
    const takeTurns = (): void => {
      const [next, last] = turn % 2 === 0 ? readers : [readers[1], readers[0]];
      next.exec('BEGIN; SELECT count(*) FROM meta');
      if (turn > 0) last.exec('COMMIT');
      turn += 1;
      if (turn < 2000) system.setTimer(1, takeTurns);
    };
    takeTurns();
    let mostBytes = 0;
    for (let i = 0; i < 100; i += 1) {
      const before = system.monotonic();
      await system.run(mustCommit(store, [{ appends: [megabyte(`s${i % 7}`)] }]));
      expect(system.monotonic() - before).toBeLessThan(20);
      mostBytes = Math.max(mostBytes, statSync(`${path}-wal`).size);
      await system.advance(1);
    }
    expect(mostBytes / MB).toBeGreaterThan(16);
    expect(mostBytes / MB).toBeLessThan(36);
  });

  it('grows while one reader stays, which holds up a write for a second at most, and is cut back once it is gone', async () => {
    const path = await temporaryFile();
    const system = virtualSystem();
    const store = await openStore(path, { system });
    const reader = rawDatabase(path);
    await mustCommit(store, [{ appends: [append('a', 'none')] }]);
    reader.exec('BEGIN; SELECT count(*) FROM streams');
    const waits: number[] = [];
    for (let i = 0; i < 40; i += 1) {
      const before = system.monotonic();
      await system.run(mustCommit(store, [{ appends: [megabyte('a')] }]));
      waits.push(system.monotonic() - before);
    }
    expect(waits.filter((ms) => ms > 0)).toHaveLength(1);
    expect(Math.max(...waits)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...waits)).toBeLessThan(1010);
    expect(statSync(`${path}-wal`).size / MB).toBeGreaterThan(40);
    reader.exec('COMMIT');
    await system.advance(5000);
    await mustCommit(store, [{ appends: [append('a')] }]);
    expect(statSync(`${path}-wal`).size / MB).toBeLessThan(1);
    expect(await store.events('a', 0, 100)).toHaveLength(42);
  });

  it('holds up no renewal of a lease while a write waits for its readers', async () => {
    const path = await temporaryFile();
    const system = virtualSystem();
    const store = await openStore(path, { system });
    const leases = await own(store);
    const reader = rawDatabase(path);
    reader.exec('BEGIN; SELECT count(*) FROM streams');
    let settled = 0;
    let written: Promise<unknown> = Promise.resolve();
    for (let i = 0; i < 40 && settled === i; i += 1) {
      written = mustCommit(store, [{ appends: [megabyte(`s${i}`)] }]).finally(() => {
        settled += 1;
      });
      await system.settle();
    }
    const writes = settled;
    let held = 0;
    const renewed = tick(store, 'worker').then((answer) => {
      held = answer.held.length;
    });
    await system.settle();
    expect({ held, settled }).toEqual({ held: leases.length, settled: writes });
    await system.run(Promise.all([written, renewed]));
    expect(settled).toBe(writes + 1);
    expect(statSync(`${path}-wal`).size / MB).toBeGreaterThan(16);
    reader.exec('COMMIT');
  });
});

describe('a hundred thousand rows', () => {
  it('are never read one by one to answer a question', async () => {
    const path = await temporaryFile();
    await openStore(path);
    const db = rawDatabase(path);
    const filters = ['subscription', 'type', 'stream', 'cause'].flatMap((name, i, all) => [[name], [name, all[(i + 1) % 4] ?? name]]);
    const texts = [
      ...Object.values(SQL).filter((text) => typeof text === 'string'),
      ...filters.map((names) => SQL.deadSql(new Set(names))),
      SQL.deadSql(new Set()),
    ];
    // Tables of a row for each status, subscription or checkpoint; the newest streams, which stop at the page's end; the pauses that
    // last; and the groups of causes, which count every letter, in an index.
    const small = new Set<string>([
      SQL.STATUSES,
      SQL.SUBSCRIPTIONS,
      SQL.CHECKPOINTS,
      SQL.FORGET_OWNERS,
      SQL.FORGET_MEMBERS,
      SQL.COUNT_MEMBERS,
      SQL.STREAMS,
      SQL.DOCUMENT_WRITES,
      SQL.COUNT_DOCUMENT_WRITES,
      SQL.OPEN_PAUSES,
      SQL.CAUSES,
    ]);
    for (const text of texts) {
      if (small.has(text)) continue;
      const plan = db
        .prepare(`EXPLAIN QUERY PLAN ${text}`)
        .all()
        .map((row) => String(row.detail));
      const bad = plan.filter(
        (line) =>
          /^SCAN (?!CONSTANT|json_each )/.test(line) || (/TEMP B-TREE/.test(line) && text !== SQL.PARKED_OF && text !== SQL.STARTED),
      );
      expect(bad, text).toEqual([]);
    }
  });

  it('lie dead or are held, and still a page of them or what is due comes in milliseconds', { timeout: 60_000 }, async () => {
    const path = await temporaryFile();
    const store = await openStore(path);
    const leases = await own(store);
    const rows = (sql: string) =>
      rawDatabase(path).exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) ${sql}`);
    const columns =
      'id, kind, subscription, shard, stream, version, position, type, state, due_at, attempts, generation, started_at, lost_starts, holds, cause, dead_at, detail, revision, in_way, runs';
    const parked = (id: string, stream: string, version: string, state: string, deadAt: string, runs: string) =>
      rows(
        `INSERT INTO parked (${columns}) SELECT ${id}, 'delivery', 'mail', i % 16, ${stream}, ${version}, i, 'T' || (i % 3), '${state}', 0, 1, 0, NULL, 0, 1, 'c' || (i % 5), ${deadAt}, '{}', 1, 1, ${runs} FROM n`,
      );
    parked("'dead' || i", "'d' || (i % 1000)", 'i', 'dead', 'i / 1000', '0');
    parked("'held' || i", "'one lane'", 'i + 1', 'scheduled', 'NULL', '0');
    await mustCommit(store, [{ park: [absent(delivery(store, 'one lane', 1, { state: 'dead' })), absent(timer(store, 'a', 'due'))] }]);

    const quickest = async (body: () => Promise<unknown>): Promise<number> => {
      const times: number[] = [];
      for (let i = 0; i < 5; i += 1) {
        const before = performance.now();
        await body();
        times.push(performance.now() - before);
      }
      return Math.min(...times);
    };
    const questions: Record<string, () => Promise<unknown>> = {
      'first page': () => store.dead({}, 50, null),
      'of a cause': () => store.dead({ cause: 'c1' }, 50, null),
      'of a stream': () => store.dead({ stream: 'd7' }, 50, null),
      'of a type and subscription': () => store.dead({ type: 'T1', subscription: 'mail' }, 50, null),
      'of an age': () => store.dead({ diedFrom: 40, diedBefore: 50 }, 50, null),
      'of an age and subscription': () => store.dead({ diedBefore: 50, subscription: 'mail' }, 50, null),
      'page in the middle': () => store.dead({}, 50, '50.50000'),
      due: () => store.due(leases, 64),
      held: () =>
        store.held(
          'mail',
          Array.from({ length: 64 }, (_, i) => ({ stream: `d${i}`, version: 200_000 })),
        ),
      counts: () => store.counts(),
    };
    for (const [what, ask] of Object.entries(questions)) expect(await quickest(ask), `ms: ${what}`).toBeLessThan(10);
    expect(await quickest(() => store.causes({})), 'ms: causes').toBeLessThan(100);
    expect(await quickest(() => store.causes({ subscription: 'mail', diedBefore: 50 })), 'ms: causes of an age').toBeLessThan(100);
    expect((await store.due(leases, 64)).deliveries.map(({ parked: { id } }) => id)).toEqual(['mail:a#due']);
    const found = await store.parked('mail:one lane@1');
    if (found === null) throw new Error('gone');
    const done = { record: { ...found.parked, state: 'discarded' as const }, expect: 1 };
    await mustCommit(store, [{ park: [done] }]);
    expect((await store.due(leases, 64)).deliveries.map(({ parked: { id } }) => id).sort()).toEqual(['held1', 'mail:a#due']);
  });
});
