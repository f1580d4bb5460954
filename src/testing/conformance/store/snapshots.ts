import assert from 'node:assert/strict';
import { append, commit, folded, meanwhile, mustCommit, type StoreCase } from './subject.ts';

export const snapshotCases = (test: StoreCase): void => {
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

  test('S14 keeps the state of the append that won: of several in a unit the last, of a unit that lost none', async ({ store }) => {
    await mustCommit(store, [{ appends: [folded('a', 'none', 'placed', 'first'), folded('a', 1, 'confirmed', 'second')] }]);
    assert.equal((await store.stream('a'))?.state, 'second');
    await mustCommit(store, [{ appends: [folded('a', 2, 'confirmed', 'other')] }, { appends: [folded('a', 3, 'confirmed', 'third')] }]);
    const lost = await commit(store, [{ appends: [folded('a', 4, 'cancelled', 'fourth'), append('b', 7)] }]);
    assert.equal(lost.units[0]?.won, false);
    const row = { stream: 'a', version: 4, status: 'confirmed', state: 'third', stateVersion: 4, fingerprint: 'v1' };
    assert.deepEqual(await store.stream('a'), row);
    assert.deepEqual((await store.counts()).streams, { confirmed: 1 });
    await mustCommit(store, [
      { appends: [{ ...folded('a', 4, 'done', 'by other code'), fold: { ...row, state: 'x', fingerprint: 'v2' } }] },
    ]);
    assert.deepEqual(await store.stream('a'), { ...row, version: 5, stateVersion: 5, state: 'x', fingerprint: 'v2' });
  });

  test('S23 never shows a state beside a version that it does not belong to', async ({ store, another }) => {
    const writer = (await another?.()) ?? store;
    const look = async () => {
      const row = await store.stream('a');
      if (row !== null) assert.deepEqual([row.state, row.stateVersion], [`at ${row.version}`, row.version]);
    };
    await meanwhile(look, async () => {
      for (let version = 0; version < 15; version += 1) {
        const expected = version === 0 ? ('none' as const) : version;
        await mustCommit(writer, [{ appends: [folded('a', expected, 'placed', `at ${version + 1}`)] }]);
        await new Promise(setImmediate);
      }
    });
  });
};
