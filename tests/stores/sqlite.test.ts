import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';
import { storeSuite } from '../conformance/store-suite.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

storeSuite('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'orderfold-'));
  const system = virtualSystem();
  const opened = [createSqliteStore({ path: join(folder, 'orders.db') }, system)];
  const another = async () => {
    const store = createSqliteStore({ path: join(folder, 'orders.db') }, system);
    opened.push(store);
    await store.open();
    return store;
  };
  const [store] = opened as [(typeof opened)[0]];
  await store.open();
  return {
    store,
    system,
    another,
    reopen: async () => {
      await store.close();
      return another();
    },
    close: async () => {
      for (const one of opened) await one.close();
      await rm(folder, { recursive: true });
    },
  };
});
