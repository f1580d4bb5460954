import { sqliteStore } from 'orderfold/sqlite';
import { type Audited, audit, type Effect, recordRun } from 'orderfold/testing';

/** Looks at all that lies in a file of orders, once nothing works on it any more. */
export const auditFile = async (path: string, effects: readonly Effect[] = []): Promise<Audited> => {
  const store = sqliteStore({ path });
  try {
    return audit(await recordRun(store, { stage: 'quiet', effects }));
  } finally {
    await store.close();
  }
};
