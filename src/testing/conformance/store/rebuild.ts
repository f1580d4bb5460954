import assert from 'node:assert/strict';
import { absent, append, commit, commitOne, delivery, mustCommit, own, refOf, type StoreCase, streamsIn, tick, timer } from './subject.ts';

export const rebuildCases = (test: StoreCase): void => {
  test("deletes the documents and parked deliveries of a subscription, open or over, and nobody else's", async ({ store }) => {
    for (const name of ['mail', 'mail:x', 'stock']) await own(store, 'worker', name);
    const parkedOf = (subscription: string) => [
      absent(delivery(store, 'a', 1, { subscription })),
      absent(delivery(store, 'a', 2, { subscription, state: 'dead' })),
      absent(delivery(store, '\ud800', 1, { subscription, state: 'done' })),
      absent(delivery(store, '\ud800', 2, { subscription }), { failed: true }),
      absent(timer(store, 'b', 'deadline', { subscription })),
    ];
    const names = ['mail', 'mail:x', 'stock'];
    const put = (collection: string) => ({ collection, key: 'k', value: 'v', expect: 'any' as const });
    await mustCommit(
      store,
      names.map((name) => ({ park: parkedOf(name), documents: [put(name)] })),
    );
    const before = (await store.counts()).subscriptions;
    await mustCommit(store, [{ rebuild: ['mail'] }]);
    const left = [...(await store.parkedOf('a', 'all')), ...(await store.parkedOf('\ud800', 'all')), ...(await store.parkedOf('b', 'all'))];
    assert.deepEqual([...new Set(left.map(({ subscription }) => subscription))].sort(), ['mail:x', 'stock']);
    assert.equal(left.length, 10);
    assert.deepEqual(await store.documents('mail', ['k']), [null]);
    for (const name of ['mail:x', 'stock']) assert.equal((await store.documents(name, ['k']))[0]?.value, 'v');
    assert.deepEqual((await store.counts()).subscriptions, { ...before, mail: { ...before.mail, scheduled: 0, dead: 0 } });
    assert.equal(before.mail?.retries, 1);
    assert.equal((await store.dead({}, 10, null)).rows.length, 2);
  });

  test('counts the whole log as backlog again, and hands it out from the first event', async ({ store }) => {
    const leases = await own(store);
    const [name] = streamsIn(store, 0, 1) as [string];
    await mustCommit(store, [{ appends: [append(name, 'none', 5)] }]);
    const [lease] = leases;
    assert.ok(lease);
    await mustCommit(store, [{ lease: refOf(lease), done: [1, 2, 4] }], {
      owner: 'worker',
      progress: [{ lease: refOf(lease), done: [], startMark: 4 }],
    });
    await mustCommit(store, [{ lease: refOf(lease), done: [3], park: [absent(delivery(store, name, 3))] }], { owner: 'worker' });
    assert.equal((await store.counts()).subscriptions.mail?.backlog, 1);
    await mustCommit(store, [{ rebuild: ['mail'] }]);
    assert.equal((await store.counts()).subscriptions.mail?.backlog, 5);
    const { held, gained } = await tick(store, 'worker');
    assert.deepEqual([held, gained.length], [[], store.shards]);
    for (const { checkpoint, startMark, clean, parked, started } of gained) {
      assert.deepEqual(
        { checkpoint, startMark, clean, parked, started },
        {
          checkpoint: { low: 0, done: [] },
          startMark: 0,
          clean: true,
          parked: 0,
          started: [],
        },
      );
    }
    for (const { shard, epoch } of gained) assert.ok(epoch > (leases[shard]?.epoch ?? 0), 'an epoch came twice');
  });

  test('R12 ends every lease: neither units nor progress of the owner before are written', async ({ store }) => {
    const [lease] = await own(store);
    assert.ok(lease);
    const other = (await own(store, 'worker', 'stock'))[0];
    assert.ok(other);
    const [name] = streamsIn(store, 0, 1) as [string];
    await mustCommit(store, [{ appends: [append(name, 'none', 3)] }, { rebuild: ['mail'] }]);
    const ref = refOf(lease);
    const late = { lease: ref, done: [1], park: [absent(delivery(store, name, 1))] };
    assert.deepEqual(await commitOne(store, late, { owner: 'worker' }), { won: false, why: 'lease' });
    const { lost } = await commit(store, [], { owner: 'worker', progress: [{ lease: ref, done: [[1, 3]], startMark: 'head' }] });
    assert.deepEqual(lost, [ref]);
    assert.deepEqual((await tick(store, 'worker', { claim: false })).held, []);
    const { gained } = await tick(store, 'next');
    assert.deepEqual(gained.find(({ shard }) => shard === 0)?.checkpoint, { low: 0, done: [] });
    assert.equal((await commitOne(store, { lease: refOf(other), done: [1] }, { owner: 'worker' })).won, true);
  });

  test('undoes what earlier units of its batch did under the lease, and makes later ones lose', async ({ store }) => {
    const [lease] = await own(store);
    assert.ok(lease);
    const ref = refOf(lease);
    const [name] = streamsIn(store, 0, 1) as [string];
    await mustCommit(store, [{ appends: [append(name, 'none', 3)] }]);
    const put = (key: string) => ({ collection: 'mail', key, value: 'v', expect: 'absent' as const });
    const { units, lost } = await commit(
      store,
      [
        { lease: ref, done: [1], park: [absent(delivery(store, name, 1))], documents: [put('early')] },
        { lease: ref, done: [2], park: [absent(delivery(store, name, 2, { state: 'dead' }))] },
        { rebuild: ['mail'] },
        { lease: ref, done: [3], park: [absent(delivery(store, name, 3))], documents: [put('late')] },
        { documents: [put('early')] },
      ],
      { owner: 'worker', progress: [{ lease: ref, done: [[1, 1]], startMark: 3 }] },
    );
    assert.deepEqual(
      units.map((unit) => unit.won || unit.why),
      [true, true, true, 'lease', true],
    );
    assert.deepEqual(lost, [ref]);
    assert.deepEqual((await store.counts()).subscriptions.mail, { backlog: 3, scheduled: 0, dead: 0, retries: 0 });
    assert.deepEqual(await store.parkedOf(name, 'all'), []);
    assert.deepEqual(
      (await store.documents('mail', ['early', 'late'])).map((document) => document?.value),
      ['v', undefined],
    );
    const { gained } = await tick(store, 'next');
    const first = gained.find(({ shard }) => shard === 0);
    assert.deepEqual([first?.checkpoint, first?.startMark, first?.parked], [{ low: 0, done: [] }, 0, 0]);
  });

  test('lets a subscription that was rebuilt go on like any other', async ({ store }) => {
    await own(store);
    await mustCommit(store, [{ rebuild: ['mail', 'nobody'] }, { rebuild: ['mail'] }]);
    const { gained } = await tick(store, 'worker');
    const lease = gained.find(({ shard }) => shard === 0);
    assert.ok(lease);
    const [name] = streamsIn(store, 0, 1) as [string];
    await mustCommit(store, [{ appends: [append(name, 'none', 2)] }]);
    await mustCommit(store, [{ lease: refOf(lease), done: [1, 2], park: [absent(delivery(store, name, 2))] }], { owner: 'worker' });
    assert.deepEqual((await store.counts()).subscriptions.mail, { backlog: 0, scheduled: 1, dead: 0, retries: 0 });
    assert.equal((await store.due([refOf(lease)], 10)).deliveries.length, 1);
  });

  test(
    'is seen at once by the process that owned the leases',
    async ({ store, another }) => {
      const other = await another();
      const [lease] = await own(store);
      assert.ok(lease);
      await mustCommit(store, [{ lease: refOf(lease), done: [] }], { owner: 'worker' });
      await mustCommit(other, [{ rebuild: ['mail'] }]);
      assert.deepEqual(await commitOne(store, { lease: refOf(lease) }, { owner: 'worker' }), { won: false, why: 'lease' });
    },
    'another',
  );
};
