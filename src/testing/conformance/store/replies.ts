import assert from 'node:assert/strict';
import { isOrderfoldError } from '../../../core/errors.ts';
import { append, batchOf, delivery, mustCommit, own, refOf, type StoreCase } from './subject.ts';

const key = (name: string, stream = 'a') => ({ key: name, fingerprint: `print of ${name}`, stream });

/** Runs `body` and says what it was refused with. */
const refusal = (body: Promise<unknown>): Promise<unknown> =>
  body.then(
    () => assert.fail('expected a rejection'),
    (error: unknown) => error,
  );

export const replyCases = (test: StoreCase): void => {
  test("tells the result of an owner's last batch to whom its reply never reached", async ({ store }) => {
    const [lease] = await own(store);
    assert.ok(lease);
    await mustCommit(store, [{ appends: [append('a', 'none')] }]);
    const stale = { ...refOf(lease), epoch: lease.epoch - 1 };
    const batch = batchOf(
      [
        { appends: [append('a', 1, 2), append('b', 'none'), append('a', 3)] },
        { appends: [append('a', 1)] },
        { lease: stale },
        { key: key('k') },
        { key: key('k', 'z') },
        { park: [{ record: delivery(store, 'a', 1), expect: 4 }] },
      ],
      {
        owner: 'worker',
        progress: [
          { lease: stale, done: [[1, 1]] },
          { lease: refOf(lease), done: [] },
        ],
      },
    );
    const result = await store.commit(batch);
    assert.deepEqual(
      result.units.map(({ won }) => won),
      [true, false, false, true, false, false],
    );
    assert.deepEqual(result.lost, [stale]);
    await mustCommit(store, [{ appends: [append('a')] }], { owner: 'somebody else' });
    assert.deepEqual(await store.lookUp('worker', batch.id), result);
    assert.equal(await store.lookUp('api', batch.id), null);
    assert.equal(await store.lookUp('worker', 'never sent'), null);
    assert.deepEqual(await store.lookUp('worker', batch.id), result, 'asking for one batch forgot another');
  });

  test('never lets a batch happen that was called absent', async ({ store, another }) => {
    const elsewhere = (await another?.()) ?? store;
    const late = batchOf([{ appends: [append('a', 'none')], key: key('k') }], { owner: 'slow' });
    assert.equal(await elsewhere.lookUp('slow', late.id), null);
    const error = await refusal(store.commit(late));
    assert.ok(isOrderfoldError(error, 'STORE'), `expected a STORE fault, got ${String(error)}`);
    assert.equal(await store.stream('a'), null);
    assert.equal(await store.lookUp('slow', late.id), null);
    await mustCommit(store, [{ appends: [append('a', 'none')], key: key('k') }], { owner: 'slow' });
  });

  test('remembers every batch it called absent, not only the last', async ({ store }) => {
    const late = [0, 1, 2].map(() => batchOf([{ appends: [append('a', 'any')] }], { owner: 'slow' }));
    for (const { id } of late) assert.equal(await store.lookUp('slow', id), null);
    assert.equal(await store.lookUp('other', late[0]?.id ?? ''), null);
    await mustCommit(store, [{}], { owner: 'slow' });
    for (const batch of late) assert.ok(isOrderfoldError(await refusal(store.commit(batch)), 'STORE'));
    assert.equal(await store.stream('a'), null);
  });

  test('gives a look-up that races with its batch one of two answers, and keeps to it', async ({ store, another }) => {
    const elsewhere = (await another?.()) ?? store;
    for (let i = 0; i < 12; i += 1) {
      const stream = `s${i}`;
      const batch = batchOf([{ appends: [append(stream, 'none')] }], { owner: `racer-${i}` });
      const asked = () => elsewhere.lookUp(batch.owner, batch.id);
      const committed = () => store.commit(batch).catch(() => null);
      const [answer, result] =
        i % 2 === 0 ? await Promise.all([asked(), committed()]) : (await Promise.all([committed(), asked()])).reverse();
      assert.deepEqual(answer, result, 'the batch and who asked for it were told different things');
      assert.equal((await store.stream(stream))?.version ?? null, answer === null ? null : 1);
      assert.deepEqual(await asked(), answer);
    }
  });
};
