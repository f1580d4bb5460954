import { describeError } from '../core/error-facts.ts';
import { isOrderfoldError } from '../core/errors.ts';
import type { Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import type { Transport } from '../core/transport.ts';
import type { Notifier } from './notifications.ts';
import type { Transact } from './transact.ts';

/** A bus's end of its transport, which is asked for only when there is something to publish or to receive. */
export interface TransportLink {
  readonly transport: Transport;
  /** Connects, with every subscription there. Resolves with the `source` of this store's events; a failure is tried anew when next asked. */
  ready(): Promise<string>;
  /** It failed, or works: told of when that changes. */
  lost(error: unknown): void;
  works(): void;
}

interface Context<State> {
  readonly transport: Transport;
  readonly store: Store;
  readonly system: System;
  readonly notifier: Notifier;
  readonly transact: Transact<State>;
  /** Those the transport carries events to. */
  readonly subscriptions: () => readonly string[];
}

const COLLECTION = '$transport';
const KEY = 'source';

/**
 * Names this store's events for ever: messages of another store that come through the same broker, or of one whose place this took, are
 * known by it. The first process to ask makes it up.
 */
const sourceOf = async <State>({ store, system, transact }: Context<State>): Promise<string> => {
  for (;;) {
    const [found = null] = await store.documents(COLLECTION, [KEY]);
    if (found !== null) return JSON.parse(found.value) as string;
    const value = JSON.stringify(`urn:orderfold:${system.id()}`);
    await transact({ stream: '', documents: [{ collection: COLLECTION, key: KEY, value, expect: 'absent' }], persistent: false });
  }
};

export const createTransportLink = <State>(context: Context<State>): TransportLink => {
  const { transport, store, notifier, subscriptions } = context;
  let opening: Promise<string> | null = null;
  let isAway = false;

  const open = async (): Promise<string> => {
    const source = await sourceOf(context);
    await transport.open({ subscriptions: subscriptions(), shards: store.shards });
    return source;
  };

  return {
    transport,
    ready() {
      opening ??= open().catch((error) => {
        opening = null;
        throw error;
      });
      return opening;
    },
    lost(error) {
      if (isAway || isOrderfoldError(error, 'CLOSED')) return;
      isAway = true;
      notifier.emit('transportAway', { error: describeError(error) });
    },
    works() {
      if (!isAway) return;
      isAway = false;
      notifier.emit('transportBack', {});
    },
  };
};
