import assert from 'node:assert/strict';
import { shardOf } from '../../../core/shard.ts';
import { absent, append, commitOne, delivery, events, mustCommit, type StoreCase } from './subject.ts';

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
  ['five thousand levels', '['.repeat(5000) + ']'.repeat(5000)],
  ['__proto__', '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}'],
  ['escaped NUL and half a pair', '{"a":"\\u0000","b":"\\ud800"}'],
  ['raw NUL and half a pair', '"a\0b\ud800c"'],
  ['text that reads backwards', '"\u202egnirts \u2066"'],
  ['numbers beyond 2^53', '[12345678901234567890,1e400,-0]'],
  ['odd white space', ' { "a" :\n1 , "a": 2 } '],
  ['no JSON at all', '{"a":'],
  ['nothing', ''],
] as const;

const ODD_TEXTS = [
  ['__proto__', '__proto__'],
  ['constructor', 'constructor'],
  ['U+202E', '\u202egnirts'],
  ['NUL', 'a\0b'],
  ['half a pair', 'half \ud83d'],
  ['quotes and wildcards', 'it\'s %_\\"'],
  ['two kilobytes of emoji', '😀'.repeat(500)],
] as const;

export const payloadCases = (test: StoreCase): void => {
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

  test('gives back a payload of 10 MB, by stream and by shard, and the state folded from it', async ({ store }) => {
    // Characters of one, two and four bytes; made for this case, as it would be a burden to all that run beside it.
    const big = JSON.stringify({ text: 'aé😀'.repeat(1_500_000) });
    const fold = { state: big, status: 'big', fingerprint: 'f' };
    await mustCommit(store, [{ appends: [{ stream: 'a', expected: 'none', events: events(1, () => big), fold }, append('b', 'none')] }]);
    assert.ok((await store.events('a', 0, 10))[0]?.data === big);
    assert.ok((await store.read(shardOf('a', store.shards), 0, 10)).some(({ data }) => data === big));
    assert.ok((await store.stream('a'))?.state === big);
    assert.equal((await store.events('b', 0, 10)).length, 1);
  });

  for (const [what, text] of ODD_TEXTS) {
    // What code names itself, such as a status or a collection, is well-formed.
    const name = text.replace(/\ud83d$/, '');
    test(`keeps an odd text wherever a text is kept: ${what}`, async ({ store }) => {
      const event = { type: text, schema: 1, data: text, time: 0, cause: text };
      const taken = { key: text, fingerprint: text, stream: text };
      await mustCommit(store, [
        {
          key: taken,
          appends: [{ stream: 's', expected: 'none', events: [event], fold: { state: text, status: name, fingerprint: name } }],
          park: [absent(delivery(store, 's', 1, { state: 'dead', type: text, cause: text, detail: text }))],
          documents: [{ collection: name, key: 'k', value: text, expect: 'absent' }],
          pause: [{ of: 'stream', name: 's', by: text, reason: text }],
        },
      ]);
      const [found] = await store.events('s', 0, 10);
      assert.deepEqual([found?.type, found?.data, found?.cause], [text, text, text]);
      const [row] = (await store.streams({ status: name }, 10, null)).rows;
      assert.deepEqual([row?.state, row?.status, row?.fingerprint], [text, name, name]);
      const [letter] = (await store.dead({ type: text, cause: text }, 10, null)).rows;
      assert.deepEqual([letter?.type, letter?.cause, letter?.detail], [text, text, text]);
      assert.equal((await store.causes({}))[0]?.cause, text);
      const [pause] = await store.pauses('s');
      assert.deepEqual([pause?.by, pause?.reason], [text, text]);
      assert.equal((await store.documents(name, ['k']))[0]?.value, text);
      assert.deepEqual(await commitOne(store, { key: { ...taken, fingerprint: 'other' } }), { won: false, why: 'key', taken });
    });
  }
};
