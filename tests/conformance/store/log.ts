import assert from 'node:assert/strict';
import { shardOf } from '../../../src/core/shard.ts';
import { append, commit, commitOne, events, mustCommit, type StoreCase, streamsIn, wholeLog } from './subject.ts';

const ODD_NAMES = [
  "x'; drop table events;--",
  'a%_\\',
  'a%b\\',
  'A',
  'a',
  'a ',
  'a@1',
  'a#1',
  'mail:a@1',
  '__proto__',
  'constructor',
  '😀',
  'é',
  'e\u0301',
  '\u202egnirts',
  'a\0b',
  'a\0c',
  'half \ud83d',
  'half \ud83e',
  'x'.repeat(10_000),
];

const PAYLOADS = [
  ['one megabyte', JSON.stringify({ text: 'é'.repeat(500_000) })],
  ['five thousand levels', '['.repeat(5000) + ']'.repeat(5000)],
  ['__proto__', '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}'],
  ['escaped NUL and half a pair', '{"a":"\\u0000","b":"\\ud800"}'],
  ['raw NUL and half a pair', '"a\0b\ud800c"'],
  ['numbers beyond 2^53', '[12345678901234567890,1e400,-0]'],
  ['odd white space', ' { "a" :\n1 , "a": 2 } '],
  ['no JSON at all', '{"a":'],
  ['nothing', ''],
] as const;

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

  for (const [what, payload] of PAYLOADS) {
    test(`gives back the exact text of a payload: ${what}`, async ({ store }) => {
      await mustCommit(store, [{ appends: [{ stream: 'a', expected: 'none', events: events(1, () => payload) }] }]);
      assert.ok((await store.events('a', 0, 10))[0]?.data === payload);
    });
  }

  test('keeps the oddest stream names apart', async ({ store }) => {
    await mustCommit(
      store,
      ODD_NAMES.map((stream, index) => ({
        appends: [
          {
            stream,
            expected: 'none' as const,
            events: events(1, () => String(index)),
            fold: { state: String(index), status: 'odd', fingerprint: 'f' },
          },
        ],
      })),
    );
    for (const [index, stream] of ODD_NAMES.entries()) {
      const [event, ...more] = await store.events(stream, 0, 10);
      assert.deepEqual([event?.stream, event?.data, more.length], [stream, String(index), 0]);
      assert.equal((await store.stream(stream))?.state, String(index));
      assert.ok((await store.read(shardOf(stream, store.shards), 0, 100)).some((read) => read.stream === stream));
    }
    assert.deepEqual((await store.streams({}, 100, null)).rows.map(({ stream }) => stream).reverse(), ODD_NAMES);
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
    let writing = true;
    const reader = (async () => {
      const seen: number[] = [];
      while (writing || seen.length < 120) {
        const found = await store.read(0, seen.length, 7);
        for (const { position } of found) assert.equal(position, seen.push(position));
        const head = (await store.heads())[0] ?? 0;
        assert.ok(head >= seen.length, `a head of ${head} after ${seen.length} events were seen`);
        await new Promise(setImmediate);
      }
      return seen.length;
    })();
    const names = streamsIn(store, 0, 4);
    await Promise.all(
      names.map(async (name, writer) => {
        for (let i = 0; i < 15; i += 1) {
          await commit(
            stores[writer % 2] ?? store,
            [{ appends: [append(name)] }, { appends: [append(name, 99)] }, { appends: [append(name)] }],
            {
              owner: `api-${writer}`,
            },
          );
          await new Promise(setImmediate);
        }
      }),
    );
    writing = false;
    assert.equal(await reader, 120);
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
};
