import type { Store } from '../../src/core/store.ts';
import { EventBus, sqliteStore } from './orderfold.ts';
import { request } from './shop.ts';
import { watchedStore } from './watched-store.ts';

const STREAM_LENGTH = 10;
const IN_A_BATCH = 1000;

/** Puts so many events into a store, ten to a stream, a thousand to a transaction. */
export const fill = async (store: Store, events: number): Promise<void> => {
  await store.open();
  const time = Date.now();
  for (let first = 0; first < events; first += IN_A_BATCH) {
    const units = Array.from({ length: Math.min(IN_A_BATCH, events - first) / STREAM_LENGTH }, (_, index) => {
      const stream = `o-${first / STREAM_LENGTH + index}`;
      const data = JSON.stringify({ ...request, orderId: stream });
      const seen = Array.from({ length: STREAM_LENGTH }, () => ({ type: 'OrderSeen', schema: 1, data, time }));
      return { appends: [{ stream, expected: 'any' as const, events: seen }] };
    });
    await store.commit({ owner: 'bench', id: String(first), units, progress: [] });
  }
};

export interface Drained {
  readonly ratePerSecond: number;
  /** The longest time without a checkpoint becoming durable while there was work. */
  readonly longestGapMs: number;
}

let drains = 0;

/**
 * Runs a new subscription of a no-op handler over the file from its beginning and stops after so many events; the handler's count and the
 * durable checkpoints are asserted. The rate is that between the start and the last of them.
 */
export const drain = async (path: string, events: number, backlog = events): Promise<Drained> => {
  let handled = 0;
  let begun = 0;
  let ended = 0;
  let lastMark = 0;
  let longestGapMs = 0;
  const store = watchedStore(sqliteStore({ path }), ({ units, progress }) => {
    const marks = progress.some(({ done }) => done.length > 0) || units.some(({ done }) => done !== undefined);
    if (!marks || ended > 0) return;
    const now = performance.now();
    longestGapMs = Math.max(longestGapMs, now - lastMark);
    lastMark = now;
  });
  const bus = EventBus.create({ store });
  drains += 1;
  const name = `drain-${process.pid}-${drains}`;
  const all = new Promise<void>((resolve) => {
    bus.subscribe(name, {
      start: 'beginning',
      on: {
        OrderSeen: async ({ data }) => {
          if (handled === 0) lastMark = performance.now();
          handled += data === null ? 0 : 1;
          if (handled !== events) return;
          ended = performance.now();
          resolve();
        },
      },
    });
  });
  await bus.open();
  begun = performance.now();
  await bus.start();
  await all;
  await bus.stop();
  const left = (await bus.counts()).subscriptions[name]?.backlog;
  await bus.close();
  if (left !== backlog - handled || (events === backlog && left !== 0)) {
    throw new Error(`${handled} of ${backlog} events were handled, and the checkpoints leave ${left}`);
  }
  return { ratePerSecond: (events * 1000) / (ended - begun), longestGapMs };
};
