import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteStore } from 'orderfold/sqlite';
import { memoryTransport, type Store, storeSuite, transportSuite, virtualSystem } from 'orderfold/testing';
import { describe, it } from 'vitest';

/** Yours goes in place of these two. */
const acmeStore = sqliteStore;
const acmeTransport = () => memoryTransport(virtualSystem());

storeSuite(
  { describe, it },
  'acme',
  async () => {
    const system = virtualSystem();
    const folder = await mkdtemp(join(tmpdir(), 'acme-'));
    const opened: Store[] = [];
    const another = async () => {
      const store = acmeStore({ path: join(folder, 'acme.db'), system });
      opened.push(store);
      await store.open();
      return store;
    };
    const store = await another();
    const reopen = () => store.close().then(another);
    const close = () => Promise.all(opened.map((one) => one.close())).then(() => rm(folder, { recursive: true }));
    return { store, system, another, reopen, close };
  },
  { older: 'it has had but one schema so far' },
);

transportSuite(
  { describe, it },
  'acme',
  async () => {
    const transport = acmeTransport();
    return { transport, close: transport.close };
  },
  {
    another: 'its messages are in this process',
    restart: 'the broker is this process',
    outage: 'the broker is this process',
    durable: 'its messages are gone with the process',
  },
);
