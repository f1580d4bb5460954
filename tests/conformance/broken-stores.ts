import type { StoredEvent } from '../../src/core/records.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { type BrokenStore, but, units } from './breaking.ts';

const untraced = <E extends { readonly traceparent?: string }>({ traceparent: _, ...event }: E) => event;

/** Stores whose reads, leases or restarts go wrong. */
export const BROKEN_STORES: readonly BrokenStore[] = [
  {
    does: 'skips a position now and then',
    make: but((inner) => {
      let pages = 0;
      return {
        async read(shard, after, limit) {
          const found = await inner.read(shard, after, limit);
          if (found.length > 1) pages += 1;
          return found.length > 1 && pages % 3 === 0 ? found.slice(1) : found;
        },
      };
    }),
    fails: ['shows each shard in order and without gaps'],
  },
  {
    does: 'forgets which trace an event is part of',
    make: units(({ appends = [], ...unit }) => ({
      ...unit,
      appends: appends.map((append) => ({ ...append, events: append.events.map(untraced) })),
    })),
    fails: ['keeps the trace context of an event', 'does over older data all'],
  },
  {
    does: 'knows the trace of an event in the log, and not of one that is parked',
    make: but((inner) => ({
      async parked(id) {
        const found = await inner.parked(id);
        return found?.event ? { ...found, event: untraced(found.event) as StoredEvent } : found;
      },
    })),
    fails: ['keeps the trace context of an event'],
  },
  {
    does: 'keeps a position and no ranges',
    make: but((inner) => ({
      async tick(asked) {
        const result = await inner.tick(asked);
        return { ...result, gained: result.gained.map((lease) => ({ ...lease, checkpoint: { low: lease.checkpoint.low, done: [] } })) };
      },
    })),
    fails: ['merges what units and progress have done'],
  },
  {
    does: 'forgets start marks',
    make: but((inner) => ({
      commit: (batch) => inner.commit({ ...batch, progress: batch.progress.map(({ lease, done }) => ({ lease, done })) }),
    })),
    fails: ['raises the start mark', 'R4 tells the next owner after a crash', 'frees what was leased under an earlier schema'],
  },
  {
    does: 'judges leases by the wall clock',
    make: (system) => createMemoryStore({ ...system, monotonic: system.now }),
    fails: ['R29 changes no lease'],
  },
  {
    does: 'never says what was started',
    make: but((inner) => ({
      async tick(asked) {
        const result = await inner.tick(asked);
        return { ...result, gained: result.gained.map((lease) => ({ ...lease, started: [] })) };
      },
    })),
    fails: ['R10 tells the next owner what is parked', 'R11 keeps leases over a restart'],
  },
  {
    does: 'reads a state and its version apart',
    make: but((inner) => ({
      async stream(name) {
        const version = (await inner.stream(name))?.version;
        for (let i = 0; i < 3; i += 1) await new Promise(setImmediate);
        const row = await inner.stream(name);
        return row === null || version === undefined ? null : { ...row, version };
      },
    })),
    fails: ['S23 never shows a state beside a version'],
  },
  {
    does: 'makes a subscription anew with every opening',
    make: but((inner) => {
      let names = 0;
      return {
        register: async (all) => {
          names += 1;
          await inner.register(all.map((one) => ({ ...one, name: names > 1 ? `${one.name} ${names}` : one.name })));
        },
        tick: async (asked) => {
          const result = await inner.tick({
            ...asked,
            subscriptions: [...asked.subscriptions, ...Array.from({ length: names - 1 }, (_, i) => `${asked.subscriptions[0]} ${i + 2}`)],
          });
          return result;
        },
      };
    }),
    fails: ['makes a subscription once'],
  },
  {
    does: 'forgets pauses with its process',
    make: createMemoryStore,
    restarted: (store) => ({ ...store, pauses: async () => [] }),
    fails: ['keeps pauses over a restart', 'R10 keeps timers, closed deliveries, documents and pauses'],
  },
  {
    does: 'forgets timers with its process',
    make: createMemoryStore,
    restarted: (store) => ({
      ...store,
      due: async (...asked) => {
        const { deliveries } = await store.due(...asked);
        return { deliveries: deliveries.filter(({ parked }) => parked.kind !== 'timer'), nextInMs: null };
      },
    }),
    fails: ['R10 keeps timers, closed deliveries, documents and pauses'],
  },
  {
    does: 'forgets leases with its process',
    make: createMemoryStore,
    restarted: (store) => ({ ...store, tick: (asked) => store.tick({ ...asked, owner: 'dies' }) }),
    fails: ['R11 keeps leases over a restart'],
  },
  {
    does: 'loses its dead letters when it is opened again',
    make: createMemoryStore,
    restarted: (store) => ({ ...store, dead: async () => ({ rows: [], nextCursor: null }) }),
    fails: ['R10 keeps everything over a restart', 'keeps events, states, keys, parked deliveries'],
  },
  {
    does: 'prunes nothing any more when it is opened again',
    make: createMemoryStore,
    restarted: (store) => ({ ...store, prune: async () => 0 }),
    fails: ['R10 keeps timers, closed deliveries', 'does over older data all'],
  },
];
