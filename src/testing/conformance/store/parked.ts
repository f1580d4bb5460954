import assert from 'node:assert/strict';
import {
  absent,
  append,
  change,
  commitOne,
  delivery,
  mustCommit,
  own,
  recordOf,
  refOf,
  type StoreCase,
  streamsIn,
  tick,
  timer,
} from './subject.ts';

export const parkedCases = (test: StoreCase): void => {
  test('keeps every fact of a parked delivery and counts its changes', async ({ store, system }) => {
    const first = delivery(store, 'a\0\ud800', 1, {
      detail: '{"raw":"\\ud800\0"}',
      cause: 'é%',
      type: '__proto__',
      dueAt: 12,
      startedAt: 0,
      attempts: 2,
      generation: 3,
      lostStarts: 4,
      holds: false,
    });
    await mustCommit(store, [{ park: [absent(first)] }]);
    assert.deepEqual((await store.parked(first.id))?.parked, { ...first, revision: 1 });
    assert.equal((await change(store, first.id, { state: 'done', startedAt: null, detail: '' })).won, true);
    const closed = { state: 'done', closedAt: system.now(), startedAt: null, detail: '', revision: 2 };
    assert.deepEqual((await store.parked(first.id))?.parked, { ...first, ...closed });
    await change(store, first.id, {});
    assert.equal((await recordOf(store, first.id)).revision, 3);
  });

  test('parks what is absent only if it is, and changes what is there only at the revision named', async ({ store }) => {
    const record = delivery(store, 'a', 1);
    assert.deepEqual(await commitOne(store, { park: [{ record, expect: 1 }] }), { won: false, why: 'revision', id: record.id });
    assert.equal((await commitOne(store, { park: [absent(record)] })).won, true);
    assert.deepEqual(await commitOne(store, { park: [absent(record)] }), { won: false, why: 'revision', id: record.id });
    assert.deepEqual(await commitOne(store, { park: [absent(delivery(store, 'b', 1)), { record, expect: 2 }] }), {
      won: false,
      why: 'revision',
      id: record.id,
    });
    assert.equal(await store.parked('mail:b@1'), null);
    assert.equal((await commitOne(store, { park: [{ record, expect: 1 }] })).won, true);
  });

  test('replaces all of a record, also what kind of event it waits for', async ({ store, system }) => {
    const first = timer(store, 'a', 'reminder', { type: 'Remind', detail: '{"a":1}' });
    await mustCommit(store, [{ park: [absent(first)] }]);
    await mustCommit(store, [{ park: [{ record: { ...first, startedAt: 1 }, expect: 1 }] }]);
    await mustCommit(store, [{ park: [{ record: { ...first, type: 'Warn', detail: '{"b":1}', dueAt: system.now() + 5 }, expect: 2 }] }]);
    const { type, detail, dueAt } = await recordOf(store, first.id);
    assert.deepEqual([type, detail, dueAt], ['Warn', '{"b":1}', system.now() + 5]);
    await mustCommit(store, [{ park: [{ record: { ...first, type: 'Tell', detail: '{"b":1}', dueAt: system.now() + 5 }, expect: 3 }] }]);
    assert.equal((await recordOf(store, first.id)).type, 'Tell');
  });

  test('R6 sets due times by its own clock, and hands nothing out before', async ({ store, system }) => {
    const leases = (await own(store)).map(refOf);
    await mustCommit(store, [
      { park: [absent(delivery(store, 'a', 1), { delayMs: 250 }), absent(delivery(store, 'b', 1, { dueAt: system.now() + 400 }))] },
    ]);
    assert.equal((await recordOf(store, 'mail:a@1')).dueAt, system.now() + 250);
    assert.deepEqual(await store.due(leases, 10), { deliveries: [], nextInMs: 250 });
    await system.advance(249);
    assert.deepEqual(await store.due(leases, 10), { deliveries: [], nextInMs: 1 });
    await system.advance(1);
    const due = await store.due(leases, 10);
    assert.deepEqual([due.deliveries.map(({ parked }) => parked.id), due.nextInMs], [['mail:a@1'], 150]);
  });

  test('hands out what is due to the leases that ask, the longest due first, at most as many of each subscription as asked for', async ({
    store,
    system,
  }) => {
    const leases = (await own(store)).map(refOf);
    const names = Array.from({ length: 20 }, (_, i) => `s${i}`);
    await mustCommit(
      store,
      names.map((name, i) => ({ park: [absent(delivery(store, name, 1, { dueAt: system.now() - 1 - ((i * 7) % 20) }))] })),
    );
    const { deliveries, nextInMs } = await store.due(leases, 20);
    const dueAt = deliveries.map(({ parked }) => parked.dueAt);
    assert.equal(dueAt.length, 20);
    assert.deepEqual(
      dueAt,
      [...dueAt].sort((a, b) => a - b),
    );
    assert.equal(nextInMs, null);
    const few = await store.due(leases, 7);
    assert.deepEqual(
      few.deliveries.map(({ parked }) => parked.id),
      deliveries.slice(0, 7).map(({ parked }) => parked.id),
    );
    assert.equal(few.nextInMs, 0);
    const inHand = new Set(deliveries.slice(0, 5).map(({ parked }) => parked.id));
    const others = await store.due(leases, 7, inHand);
    assert.deepEqual(
      others.deliveries.map(({ parked }) => parked.id),
      deliveries.slice(5, 12).map(({ parked }) => parked.id),
    );
    assert.deepEqual(await store.due(leases, 20, new Set(deliveries.map(({ parked }) => parked.id))), { deliveries: [], nextInMs: null });
    const [lease] = leases;
    assert.ok(lease);
    const inShard = deliveries.filter(({ parked }) => parked.shard === 0).map(({ parked }) => parked.id);
    assert.deepEqual(
      (await store.due([lease], 20)).deliveries.map(({ parked }) => parked.id),
      inShard,
    );
    await store.register([{ name: 'stock', start: 'beginning' }]);
    const stock = (await tick(store, 'worker', { subscriptions: ['stock'] })).gained.map(refOf);
    await mustCommit(
      store,
      names.map((name) => ({ park: [absent(delivery(store, name, 1, { subscription: 'stock', dueAt: system.now() - 5 }))] })),
    );
    const ofBoth = await store.due([...leases, ...stock], 7);
    assert.equal(ofBoth.deliveries.filter(({ parked }) => parked.subscription === 'mail').length, 7);
    assert.equal(ofBoth.deliveries.filter(({ parked }) => parked.subscription === 'stock').length, 7);
    assert.equal(ofBoth.nextInMs, 0);
    assert.deepEqual(await store.due([{ ...lease, subscription: 'other' }], 20), { deliveries: [], nextInMs: null });
    assert.deepEqual(await store.due([], 20), { deliveries: [], nextInMs: null });
  });

  test('hands a parked delivery out with its event, and a timer without one', async ({ store }) => {
    const leases = (await own(store)).map(refOf);
    const [a, b] = streamsIn(store, 0, 2) as [string, string];
    await mustCommit(store, [
      {
        appends: [append(b, 'none', 2), append(a, 'none', 2)],
        park: [absent(delivery(store, a, 2, { position: 4 })), absent(timer(store, a, 'deadline'))],
      },
    ]);
    const [event] = await store.events(a, 1, 1);
    const due = await store.due(leases, 10);
    assert.deepEqual(due.deliveries.map((one) => [one.parked.id, one.event]).sort(), [
      [`mail:${a}#deadline`, null],
      [`mail:${a}@2`, event],
    ]);
    assert.deepEqual((await store.parked(`mail:${a}@2`))?.event, event);
    assert.equal((await store.parked(`mail:${a}#deadline`))?.event, null);
  });

  test('does not hand out what has started, until its owner says otherwise', async ({ store }) => {
    const leases = (await own(store)).map(refOf);
    await mustCommit(store, [{ park: [absent(delivery(store, 'a', 1)), absent(timer(store, 'a', 'deadline'))] }]);
    for (const id of ['mail:a@1', 'mail:a#deadline']) await change(store, id, { startedAt: 1 });
    assert.deepEqual(await store.due(leases, 10), { deliveries: [], nextInMs: null });
    for (const id of ['mail:a@1', 'mail:a#deadline']) await change(store, id, { startedAt: null });
    assert.equal((await store.due(leases, 10)).deliveries.length, 2);
  });

  test('drops timers, and ignores those that are not there', async ({ store }) => {
    const leases = (await own(store)).map(refOf);
    await mustCommit(store, [{ park: [absent(timer(store, 'a', 'x')), absent(timer(store, 'a', 'y'))] }]);
    await mustCommit(store, [{ drop: ['mail:a#x', 'mail:a#none', 'nobody:b#x'] }]);
    assert.equal(await store.parked('mail:a#x'), null);
    assert.deepEqual(
      (await store.due(leases, 9)).deliveries.map(({ parked }) => parked.id),
      ['mail:a#y'],
    );
    await mustCommit(store, [{ park: [absent(timer(store, 'a', 'x'))] }]);
  });

  test('supersedes dead letters and wakes scheduled ones, and leaves all others as they are', async ({ store, system }) => {
    const leases = (await own(store)).map(refOf);
    const states = ['scheduled', 'dead', 'done', 'discarded', 'superseded'] as const;
    await mustCommit(store, [
      { park: states.map((state, i) => absent(delivery(store, 'a', i + 1, { state, dueAt: system.now() + 1000 }))) },
      { park: [absent(delivery(store, 'b', 1, { dueAt: system.now() + 1000, startedAt: 1 })), absent(delivery(store, 'a', 9))] },
    ]);
    const ids = states.map((_, i) => `mail:a@${i + 1}`);
    await mustCommit(store, [{ supersede: [...ids, 'mail:none@1'] }]);
    assert.deepEqual(await Promise.all(ids.map(async (id) => (await recordOf(store, id)).state)), [
      'scheduled',
      'superseded',
      'done',
      'discarded',
      'superseded',
    ]);
    assert.deepEqual(await Promise.all(ids.map(async (id) => (await recordOf(store, id)).revision)), [1, 2, 1, 1, 1]);
    assert.deepEqual((await store.due(leases, 9)).deliveries, []);
    await mustCommit(store, [{ wake: [...ids, 'mail:b@1', 'mail:none@1'] }]);
    assert.deepEqual(
      (await store.due(leases, 9)).deliveries.map(({ parked }) => parked.id),
      ['mail:a@1'],
    );
    assert.deepEqual(await Promise.all([...ids, 'mail:b@1'].map(async (id) => (await recordOf(store, id)).revision)), [2, 2, 1, 1, 1, 1]);
    assert.equal((await recordOf(store, 'mail:b@1')).dueAt, system.now() + 1000);
  });

  test('lists what is parked of a stream, open or ever, by subscription and version', async ({ store }) => {
    await mustCommit(store, [
      {
        park: [
          absent(delivery(store, 'a', 3)),
          absent(delivery(store, 'a', 1, { state: 'dead' })),
          absent(delivery(store, 'a', 10, { state: 'done' })),
        ],
      },
      {
        park: [
          absent(delivery(store, 'a', 2, { subscription: 'alpha' })),
          absent(timer(store, 'a', 'deadline', { subscription: 'timers' })),
          absent(delivery(store, 'a%', 1)),
        ],
      },
    ]);
    const ids = async (which: 'open' | 'all') => (await store.parkedOf('a', which)).map(({ id }) => id);
    assert.deepEqual(await ids('open'), ['alpha:a@2', 'mail:a@1', 'mail:a@3', 'timers:a#deadline']);
    assert.deepEqual(await ids('all'), ['alpha:a@2', 'mail:a@1', 'mail:a@3', 'mail:a@10', 'timers:a#deadline']);
  });
};
