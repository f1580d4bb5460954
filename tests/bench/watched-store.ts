import type { Batch, BatchResult, Store } from '../../src/core/store.ts';

/** The store, telling of each batch once it is durable. */
export const watchedStore = (store: Store, committed: (batch: Batch, result: BatchResult) => void): Store =>
  Object.create(store, {
    commit: {
      value: async (batch: Batch) => {
        const result = await store.commit(batch);
        committed(batch, result);
        return result;
      },
    },
  });
