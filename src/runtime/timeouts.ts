import type { System, Timer } from '../core/system.ts';

interface Entry {
  readonly at: number;
  readonly fire: () => void;
}

export interface Timeouts {
  /** Calls `fire` once `afterMs` have passed; returns how to call it off. */
  start(afterMs: number, fire: () => void): () => void;
}

/**
 * Timeouts for many deliveries at the price of one timer per distinct length: those of one length run out in the order
 * they started.
 */
export const createTimeouts = (system: System): Timeouts => {
  const queues = new Map<number, { readonly entries: Set<Entry>; timer: Timer | null }>();

  return {
    start(afterMs, fire) {
      const queue = queues.get(afterMs) ?? { entries: new Set<Entry>(), timer: null };
      queues.set(afterMs, queue);
      const expire = (): void => {
        queue.timer = null;
        const now = system.monotonic();
        for (const entry of queue.entries) {
          if (entry.at > now) {
            queue.timer = system.setTimer(entry.at - now, expire);
            return;
          }
          queue.entries.delete(entry);
          entry.fire();
        }
      };
      const entry = { at: system.monotonic() + afterMs, fire };
      queue.entries.add(entry);
      queue.timer ??= system.setTimer(afterMs, expire);
      return () => {
        queue.entries.delete(entry);
        if (queue.entries.size > 0) return;
        queue.timer?.cancel();
        queue.timer = null;
      };
    },
  };
};
