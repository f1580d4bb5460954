import assert from 'node:assert/strict';
import { shardOf } from '../../../core/shard.ts';
import { absent, append, commitOne, delivery, mustCommit, own, refOf, type StoreCase, streamsIn } from './subject.ts';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

export const logCases = (test: StoreCase): void => {
  test('S16 numbers events 1.. within their stream and within their shard, in the order they were appended', async ({ store }) => {
    const [a, b] = streamsIn(store, 0, 2) as [string, string];
    await mustCommit(store, [{ appends: [append(a, 'none', 2)] }, { appends: [append(b, 'none', 1)] }, { appends: [append(a, 2, 2)] }]);
    const log = await store.read(0, 0, 100);
    assert.deepEqual(
      log.map(({ stream, version, position }) => [stream, version, position]),
      [
        [a, 1, 1],
        [a, 2, 2],
        [b, 1, 3],
        [a, 3, 4],
        [a, 4, 5],
      ],
    );
    assert.equal((await store.heads())[0], 5);
    assert.equal((await store.heads()).length, store.shards);
  });

  test('tells where each append went, in the order of the unit', async ({ store }) => {
    const [a, b] = streamsIn(store, 0, 2) as [string, string];
    await mustCommit(store, [{ appends: [append(a, 'none', 3)] }]);
    const result = await commitOne(store, { appends: [append(b, 'none', 2), append(a, 3, 1)] });
    assert.deepEqual(result, {
      won: true,
      appended: [
        { stream: b, shard: 0, firstVersion: 1, firstPosition: 4 },
        { stream: a, shard: 0, firstVersion: 4, firstPosition: 6 },
      ],
    });
  });

  test('gives back type, schema, time and cause as they were written, and no cause where none was', async ({ store }) => {
    const written = [
      { type: '__proto__', schema: 7, data: '1', time: 1_700_000_000_123, cause: 'other@3' },
      { type: 'toString', schema: 1, data: '2', time: 0 },
    ];
    await mustCommit(store, [{ appends: [{ stream: 'a', expected: 'none', events: written }] }]);
    const shard = shardOf('a', store.shards);
    const expected = written.map((event, index) => ({ ...event, stream: 'a', shard, version: index + 1, position: index + 1 }));
    assert.deepEqual(await store.events('a', 0, 10), expected);
    assert.deepEqual(await store.read(shard, 0, 10), expected);
  });

  test('keeps the trace context of an event and gives it back wherever events are read, and none where none was', async ({ store }) => {
    const written = [
      { type: 'Placed', schema: 1, data: '1', time: 0, traceparent: TRACE },
      { type: 'Placed', schema: 1, data: '2', time: 0 },
      { type: 'Placed', schema: 1, data: '3', time: 0, cause: 'other@3', traceparent: TRACE.replace('4bf', '5bf') },
    ];
    const leases = await own(store);
    const park = written.map((_, index) => absent(delivery(store, 'a', index + 1, { subscription: 'mail', holds: false })));
    await mustCommit(store, [{ appends: [{ stream: 'a', expected: 'none', events: written }], park }]);
    const shard = shardOf('a', store.shards);
    const expected = written.map((event, index) => ({ ...event, stream: 'a', shard, version: index + 1, position: index + 1 }));
    assert.deepEqual(await store.events('a', 0, 10), expected);
    assert.deepEqual(await store.read(shard, 0, 10), expected);
    assert.deepEqual((await store.due(leases.map(refOf), 10)).deliveries[0]?.event, expected[0]);
    for (const [index, { record }] of park.entries()) assert.deepEqual((await store.parked(record.id))?.event, expected[index]);
  });

  test('reads a shard and a stream in pages', async ({ store }) => {
    const [a, b] = streamsIn(store, 0, 2) as [string, string];
    for (let i = 0; i < 5; i += 1) await mustCommit(store, [{ appends: [append(a), append(b)] }]);
    assert.deepEqual(
      (await store.read(0, 3, 4)).map(({ position }) => position),
      [4, 5, 6, 7],
    );
    assert.deepEqual(
      (await store.read(0, 8, 100)).map(({ position }) => position),
      [9, 10],
    );
    assert.deepEqual(
      (await store.events(a, 1, 2)).map(({ version }) => version),
      [2, 3],
    );
    assert.deepEqual(
      (await store.events(b, 3, 100)).map(({ version }) => version),
      [4, 5],
    );
  });

  test('answers what is not there with nothing', async ({ store }) => {
    assert.deepEqual(await store.heads(), new Array(store.shards).fill(0));
    assert.deepEqual(await store.read(0, 0, 10), []);
    assert.deepEqual(await store.read(0, 99, 10), []);
    assert.deepEqual(await store.events('a', 0, 10), []);
    assert.equal(await store.stream('a'), null);
    assert.equal(await store.parked('mail:a@1'), null);
    assert.deepEqual(await store.parkedOf('a', 'all'), []);
    assert.deepEqual((await store.streams({}, 10, null)).rows, []);
  });
};
