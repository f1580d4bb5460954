import assert from 'node:assert/strict';
import { append, commit, commitOne, type StoreCase, wholeLog } from './subject.ts';

const key = (name: string, stream = 'a') => ({ key: name, fingerprint: `print of ${name}`, stream });

export const keyCases = (test: StoreCase): void => {
  test('S25 binds a key once, however often and wherever it is asked for, and tells later ones to what', async ({ store, another }) => {
    const stores = [store, (await another?.()) ?? store];
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        commitOne(stores[i % 2] ?? store, { key: key('k', `s${i}`), appends: [append(`s${i}`, 'none')] }, { owner: `api-${i}` }),
      ),
    );
    const winner = results.findIndex(({ won }) => won);
    for (const [index, result] of results.entries()) {
      if (index !== winner) assert.deepEqual(result, { won: false, why: 'key', taken: key('k', `s${winner}`) });
    }
    assert.equal((await wholeLog(store)).flat().length, 1);
    const { units } = await commit(store, [{ key: key('twice', 'x') }, { key: key('twice', 'y') }, { key: key("k'\0\ud800%", 'z') }]);
    assert.deepEqual(
      units.map(({ won }) => won),
      [true, false, true],
    );
    assert.deepEqual(await commitOne(store, { key: key("k'\0\ud800%") }), { won: false, why: 'key', taken: key("k'\0\ud800%", 'z') });
  });

  test('S25 leaves a key free that a losing unit asked for, and takes it with the unit that wins', async ({ store }) => {
    assert.equal((await commitOne(store, { key: key('k', 'x'), appends: [append('x', 7)] })).won, false);
    const { units } = await commit(store, [
      { key: key('k', 'x'), appends: [append('x', 7)] },
      { key: key('k', 'y'), appends: [append('y', 'none')] },
    ]);
    assert.deepEqual(
      units.map(({ won }) => won),
      [false, true],
    );
    assert.deepEqual(await commitOne(store, { key: key('k', 'z') }), { won: false, why: 'key', taken: key('k', 'y') });
    assert.equal(await store.stream('x'), null);
  });
};
