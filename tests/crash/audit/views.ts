import { DatabaseSync } from 'node:sqlite';
import type { Evidence, Notes } from '../evidence.ts';
import { type Seen, wrongRows } from '../views.ts';
import type { Recorded } from './recorded.ts';

/** Each view against what its events give when they are folded anew. */
export const auditViews = ({ database, views }: Evidence, { log }: Recorded, { look, fault }: Notes): void => {
  const rule = 'every view is a fresh fold';
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    for (const view of views) {
      const rows = new Map(
        db
          .prepare('SELECT key, value FROM documents WHERE collection = ?')
          .all(view)
          .map(({ key, value }) => [String(key), JSON.parse(String(value)) as Seen]),
      );
      look(rule, rows.size);
      for (const text of wrongRows(rows, log.flat())) fault(rule, `${view}: ${text}`);
    }
  } finally {
    db.close();
  }
};
