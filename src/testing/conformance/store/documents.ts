import assert from 'node:assert/strict';
import type { DocumentWrite, StoredDocument } from '../../../core/records.ts';
import type { Store } from '../../../core/store.ts';
import { loadFastCheck } from '../../fast-check.ts';
import { append, batchOf, commit, commitOne, mustCommit, type StoreCase } from './subject.ts';

const put = (key: string, value: string | null, expect: DocumentWrite['expect'] = 'any', collection = 'view'): DocumentWrite => ({
  collection,
  key,
  value,
  expect,
});

const guard = (key: string, expect: DocumentWrite['expect']): DocumentWrite => ({ collection: 'view', key, expect });

const textOf = async (store: Store, key: string, collection = 'view') => (await store.documents(collection, [key]))[0]?.value ?? null;

const revisionOf = async (store: Store, key: string): Promise<number> => {
  const [found] = await store.documents('view', [key]);
  assert.ok(found, `expected a document under ${JSON.stringify(key)}`);
  return found.revision;
};

const allPages = async (store: Store, prefix: string, limit: number): Promise<readonly StoredDocument[]> => {
  const found: StoredDocument[] = [];
  for (let cursor: string | null = null, pages = 0; pages === 0 || cursor !== null; pages += 1) {
    const page: Awaited<ReturnType<Store['documentPage']>> = await store.documentPage('view', prefix, limit, cursor);
    assert.ok(page.rows.length === limit || page.nextCursor === null, 'a page in the middle is not full');
    found.push(...page.rows);
    cursor = page.nextCursor;
  }
  return found;
};

const keysOf = (documents: readonly StoredDocument[]): readonly string[] => documents.map(({ key }) => key);

/** UTF-8 sorts as the code points do. */
const byCodePoint = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Where order, prefixes and quoting go wrong. */
const ODD = [
  '',
  'a',
  'A',
  '%',
  '_',
  "'",
  '"',
  '\\',
  '\uffff',
  '\ufffd',
  '\u{1F600}',
  '\u{10FFFF}',
  '\ud7ff',
  '\ue000',
  'é',
  '\x01',
  '\x7f',
];

export const documentCases = (test: StoreCase): void => {
  test('keeps, replaces and deletes documents by collection and key', async ({ store }) => {
    const odd = '{"raw":"\\ud800\0"}\ud800';
    await mustCommit(store, [{ documents: [put('a', odd), put('b', ''), put('a', 'other', 'any', "it's")] }]);
    assert.deepEqual(
      (await store.documents('view', ['b', 'none', 'a', 'b'])).map((document) => document && [document.key, document.value]),
      [['b', ''], null, ['a', odd], ['b', '']],
    );
    assert.equal(await textOf(store, 'a', "it's"), 'other');
    assert.deepEqual(await store.documents('nobody', ['a']), [null]);
    assert.deepEqual(await store.documents('view', []), []);
    await mustCommit(store, [{ documents: [put('a', 'new'), put('b', null), put('none', null)] }]);
    assert.deepEqual([await textOf(store, 'a'), await textOf(store, 'b'), await textOf(store, 'a', "it's")], ['new', null, 'other']);
  });

  test('gives a document another revision with every write, and none again after it was deleted', async ({ store }) => {
    const seen = new Set<number>();
    for (let round = 0; round < 3; round += 1) {
      for (const value of ['x', 'x', 'y']) {
        await mustCommit(store, [{ documents: [put('a', value)] }, { documents: [put('b', value)] }]);
        const revision = await revisionOf(store, 'a');
        assert.ok(!seen.has(revision), `revision ${revision} came twice`);
        seen.add(revision);
      }
      await mustCommit(store, [{ documents: [put('a', null)] }, { rebuild: round === 1 ? ['view'] : [] }]);
    }
  });

  test(
    'gives none of the old revisions after a restart either',
    async ({ store, reopen }) => {
      await mustCommit(store, [{ documents: [put('a', '1')] }, { documents: [put('a', '2')] }]);
      const before = await revisionOf(store, 'a');
      await mustCommit(store, [{ documents: [put('a', null)] }]);
      const again = await reopen();
      await mustCommit(again, [{ documents: [put('a', '3', 'absent')] }]);
      assert.ok((await revisionOf(again, 'a')) > before);
    },
    'reopen',
  );

  test(
    'gives none of the revisions another process gave',
    async ({ store, another }) => {
      const other = await another();
      const seen = new Set<number>();
      for (let i = 0; i < 6; i += 1) {
        await mustCommit(i % 2 === 0 ? store : other, [{ documents: [put('a', null)] }, { documents: [put('a', 'x', 'absent')] }]);
        seen.add(await revisionOf(store, 'a'));
      }
      assert.equal(seen.size, 6);
      const revision = await revisionOf(store, 'a');
      await mustCommit(other, [{ documents: [put('a', 'theirs', revision)] }]);
      assert.equal((await commitOne(store, { documents: [put('a', 'mine', revision)] })).won, false);
      assert.equal(await textOf(store, 'a'), 'theirs');
    },
    'another',
  );

  test('writes only where the document is as expected: absent, of that revision, or whatever', async ({ store }) => {
    const lost = { won: false, why: 'document', collection: 'view', key: 'a' };
    assert.deepEqual(await commitOne(store, { documents: [put('a', 'x', 1)] }), lost);
    assert.equal((await commitOne(store, { documents: [put('a', 'x', 'absent')] })).won, true);
    assert.deepEqual(await commitOne(store, { documents: [put('a', 'y', 'absent')] }), lost);
    const revision = await revisionOf(store, 'a');
    assert.deepEqual(await commitOne(store, { documents: [put('a', 'y', revision + 1)] }), lost);
    assert.equal((await commitOne(store, { documents: [put('a', 'y', revision)] })).won, true);
    assert.deepEqual(await commitOne(store, { documents: [put('a', null, revision)] }), lost);
    assert.equal(await textOf(store, 'a'), 'y');
    assert.equal((await commitOne(store, { documents: [put('a', null, await revisionOf(store, 'a'))] })).won, true);
    assert.deepEqual(await commitOne(store, { documents: [put('a', 'z', revision)] }), lost);
    assert.equal((await commitOne(store, { documents: [put('a', 'z', 'absent')] })).won, true);
  });

  test('only judges a document that is given no value', async ({ store }) => {
    await mustCommit(store, [{ documents: [put('a', 'x'), guard('b', 'absent')] }]);
    const revision = await revisionOf(store, 'a');
    await mustCommit(store, [{ documents: [guard('a', revision), guard('b', 'absent'), guard('a', 'any')] }]);
    assert.equal(await revisionOf(store, 'a'), revision);
    for (const expect of ['absent', revision + 1] as const) {
      assert.deepEqual(await commitOne(store, { documents: [guard('a', expect), put('c', 'x')] }), {
        won: false,
        why: 'document',
        collection: 'view',
        key: 'a',
      });
    }
    assert.equal((await commitOne(store, { documents: [guard('b', revision)] })).won, false);
    assert.deepEqual(await store.documents('view', ['b', 'c']), [null, null]);
  });

  test('writes nothing of a unit that loses, and judges documents after everything else', async ({ store }) => {
    await mustCommit(store, [{ documents: [put('a', 'x')], appends: [append('s', 'none')] }]);
    const bad = put('a', 'y', 'absent');
    const result = await commitOne(store, { documents: [put('b', 'y'), bad], appends: [append('s', 'any')] });
    assert.deepEqual(result, { won: false, why: 'document', collection: 'view', key: 'a' });
    assert.equal((await store.stream('s'))?.version, 1);
    assert.equal(await textOf(store, 'b'), null);
    assert.deepEqual(await commitOne(store, { documents: [bad], appends: [append('s', 'none')] }), {
      won: false,
      why: 'version',
      stream: 's',
      actual: 1,
    });
  });

  test('lets the units of a batch see what earlier ones of it wrote, and lets one of two racers win', async ({ store }) => {
    await mustCommit(store, [{ documents: [put('a', 'old')] }]);
    const revision = await revisionOf(store, 'a');
    const { units } = await commit(store, [
      { documents: [put('a', 'first', revision)] },
      { documents: [put('a', 'second', revision), put('b', 'second')] },
      { documents: [put('c', 'one', 'absent')] },
      { documents: [put('c', 'two', 'absent')] },
      { documents: [put('c', null)] },
      { documents: [put('c', 'three', 'absent'), guard('b', 'absent')] },
    ]);
    assert.deepEqual(
      units.map(({ won }) => won),
      [true, false, true, false, true, true],
    );
    assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((key) => textOf(store, key))), ['first', null, 'three']);
  });

  test('judges all guards of a unit before it writes, so that one unit may write a key twice', async ({ store }) => {
    await mustCommit(store, [{ documents: [put('a', '1', 'absent'), put('a', '2', 'absent'), put('b', '1'), put('b', null)] }]);
    assert.deepEqual([await textOf(store, 'a'), await textOf(store, 'b')], ['2', null]);
  });

  test('remembers which document a unit of a batch lost to', async ({ store }) => {
    const batch = batchOf([{ documents: [put('é"', 'x', 7)] }, { documents: [put('a', 'x')] }]);
    const result = await store.commit(batch);
    assert.deepEqual(result.units[0], { won: false, why: 'document', collection: 'view', key: 'é"' });
    assert.deepEqual(await store.lookUp(batch.owner, batch.id), result);
  });

  test('pages through the documents of a prefix in the order of code points', async ({ store }) => {
    const keys = ODD.flatMap((first) => ODD.map((second) => `k${first}${second}`));
    const all = [...new Set([...keys, ...ODD.slice(1)])];
    await mustCommit(store, [{ documents: [...all.map((key) => put(key, `of ${key}`)), put('k', 'x', 'any', 'other')] }]);
    const sorted = [...all].sort(byCodePoint);
    assert.ok(sorted.indexOf('k\u{1F600}') > sorted.indexOf('k\ufffd'));
    for (const limit of [1, 7, 1000]) assert.deepEqual(keysOf(await allPages(store, '', limit)), sorted);
    const fc = await loadFastCheck();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...all, 'kk', '\u{10FFFF}\u{10FFFF}'), fc.integer({ min: 1, max: 9 }), async (prefix, limit) => {
        const expected = sorted.filter((key) => key.startsWith(prefix));
        const found = await allPages(store, prefix, limit);
        assert.deepEqual(keysOf(found), expected);
        for (const { key, value } of found) assert.equal(value, `of ${key}`);
      }),
      { numRuns: 60 },
    );
    assert.deepEqual(await store.documentPage('nobody', '', 10, null), { rows: [], nextCursor: null });
  });

  test('skips and repeats none on later pages when documents come and go meanwhile', async ({ store }) => {
    const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `k${String(from + i).padStart(2, '0')}`);
    await mustCommit(store, [{ documents: names(0, 30).map((key) => put(key, 'x')) }]);
    const first = await store.documentPage('view', 'k', 10, null);
    assert.deepEqual(keysOf(first.rows), names(0, 10));
    await mustCommit(store, [{ documents: [...keysOf(first.rows).map((key) => put(key, null)), put('k05a', 'x'), put('k15a', 'x')] }]);
    const second = await store.documentPage('view', 'k', 10, first.nextCursor);
    assert.deepEqual(keysOf(second.rows), [...names(10, 16), 'k15a', ...names(16, 19)]);
    await mustCommit(store, [{ documents: [put('k20', null), put('k19', 'new')] }]);
    const third = await store.documentPage('view', 'k', 20, second.nextCursor);
    assert.deepEqual(keysOf(third.rows), ['k19', ...names(21, 30)]);
    assert.deepEqual([third.rows[0]?.value, third.nextCursor], ['new', null]);
  });
};
