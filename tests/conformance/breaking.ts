import type { Store, Unit } from '../../src/core/store.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import type { VirtualSystem } from '../../src/testing/virtual-system.ts';

/** A store that breaks one promise, and the cases that have to notice. */
export interface BrokenStore {
  readonly does: string;
  readonly make: (system: VirtualSystem) => Store;
  /** What is left of it after a restart. */
  readonly restarted?: (store: Store) => Store;
  /** A part of the title of each case that has to fail; others may. */
  readonly fails: readonly string[];
}

/** What a store does otherwise than a memory store. */
export type Change = (inner: Store) => Partial<Store>;

export const but =
  (change: Change) =>
  (system: VirtualSystem): Store => {
    const inner = createMemoryStore(system);
    return { ...inner, ...change(inner) };
  };

/** Commits other units than it was given. */
export const units = (alter: (unit: Unit) => Unit) =>
  but((inner) => ({ commit: (batch) => inner.commit({ ...batch, units: batch.units.map(alter) }) }));

/** Does something more where a unit lost. */
export const afterLoss = (alter: (unit: Unit) => Unit) =>
  but((inner) => ({
    async commit(batch) {
      const result = await inner.commit(batch);
      const lost = batch.units.filter((_, index) => result.units[index]?.won === false).map(alter);
      if (lost.length > 0) await inner.commit({ owner: batch.owner, id: `${batch.id} again`, units: lost, progress: [] });
      return result;
    },
  }));
