import type { Store } from '../../core/store.ts';
import type { VirtualSystem } from '../virtual-system.ts';
import { createProcess, type Process, type ProcessOptions } from './process.ts';
import type { Outage } from './store-fault.ts';

/** Processes over one store and one clock. */
export interface Cluster {
  process(name: string, options?: ProcessOptions): Process;
  /** Until then every store call of every process is refused, before or after it was carried out; `full`: no commit is taken. */
  away(durationMs: number, when: Outage): void;
  /** No outage and no fault strikes from now on. */
  heal(): void;
}

/** What all processes have in common: how the store is today, and how they hear of one another. */
export interface Surroundings {
  readonly healed: boolean;
  /** How an outage of the whole store strikes a call of this member now. */
  outageFor(member: string): Outage | undefined;
  /** Tells `changed` of what others commit, until the answer is called. */
  watch(name: string, changed: () => void): () => void;
  committed(by: string): void;
}

interface Watcher {
  readonly of: string;
  readonly changed: () => void;
  /** It hears of it soon. */
  told: boolean;
}

/** @param hintMs up to so much later processes hear of one another's commits, several as one, as a file system tells. @default 0 */
export const createCluster = (system: VirtualSystem, shared: Store, { hintMs = 0 } = {}): Cluster => {
  let healed = false;
  let outage: { readonly until: number; readonly when: Outage } = { until: 0, when: 'before' };
  const watchers = new Set<Watcher>();
  const hint = (watcher: Watcher): void => {
    if (watcher.told) return;
    watcher.told = true;
    const tell = (): void => {
      watcher.told = false;
      if (watchers.has(watcher)) watcher.changed();
    };
    if (hintMs === 0) system.soon(tell);
    else system.setTimer(Math.floor(system.random() * hintMs), tell);
  };
  const surroundings: Surroundings = {
    get healed() {
      return healed;
    },
    outageFor(member) {
      if (system.monotonic() >= outage.until) return undefined;
      return outage.when === 'full' && member !== 'commit' ? undefined : outage.when;
    },
    watch(name, changed) {
      const watcher: Watcher = { of: name, changed, told: false };
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    committed(by) {
      for (const watcher of watchers) if (watcher.of !== by) hint(watcher);
    },
  };

  return {
    process: (name, options) => createProcess(system, shared, surroundings, name, options),
    away(durationMs, when) {
      outage = { until: system.monotonic() + durationMs, when };
    },
    heal() {
      healed = true;
    },
  };
};
