import { describe, it } from 'vitest';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { storeSuite } from '../../src/testing/conformance/store-suite.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

storeSuite(
  { describe, it },
  'memory',
  async () => {
    const system = virtualSystem();
    const store = createMemoryStore(system);
    await store.open();
    return { store, system, close: () => store.close() };
  },
  { another: 'its data belongs to one process', reopen: 'its data is gone with the process', older: 'it has no schema' },
);
