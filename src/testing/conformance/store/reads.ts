import assert from 'node:assert/strict';
import type { Store } from '../../../core/store.ts';
import { absent, append, change, delivery, folded, mustCommit, own, refOf, type StoreCase, streamsIn, timer, wholeLog } from './subject.ts';

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
      const elsewhere = await another();
      let told = 0;
      const stop = store.watch(() => {
        told += 1;
      });
      await mustCommit(elsewhere, [{ appends: [append('a', 'none')] }]);
      await system.advance(1000);
      assert.ok(told >= 1);
      stop();
      stop();
      const before = told;
      await mustCommit(elsewhere, [{ appends: [append('b', 'none')] }]);
      await system.advance(1000);
      assert.equal(told, before);
    },
    'another',
  );

  test('closes as often as it is told to', async ({ store }) => {
    await store.close();
    await store.close();
  });
};
