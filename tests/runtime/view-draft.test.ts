import { describe, expect, it } from 'vitest';
import { createViewDraft } from '../../src/runtime/view-draft.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

type Row = Record<string, unknown>;

/** A draft over a store with some rows; `looks` are the keys of each look into the store. */
const draftOver = async (rows: Readonly<Record<string, Row>>) => {
  const system = virtualSystem();
  const store = createMemoryStore(system);
  const documents = Object.entries(rows).map(([key, row]) => ({
    collection: 'v',
    key,
    value: JSON.stringify(row),
    expect: 'any' as const,
  }));
  await store.commit({ owner: 'x', id: '1', progress: [], units: [{ documents }] });
  const looks: (readonly string[])[] = [];
  const watched = {
    documents(collection: string, keys: readonly string[]) {
      looks.push(keys);
      return store.documents(collection, keys);
    },
  };
  const revisions = new Map((await store.documentPage('v', '', 100, null)).rows.map(({ key, revision }) => [key, revision]));
  return { ...createViewDraft<Row>(watched, system, 'v'), looks, revisions };
};

describe('the draft of a view', () => {
  it('answers what is asked side by side with one look, and what was seen without any', async () => {
    const { draft, looks } = await draftOver({ a: { n: 1 }, b: { n: 2 } });
    expect(await Promise.all(['a', 'b', 'c', 'a'].map((key) => draft.get(key)))).toEqual([{ n: 1 }, { n: 2 }, null, { n: 1 }]);
    expect(await draft.get('b')).toEqual({ n: 2 });
    expect(looks).toEqual([['a', 'b', 'c']]);
  });

  it('sees its own changes, and hands out and keeps copies', async () => {
    const { draft, looks } = await draftOver({ a: { n: 1 } });
    const row: Row = { n: 5, when: new Date(0) };
    draft.set('b', row);
    row.n = 6;
    expect(await draft.get('b')).toEqual({ n: 5, when: '1970-01-01T00:00:00.000Z' });
    const seen = (await draft.get('a')) as Row;
    seen.n = 7;
    expect(await draft.get('a')).toEqual({ n: 1 });
    draft.delete('a');
    expect(await draft.get('a')).toBeNull();
    expect(looks).toEqual([['a']]);
  });

  it('guards what it read, written or not, and writes blindly what it did not read', async () => {
    const { draft, end, revisions } = await draftOver({ read: { n: 1 }, changed: { n: 2 }, gone: { n: 3 } });
    for (const key of ['read', 'changed', 'absent']) await draft.get(key);
    draft.set('changed', { n: 20 });
    draft.delete('gone');
    draft.set('new', { n: 4 });
    const collection = 'v';
    expect(end()).toEqual([
      { collection, key: 'read', expect: revisions.get('read') },
      { collection, key: 'changed', expect: revisions.get('changed'), value: '{"n":20}' },
      { collection, key: 'absent', expect: 'absent' },
      { collection, key: 'gone', expect: 'any', value: null },
      { collection, key: 'new', expect: 'any', value: '{"n":4}' },
    ]);
  });

  it('refuses what JSON can not hold, keys that no store takes, and everything after its end', async () => {
    const { draft, end } = await draftOver({});
    const cyclic: Row = {};
    cyclic.self = cyclic;
    for (const row of [cyclic, { big: 1n }, null, undefined]) {
      expect(() => draft.set('a', row as Row)).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    }
    for (const key of ['', 'x'.repeat(501), 'a\0b', '\ud800', 7]) {
      expect(() => draft.set(key as string, {})).toThrow(expect.objectContaining({ code: 'CONFIG' }));
      await expect(draft.get(key as string)).rejects.toMatchObject({ code: 'CONFIG' });
    }
    draft.set('__proto__', { fine: true });
    expect(await draft.get('__proto__')).toEqual({ fine: true });
    end();
    expect(() => draft.delete('a')).toThrow(/the batch has ended/);
  });
});
