import assert from 'node:assert/strict';
import type { Append, Store } from '../../../src/core/store.ts';
import {
  absent,
  append,
  batchOf,
  change,
  commitOne,
  delivery,
  events,
  handOver,
  mustCommit,
  own,
  refOf,
  type StoreCase,
  streamsIn,
  tick,
  timer,
  wholeLog,
} from './subject.ts';

const folded = (stream: string, expected: Append['expected'], status: string | null, state = '{}'): Append => ({
  stream,
  expected,
  events: events(1),
  fold: { state, status, fingerprint: 'v1' },
});

const listed = async (store: Store, filter: { readonly status?: string }, limit: number): Promise<string[]> => {
  const found: string[] = [];
  for (let cursor: string | null = null, pages = 0; pages === 0 || cursor !== null; pages += 1) {
    const page: Awaited<ReturnType<Store['streams']>> = await store.streams(filter, limit, cursor);
    assert.ok(page.rows.length === limit || page.nextCursor === null, 'a page in the middle is not full');
    found.push(...page.rows.map(({ stream }) => stream));
    cursor = page.nextCursor;
  }
  return found;
};

export const readCases = (test: StoreCase): void => {
  test('S14 keeps the folded state with the version it was folded up to, and leaves it behind when an append brings none', async ({
    store,
  }) => {
    const state = JSON.stringify({ name: '\u0000\ud800é😀', big: 'x'.repeat(100_000) });
    await mustCommit(store, [{ appends: [folded('a', 'none', 'placed', state)] }]);
    const row = { stream: 'a', version: 1, status: 'placed', state, stateVersion: 1, fingerprint: 'v1' };
    assert.deepEqual(await store.stream('a'), row);
    await mustCommit(store, [{ appends: [append('a', 'any', 3)] }]);
    assert.deepEqual(await store.stream('a'), { ...row, version: 4 });
    await mustCommit(store, [{ appends: [folded('a', 4, null, 'raw \ud800'), append('b', 'none')] }]);
    assert.deepEqual(await store.stream('a'), { ...row, version: 5, stateVersion: 5, status: null, state: 'raw \ud800' });
    assert.deepEqual(await store.stream('b'), { stream: 'b', version: 1, status: null, state: null, stateVersion: 0, fingerprint: null });
  });

  test('lists the streams that have a status, newest first, by status too, in pages that neither skip nor repeat', async ({ store }) => {
    const names = Array.from({ length: 17 }, (_, i) => `s${i}`);
    for (const [i, name] of names.entries())
      await mustCommit(store, [{ appends: [folded(name, 'none', i % 3 === 0 ? "it's" : 'placed')] }]);
    await mustCommit(store, [{ appends: [append('no status', 'none'), folded('s1', 1, 'confirmed'), folded('s2', 1, null)] }]);
    const newest = [...names].reverse().filter((name) => name !== 's2');
    for (const limit of [1, 4, 16, 100]) assert.deepEqual(await listed(store, {}, limit), newest);
    assert.deepEqual(await listed(store, { status: "it's" }, 2), ['s15', 's12', 's9', 's6', 's3', 's0']);
    assert.deepEqual(await listed(store, { status: 'confirmed' }, 2), ['s1']);
    assert.deepEqual(await listed(store, { status: 'none' }, 2), []);

    const first = await store.streams({}, 5, null);
    await mustCommit(store, [{ appends: [folded('newer', 'none', 'placed'), folded('s16', 1, null)] }]);
    const second = await store.streams({}, 5, first.nextCursor);
    assert.deepEqual(
      [...first.rows, ...second.rows].map(({ stream }) => stream),
      newest.slice(0, 10),
    );
    assert.deepEqual(first.rows[0], { stream: 's16', version: 1, status: 'placed', state: '{}', stateVersion: 1, fingerprint: 'v1' });
  });

  test('counts streams by status, and of each subscription what is to do, scheduled, dead and retried', async ({ store }) => {
    const leases = await own(store);
    const [a] = streamsIn(store, 0, 1) as [string];
    await mustCommit(store, [
      {
        appends: [
          folded(a, 'none', 'placed'),
          folded(a, 1, 'placed'),
          folded('b', 'none', 'placed'),
          folded('__proto__', 'none', '__proto__'),
        ],
      },
      { appends: [folded('b', 1, 'confirmed'), append('c', 'none', 6)] },
    ]);
    const lease = refOf(leases[0] ?? assert.fail());
    const inShard = (await store.heads())[0] ?? 0;
    await mustCommit(
      store,
      [
        {
          lease,
          done: [inShard],
          park: [absent(delivery(store, a, 1), { failed: true }), absent(delivery(store, a, 2, { state: 'dead' }), { failed: true })],
        },
        { park: [absent(timer(store, a, 'x')), absent(delivery(store, a, 3, { state: 'done' }))] },
      ],
      { owner: 'worker', progress: [{ lease, done: [[1, 1]] }] },
    );
    const total = (await wholeLog(store)).flat().length;
    const done = inShard === 1 ? 1 : 2;
    const counts = await store.counts();
    assert.deepEqual(Object.entries(counts.streams).sort(), [
      ['__proto__', 1],
      ['confirmed', 1],
      ['placed', 1],
    ]);
    assert.deepEqual(counts.subscriptions.mail, { backlog: total - done, scheduled: 2, dead: 1, retries: 2 });
    await change(store, `mail:${a}@2`, { state: 'scheduled' });
    await change(store, `mail:${a}@1`, { state: 'dead' }, { failed: true });
    await mustCommit(store, [{ drop: [`mail:${a}#x`], supersede: [`mail:${a}@1`] }]);
    assert.deepEqual((await store.counts()).subscriptions.mail, { backlog: total - done, scheduled: 1, dead: 0, retries: 3 });
    await change(store, `mail:${a}@2`, { state: 'done' });
    assert.deepEqual((await store.counts()).subscriptions.mail, { backlog: total - done, scheduled: 0, dead: 0, retries: 3 });
  });

  test(
    'tells soon that another connection has committed, until it is told to stop',
    async ({ store, system, another }) => {
      const elsewhere = await another?.();
      let told = 0;
      const stop = store.watch(() => {
        told += 1;
      });
      await mustCommit(elsewhere ?? store, [{ appends: [append('a', 'none')] }]);
      await system.advance(1000);
      assert.ok(told >= 1);
      stop();
      stop();
      const before = told;
      await mustCommit(elsewhere ?? store, [{ appends: [append('b', 'none')] }]);
      await system.advance(1000);
      assert.equal(told, before);
    },
    'another',
  );

  test(
    'R10 keeps everything over a restart: log, states, keys, checkpoints, leases, parked deliveries, counts and the last reply',
    async ({ store, system, reopen }) => {
      const leases = await own(store);
      const lease = refOf(leases[0] ?? assert.fail());
      const [a, b] = streamsIn(store, 0, 2) as [string, string];
      const last = batchOf(
        [
          {
            appends: [folded(a, 'none', 'placed'), append(b, 'none', 3)],
            key: { key: 'k', fingerprint: 'f', stream: a },
            lease,
            done: [1, 3],
          },
          {
            park: [
              absent(delivery(store, a, 1), { failed: true, delayMs: 500 }),
              absent(delivery(store, b, 2, { state: 'dead', position: 3 })),
              absent(delivery(store, b, 3)),
            ],
          },
        ],
        { owner: 'worker', progress: [{ lease, done: [], startMark: 'head' }] },
      );
      const result = await store.commit(last);
      assert.equal(await store.lookUp('worker', 'absent for good'), null);
      const ids = [`mail:${a}@1`, `mail:${b}@2`, `mail:${b}@3`];
      const everything = async (from: Store) => ({
        shards: from.shards,
        log: await wholeLog(from),
        heads: await from.heads(),
        row: await from.stream(a),
        streams: await from.streams({}, 10, null),
        parked: await Promise.all(ids.map((id) => from.parked(id))),
        dead: await from.dead({}, 10, null),
        due: await from.due(leases.map(refOf), 10),
        held: await from.held('mail', [
          { stream: b, version: 3 },
          { stream: b, version: 2 },
        ]),
        counts: await from.counts(),
        reply: await from.lookUp('worker', last.id),
      });
      const before = await everything(store);
      assert.deepEqual(before.reply, result);
      const again = (await reopen?.()) ?? assert.fail();
      assert.deepEqual(await everything(again), before);
      assert.deepEqual(await commitOne(again, { key: { key: 'k', fingerprint: 'g', stream: 'z' } }), {
        won: false,
        why: 'key',
        taken: { key: 'k', fingerprint: 'f', stream: a },
      });
      await assert.rejects(again.commit(batchOf([], { owner: 'worker', id: 'absent for good' })));
      assert.equal((await commitOne(again, { appends: [append(a, 1)], lease }, { owner: 'worker' })).won, true);
      assert.equal((await tick(again, 'worker')).held.length, again.shards);
      await system.advance(500);
      assert.deepEqual(
        (await again.due(leases.map(refOf), 10)).deliveries.map(({ parked }) => parked.id),
        [`mail:${a}@1`],
      );
      const [next] = await handOver(again, leases, 'worker', 'next');
      assert.deepEqual([next?.checkpoint, next?.startMark], [{ low: 1, done: [[3, 3]] }, 4]);
      assert.ok((next?.epoch ?? 0) > lease.epoch);
    },
    'reopen',
  );

  test('closes as often as it is told to', async ({ store }) => {
    await store.close();
    await store.close();
  });
};
