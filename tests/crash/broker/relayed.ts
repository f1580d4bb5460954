import { createSqliteStore } from '../../../src/stores/sqlite/sqlite-store.ts';
import { system } from '../../../src/system.ts';
import { until } from '../workplace.ts';

/** Waits until all that is in the file has been published and come to every subscription, or until patience ends: the audit will tell. */
export const relayed = async (database: string, withinMs: number): Promise<void> => {
  const store = createSqliteStore({ path: database }, system);
  await store.open();
  const noBacklog = async (): Promise<boolean> => {
    const { timers: _, ...all } = (await store.counts()).subscriptions;
    return Object.values(all).every(({ backlog }) => backlog === 0);
  };
  try {
    await until('all is handled', noBacklog, withinMs).catch(() => undefined);
  } finally {
    await store.close();
  }
};
