import type { DocumentWrite, StoredDocument } from '../../core/records.ts';
import type { Page } from '../../core/store.ts';

/** UTF-16 puts what lies beyond the first 65,536 code points before the last 8,192 of them; databases do not. */
const byCodePoint = (a: string, b: string): number => {
  for (let i = 0; ; i += 1) {
    const [x, y] = [a.codePointAt(i), b.codePointAt(i)];
    if (x === undefined || y === undefined) return a.length - b.length;
    if (x !== y) return x - y;
  }
};

/** Texts by collection and key. */
export const memoryDocuments = () => {
  const collections = new Map<string, Map<string, StoredDocument>>();
  let writes = 0;

  return {
    get: (collection: string, key: string): StoredDocument | undefined => collections.get(collection)?.get(key),
    write({ collection, key, value }: DocumentWrite): void {
      if (value === undefined) return;
      const documents = collections.get(collection) ?? new Map<string, StoredDocument>();
      collections.set(collection, documents);
      if (value === null) documents.delete(key);
      else {
        writes += 1;
        documents.set(key, { key, value, revision: writes });
      }
    },
    clear: (collection: string): void => void collections.delete(collection),
    page(collection: string, prefix: string, limit: number, cursor: string | null): Page<StoredDocument> {
      const rows = [...(collections.get(collection)?.values() ?? [])]
        .filter(({ key }) => key.startsWith(prefix) && (cursor === null || byCodePoint(key, cursor) > 0))
        .sort((a, b) => byCodePoint(a.key, b.key));
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit), nextCursor: last?.key ?? null };
    },
  };
};
