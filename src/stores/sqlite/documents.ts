import type { DocumentWrite, StoredDocument } from '../../core/records.ts';
import type { Page } from '../../core/store.ts';
import { page } from './page.ts';
import type { Session } from './session.ts';
import * as SQL from './sql.ts';
import { fromSql, type SqlText, toSql } from './text.ts';

interface DocumentRow {
  readonly key: string;
  readonly value: SqlText;
  readonly revision: number;
}

const storedDocument = ({ key, value, revision }: DocumentRow): StoredDocument => ({ key, value: fromSql(value), revision });

/** Byte FF is in no UTF-8 text, and sorts after all that is: nothing with the prefix lies beyond. */
const endOf = (prefix: string): Uint8Array => Buffer.concat([Buffer.from(prefix), Buffer.of(0xff)]);

/** Texts by collection and key. Its members run inside a transaction. */
export interface Documents {
  find(collection: string, key: string): StoredDocument | null;
  revision(collection: string, key: string): number | 'absent';
  write(change: DocumentWrite): void;
  /** Deletes the whole collection. */
  clear(collection: string): void;
  /** Writes down how many writes there were; call it once before the commit. */
  flush(): void;
  page(collection: string, prefix: string, limit: number, cursor: string | null): Page<StoredDocument>;
}

export const createDocuments = (session: Session): Documents => {
  /** Of all documents since the file was made: the revision of the last. */
  let writes: number | null = null;
  let flushed = 0;
  session.remembers(() => {
    writes = null;
  });
  const countWrite = (): number => {
    if (writes === null) {
      flushed = (session.sql(SQL.DOCUMENT_WRITES).get() as { readonly writes: number }).writes;
      writes = flushed;
    }
    writes += 1;
    return writes;
  };

  const find = (collection: string, key: string): StoredDocument | null => {
    const row = session.sql(SQL.FIND_DOCUMENT).get(collection, key) as unknown as DocumentRow | undefined;
    return row === undefined ? null : storedDocument(row);
  };

  return {
    find,
    revision: (collection, key) => find(collection, key)?.revision ?? 'absent',
    write({ collection, key, value }) {
      if (value === undefined) return;
      if (value === null) session.sql(SQL.DELETE_DOCUMENT).run(collection, key);
      else session.sql(SQL.SAVE_DOCUMENT).run(collection, key, toSql(value), countWrite());
    },
    clear: (collection) => void session.sql(SQL.CLEAR_DOCUMENTS).run(collection),
    flush() {
      if (writes === null || writes === flushed) return;
      session.sql(SQL.COUNT_DOCUMENT_WRITES).run(writes);
      flushed = writes;
    },
    page(collection, prefix, limit, cursor) {
      const query = session.sql(cursor === null ? SQL.FIRST_DOCUMENTS : SQL.NEXT_DOCUMENTS);
      const rows = query.all(collection, cursor ?? prefix, endOf(prefix), limit + 1) as unknown as readonly DocumentRow[];
      return page(rows, limit, storedDocument, ({ key }) => key);
    },
  };
};
