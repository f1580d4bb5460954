import assert from 'node:assert/strict';
import { absent, append, commit, commitOne, delivery, mustCommit, own, refOf, type StoreCase, streamsIn, wholeLog } from './subject.ts';

const key = (name: string, stream = 'a') => ({ key: name, fingerprint: `print of ${name}`, stream });

export const batchCases = (test: StoreCase): void => {
  test('judges "none", a number and "any" by the version the stream has, and tells the loser what it is', async ({ store }) => {
    assert.equal((await commitOne(store, { appends: [append('a', 1)] })).won, false);
    assert.equal((await commitOne(store, { appends: [append('a', 0)] })).won, true);
    assert.deepEqual(await commitOne(store, { appends: [append('a', 'none')] }), { won: false, why: 'version', stream: 'a', actual: 1 });
    assert.deepEqual(await commitOne(store, { appends: [append('a', 2)] }), { won: false, why: 'version', stream: 'a', actual: 1 });
    assert.equal((await commitOne(store, { appends: [append('a', 1)] })).won, true);
    assert.equal((await commitOne(store, { appends: [append('a', 'any')] })).won, true);
    assert.equal((await commitOne(store, { appends: [append('b', 'any')] })).won, true);
  });

  test('counts what earlier units of the batch and earlier appends of the unit have written', async ({ store }) => {
    const { units } = await commit(store, [
      { appends: [append('a', 'none', 2)] },
      { appends: [append('a', 'none')] },
      { appends: [append('a', 2, 2), append('a', 4)] },
      { appends: [append('a', 4)] },
      { appends: [append('a', 5), append('a', 'any'), append('a', 7), append('b', 'none'), append('b', 1)] },
    ]);
    assert.deepEqual(
      units.map(({ won }) => won),
      [true, false, true, false, true],
    );
    assert.deepEqual(
      (await store.events('a', 0, 100)).map(({ version }) => version),
      [1, 2, 3, 4, 5, 6, 7, 8],
    );
    assert.deepEqual(
      (await store.events('b', 0, 100)).map(({ version }) => version),
      [1, 2],
    );
  });

  test('writes nothing of a unit that loses and everything of its neighbours, without a gap in any position', async ({ store }) => {
    const [lease] = await own(store);
    const [a, b, c] = streamsIn(store, 0, 3) as [string, string, string];
    assert.ok(lease);
    await mustCommit(store, [{ appends: [append(a, 'none', 2)] }]);
    const { units } = await commit(
      store,
      [
        { appends: [append(b, 'none')], lease: refOf(lease), done: [1] },
        {
          lease: refOf(lease),
          done: [2],
          key: key('k'),
          appends: [append(c, 'none', 3), append(a, 9)],
          park: [absent(delivery(store, a, 2))],
        },
        { appends: [append(c, 'none')] },
      ],
      { owner: 'worker' },
    );
    assert.deepEqual(
      units.map(({ won }) => won),
      [true, false, true],
    );
    assert.deepEqual(
      (await store.read(0, 0, 100)).map(({ stream, position }) => [stream, position]),
      [
        [a, 1],
        [a, 2],
        [b, 3],
        [c, 4],
      ],
    );
    assert.equal(await store.parked(`mail:${a}@2`), null);
    assert.equal((await commitOne(store, { key: key('k') })).won, true, 'a unit that lost took its key');
    assert.equal((await store.counts()).subscriptions.mail?.backlog, 3, 'a unit that lost marked its position done');
  });

  test('judges lease before key before versions before revisions', async ({ store }) => {
    const [lease] = await own(store);
    assert.ok(lease);
    await mustCommit(store, [{ key: key('k'), appends: [append('a', 'none')], park: [absent(delivery(store, 'a', 1))] }]);
    const bad = { key: key('k', 'z'), appends: [append('a', 'none')], park: [absent(delivery(store, 'a', 1))] };
    const why = async (unit: Parameters<typeof commitOne>[1]) => {
      const result = await commitOne(store, unit, { owner: 'worker' });
      return result.won ? 'won' : result.why;
    };
    assert.equal(await why({ ...bad, lease: { ...refOf(lease), epoch: lease.epoch - 1 } }), 'lease');
    assert.equal(await why({ ...bad, lease: refOf(lease) }), 'key');
    assert.equal(await why({ ...bad, key: key('other') }), 'version');
    assert.equal(await why({ park: bad.park }), 'revision');
  });

  test('R19 lets one of several changes that race for a revision win', async ({ store, another }) => {
    const stores = [store, (await another?.()) ?? store];
    await mustCommit(store, [{ park: [absent(delivery(store, 'a', 1))] }]);
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        commitOne(
          stores[i % 2] ?? store,
          { park: [{ record: delivery(store, 'a', 1, { generation: i }), expect: 1 }] },
          { owner: `api-${i}` },
        ),
      ),
    );
    assert.equal(results.filter(({ won }) => won).length, 1);
    for (const result of results.filter(({ won }) => !won)) assert.deepEqual(result, { won: false, why: 'revision', id: 'mail:a@1' });
    assert.equal((await store.parked('mail:a@1'))?.parked.revision, 2);
  });

  test('commits a thousand units in one batch', async ({ store }) => {
    const { units } = await mustCommit(
      store,
      Array.from({ length: 1000 }, (_, i) => ({ appends: [append(`s${i}`, 'none', 3)] })),
    );
    assert.equal(units.length, 1000);
    const log = await wholeLog(store);
    assert.equal(log.flat().length, 3000);
    for (const shard of log)
      assert.deepEqual(
        shard.map(({ position }) => position),
        shard.map((_, index) => index + 1),
      );
  });

  test('commits a batch of nothing', async ({ store }) => {
    assert.deepEqual(await commit(store, []), { units: [], lost: [] });
    assert.deepEqual(await commitOne(store, {}), { won: true, appended: [] });
  });
};
