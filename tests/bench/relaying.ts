import type { Store, Tick } from '../../src/core/store.ts';
import type { Transport } from '../../src/core/transport.ts';
import { EventBus } from './orderfold.ts';

/**
 * The store as a process sees it that must not relay. One that holds the relay's lease of a shard and a subscription's too has read what
 * it publishes, and hands it to the subscription without the broker: then nothing would be measured of that.
 */
export const withoutRelay = (store: Store): Store =>
  Object.create(store, {
    tick: {
      async value(tick: Tick) {
        const { share, ...result } = await store.tick({ ...tick, subscriptions: tick.subscriptions.filter((name) => name !== 'relay') });
        return { ...result, share: { ...share, relay: 0 } };
      },
    },
  });

/** The store, counting how often a page of the log is asked for. */
export const countingReads = (store: Store): { readonly store: Store; reads(): number } => {
  let reads = 0;
  const read: Store['read'] = (...args) => {
    reads += 1;
    return store.read(...args);
  };
  return { store: Object.create(store, { read: { value: read } }), reads: () => reads };
};

/** A bus that does nothing but publish what is in the store. */
export const relayOnly = (store: Store, transport: Transport) => {
  let left = 0;
  let resolve = (): void => {};
  const bus = EventBus.create({
    store,
    transport: {
      ...transport,
      async publish(messages) {
        await transport.publish(messages);
        left -= messages.length;
        if (left === 0) resolve();
      },
    },
  });
  return {
    bus,
    /** Resolves when the broker has confirmed so many events. */
    published(events: number): Promise<void> {
      left = events;
      return new Promise((done) => {
        resolve = done;
      });
    },
  };
};
