import assert from 'node:assert/strict';
import { append, commit, commitOne, meanwhile, type StoreCase, streamsIn, tick, wholeLog } from './subject.ts';

export const raceCases = (test: StoreCase): void => {
  test('S23 gives each version of a stream to exactly one of the appends that race for it', async ({ store, another }) => {
    const stores = [store, (await another?.()) ?? store];
    for (let version = 0; version < 5; version += 1) {
      const expected = version === 0 ? ('none' as const) : version;
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, i) => commitOne(stores[i % 2] ?? store, { appends: [append('a', expected)] }, { owner: `api-${i}` })),
      );
      assert.equal(results.filter(({ won }) => won).length, 1);
      for (const result of results.filter(({ won }) => !won)) {
        assert.deepEqual(result, { won: false, why: 'version', stream: 'a', actual: version + 1 });
      }
    }
    assert.deepEqual(
      (await store.events('a', 0, 100)).map(({ version }) => version),
      [1, 2, 3, 4, 5],
    );
  });

  test('shows each shard in order and without gaps while others append to it', async ({ store, another }) => {
    const stores = [store, (await another?.()) ?? store];
    const names = streamsIn(store, 0, 4);
    const seen: number[] = [];
    const look = async () => {
      for (let found = await store.read(0, seen.length, 7); found.length > 0; found = await store.read(0, seen.length, 7))
        for (const { position } of found) assert.equal(position, seen.push(position));
      const head = (await store.heads())[0] ?? 0;
      assert.ok(head >= seen.length, `a head of ${head} after ${seen.length} events were seen`);
    };
    const write = async (name: string, writer: number) => {
      const units = [{ appends: [append(name)] }, { appends: [append(name, 99)] }, { appends: [append(name)] }];
      for (let i = 0; i < 15; i += 1) {
        await commit(stores[writer % 2] ?? store, units, { owner: `api-${writer}` });
        await new Promise(setImmediate);
      }
    };
    await meanwhile(look, async () => void (await Promise.all(names.map(write))));
    assert.equal(seen.length, 120);
    const log = await wholeLog(store);
    for (const name of names) {
      const versions = log
        .flat()
        .filter(({ stream }) => stream === name)
        .map(({ version }) => version);
      assert.deepEqual(
        versions,
        versions.map((_, index) => index + 1),
      );
    }
  });

  test('lets every append of "any" win however many race, and numbers them without a gap', async ({ store, another }) => {
    const stores = [store, (await another?.()) ?? store];
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, i) => commitOne(stores[i % 2] ?? store, { appends: [append('a', 'any', 2)] }, { owner: `api-${i}` })),
    );
    const first = results.map((result) => (result.won ? result.appended[0]?.firstVersion : null));
    assert.deepEqual(
      first.sort((a, b) => (a ?? 0) - (b ?? 0)),
      Array.from({ length: 12 }, (_, i) => 2 * i + 1),
    );
    assert.deepEqual(
      (await store.events('a', 0, 100)).map(({ version }) => version),
      Array.from({ length: 24 }, (_, i) => i + 1),
    );
  });

  test('S23 lets whole units race: the loser of one version has written nothing of its other streams either', async ({
    store,
    another,
  }) => {
    const stores = [store, (await another?.()) ?? store];
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        commitOne(stores[i % 2] ?? store, { appends: [append(`own ${i}`, 'none'), append('shared', 'none')] }, { owner: `api-${i}` }),
      ),
    );
    const winners = results.flatMap(({ won }, i) => (won ? [`own ${i}`] : []));
    assert.equal(winners.length, 1);
    assert.deepEqual(
      (await wholeLog(store))
        .flat()
        .map(({ stream }) => stream)
        .sort(),
      [...winners, 'shared'].sort(),
    );
  });

  test('shows a unit whole or not at all while others commit', async ({ store, another }) => {
    const writer = (await another?.()) ?? store;
    const [a] = streamsIn(store, 0, 1) as [string];
    const [b] = streamsIn(store, 1, 1) as [string];
    const look = async () => {
      const heads = await store.heads();
      assert.equal(heads[0], heads[1], 'half of a unit was seen');
    };
    await meanwhile(look, async () => {
      for (let i = 0; i < 20; i += 1) {
        await commit(writer, [{ appends: [append(a), append(b)] }, { appends: [append(a), append(b, 99)] }]);
        await new Promise(setImmediate);
      }
    });
    assert.deepEqual((await store.heads()).slice(0, 2), [20, 20]);
  });

  test('makes a subscription once, however many open the data and register it at once', async ({ store, another }) => {
    const stores = [store, ...(another === undefined ? [] : await Promise.all([another(), another()]))];
    await Promise.all(stores.map((one) => one.open()));
    await Promise.all(stores.map((one) => one.register([{ name: 'mail', start: 'beginning' }])));
    for (const one of stores) assert.equal(one.shards, store.shards);
    const { gained } = await tick(store, 'worker');
    assert.deepEqual(
      gained.map(({ shard }) => shard).sort((a, b) => a - b),
      Array.from({ length: store.shards }, (_, shard) => shard),
    );
  });
};
