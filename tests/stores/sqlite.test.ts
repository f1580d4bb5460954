import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { sqliteStore } from '../../src/stores/sqlite/index.ts';
import { storeSuite } from '../../src/testing/conformance/store-suite.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

storeSuite({ describe, it }, 'sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'orderfold-'));
  const path = join(folder, 'orders.db');
  const system = virtualSystem();
  const opened: Store[] = [];
  const another = async (of = path) => {
    const store = sqliteStore({ path: of, system });
    opened.push(store);
    await store.open();
    return store;
  };
  return {
    system,
    store: await another(),
    another: () => another(),
    reopen: async () => {
      await Promise.all(opened.map((store) => store.close()));
      return another();
    },
    older: () =>
      Promise.all(
        [1, 2].map(async (schema) => {
          const left = join(folder, `schema-${schema}.db`);
          const db = new DatabaseSync(left);
          db.exec(await readFile(new URL(`sqlite-schema-${schema}.sql`, import.meta.url), 'utf8'));
          db.close();
          return another(left);
        }),
      ),
    close: async () => {
      await Promise.all(opened.map((store) => store.close()));
      await rm(folder, { recursive: true });
    },
  };
});
