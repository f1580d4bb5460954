import { OrderfoldError } from '../core/errors.ts';
import type { DocumentWrite, StoredDocument } from '../core/records.ts';
import type { Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import { documentKey } from './document-key.ts';
import { jsonText } from './json-text.ts';

/**
 * A view as the handler of a projection changes it. Nothing is written before the handler has returned; then all of it is, together with
 * the mark that the events are done. Keys are well-formed text of 1 to 500 characters without NUL.
 */
export interface ViewDraft<Row> {
  /** The row as this call left it or else as it is stored, a copy of one's own; null where there is none. Asked side by side, one look into the store answers. */
  get(key: string): Promise<Row | null>;
  /** Keeps a copy. @throws `CONFIG` for what JSON cannot hold, and for null, which is no row */
  set(key: string, row: Row): void;
  /** Nothing happens where there is none. */
  delete(key: string): void;
}

interface Asked {
  readonly key: string;
  readonly found: (document: StoredDocument | null) => void;
  readonly failed: (error: unknown) => void;
}

/** One batch's changes of a collection: what was read is guarded, so that they are made over what was read or not at all. */
export const createViewDraft = <Row>(store: Pick<Store, 'documents'>, system: System, collection: string) => {
  const reads = new Map<string, Promise<StoredDocument | null>>();
  const read = new Map<string, StoredDocument | null>();
  /** Null: deleted. */
  const written = new Map<string, string | null>();
  let asked: Asked[] = [];
  let ended = false;

  const ask = async (these: readonly Asked[]): Promise<void> => {
    try {
      const documents = await store.documents(
        collection,
        these.map(({ key }) => key),
      );
      for (const [index, { key, found }] of these.entries()) {
        const document = documents[index] ?? null;
        read.set(key, document);
        found(document);
      }
    } catch (error) {
      for (const { failed } of these) failed(error);
    }
  };

  const stored = (key: string): Promise<StoredDocument | null> => {
    const reading =
      reads.get(key) ??
      new Promise<StoredDocument | null>((found, failed) => {
        asked.push({ key, found, failed });
        if (asked.length > 1) return;
        system.soon(() => {
          const these = asked;
          asked = [];
          void ask(these);
        });
      });
    reads.set(key, reading);
    return reading;
  };

  const write = (key: string, text: string | null): void => {
    if (ended) throw new OrderfoldError('CONFIG', `${collection}: the batch has ended, await everything before the handler returns`);
    written.set(documentKey(key), text);
  };

  const draft: ViewDraft<Row> = {
    async get(key) {
      const document = written.has(documentKey(key)) ? null : await stored(key);
      const text = written.has(key) ? written.get(key) : document?.value;
      return typeof text === 'string' ? (JSON.parse(text) as Row) : null;
    },
    set(key, row) {
      if (row === null) throw new OrderfoldError('CONFIG', `${collection}: expected a row, got null; delete it instead`);
      write(key, jsonText(`a row of ${collection}`, row));
    },
    delete: (key) => write(key, null),
  };

  return {
    draft,
    /** What has to be written and guarded. Nothing is taken from now on. */
    end(): readonly DocumentWrite[] {
      ended = true;
      const guards = [...read].map(([key, document]) => ({ collection, key, expect: document?.revision ?? ('absent' as const) }));
      const blind = [...written.keys()].filter((key) => !read.has(key)).map((key) => ({ collection, key, expect: 'any' as const }));
      return [...guards, ...blind].map((guard) => {
        const value = written.get(guard.key);
        return value === undefined ? guard : { ...guard, value };
      });
    },
  };
};
