import assert from 'node:assert/strict';
import type { ParkedState } from '../../../core/records.ts';
import { absent, change, delivery, mustCommit, recordOf, type StoreCase, timer } from './subject.ts';

const CLOSED = ['done', 'discarded', 'superseded'] as const;

export const retentionCases = (test: StoreCase): void => {
  test('dates by its own clock when a delivery stops being open, and keeps the date', async ({ store, system }) => {
    await mustCommit(store, [
      { park: CLOSED.map((_, i) => absent(delivery(store, 'a', i + 1, { state: i === 1 ? 'dead' : 'scheduled' }))) },
    ]);
    for (const [i, state] of CLOSED.entries()) {
      const id = `mail:a@${i + 1}`;
      assert.equal((await recordOf(store, id)).closedAt, null);
      await system.advance(10);
      await change(store, id, { detail: '{"still":"open"}' });
      assert.equal((await recordOf(store, id)).closedAt, null);
      await change(store, id, { state });
      const closedAt = system.now();
      assert.equal((await recordOf(store, id)).closedAt, closedAt);
      await system.advance(10);
      await change(store, id, { detail: '{}', closedAt: null });
      await change(store, id, { detail: '', closedAt: 1 });
      assert.equal((await recordOf(store, id)).closedAt, closedAt);
    }
  });

  test('dates what is superseded, and what was over when it came', async ({ store, system }) => {
    await mustCommit(store, [
      { park: [absent(delivery(store, 'a', 1, { state: 'dead' })), absent(delivery(store, 'b', 1, { state: 'done', closedAt: 5 }))] },
    ]);
    assert.equal((await recordOf(store, 'mail:b@1')).closedAt, system.now());
    await system.advance(7);
    await mustCommit(store, [{ supersede: ['mail:a@1', 'mail:b@1'] }]);
    const { state, closedAt } = await recordOf(store, 'mail:a@1');
    assert.deepEqual([state, closedAt], ['superseded', system.now()]);
    assert.equal((await recordOf(store, 'mail:b@1')).closedAt, system.now() - 7);
  });

  test('forgets the date of a delivery that is open again, and dates it anew', async ({ store, system }) => {
    await mustCommit(store, [{ park: [absent(delivery(store, 'a', 1, { state: 'done' }))] }]);
    for (const open of ['scheduled', 'dead'] as const) {
      await change(store, 'mail:a@1', { state: open });
      assert.equal((await recordOf(store, 'mail:a@1')).closedAt, null);
      await system.advance(3);
      await change(store, 'mail:a@1', { state: 'discarded' });
      assert.equal((await recordOf(store, 'mail:a@1')).closedAt, system.now());
    }
  });

  test('leaves a dead letter open through redrive and wake', async ({ store, system }) => {
    await mustCommit(store, [{ park: [absent(delivery(store, 'a', 1, { state: 'dead' }))] }]);
    await change(store, 'mail:a@1', { state: 'scheduled', generation: 1 }, { delayMs: 50 });
    await mustCommit(store, [{ wake: ['mail:a@1'] }]);
    assert.equal((await recordOf(store, 'mail:a@1')).closedAt, null);
    await system.advance(1000);
    assert.equal(await store.prune(0, 10), 0);
    assert.equal((await recordOf(store, 'mail:a@1')).state, 'scheduled');
  });

  test('prunes what was closed longer ago than asked for, never what is open', async ({ store, system }) => {
    const states: readonly ParkedState[] = ['scheduled', 'dead', ...CLOSED];
    const bury = (stream: string) =>
      mustCommit(store, [
        { park: [...states.map((state, i) => absent(delivery(store, stream, i + 1, { state }))), absent(timer(store, stream, 'x'))] },
      ]);
    await bury('old');
    await system.advance(10);
    await bury('new');
    await system.advance(100);
    assert.equal(await store.prune(110, 100), 0);
    assert.equal(await store.prune(109, 100), 3);
    assert.deepEqual(
      (await store.parkedOf('old', 'all')).map(({ state }) => state),
      ['scheduled', 'scheduled', 'dead'],
    );
    assert.equal((await store.parkedOf('new', 'all')).length, 6);
    assert.equal(await store.prune(109, 100), 0);
    await system.advance(1_000_000);
    assert.equal(await store.prune(0, 100), 3);
    assert.equal((await store.dead({}, 10, null)).rows.length, 2);
  });

  test('prunes at most as many as it is told, until none is left', async ({ store, system }) => {
    await mustCommit(store, [{ park: Array.from({ length: 25 }, (_, i) => absent(delivery(store, 'a', i + 1, { state: 'done' }))) }]);
    await system.advance(1);
    const pruned: number[] = [];
    for (let i = 0; i < 4; i += 1) pruned.push(await store.prune(0, 10));
    assert.deepEqual(pruned, [10, 10, 5, 0]);
    assert.deepEqual(await store.parkedOf('a', 'all'), []);
  });

  test('leaves the counts as they are, and lets a pruned delivery be parked anew', async ({ store, system }) => {
    await store.register([{ name: 'mail', start: 'beginning' }]);
    await mustCommit(store, [
      {
        park: [
          absent(delivery(store, 'a', 1, { state: 'done' }), { failed: true }),
          absent(delivery(store, 'a', 2)),
          absent(delivery(store, 'b', 1, { state: 'dead' })),
        ],
      },
    ]);
    const before = await store.counts();
    await system.advance(1);
    assert.equal(await store.prune(0, 10), 1);
    assert.deepEqual(await store.counts(), before);
    assert.equal(await store.parked('mail:a@1'), null);
    await mustCommit(store, [{ park: [absent(delivery(store, 'a', 1))] }]);
    const { revision, closedAt } = await recordOf(store, 'mail:a@1');
    assert.deepEqual([revision, closedAt], [1, null]);
  });
};
