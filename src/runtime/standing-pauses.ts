import type { Store } from '../core/store.ts';
import type { Feed } from './feed.ts';

/** What operators have wait, as this process last heard. */
export interface StandingPauses {
  streams(): ReadonlySet<string>;
  /** Asks the store, and lets go on what may. */
  refresh(): Promise<void>;
}

/** @param goOn hears that something was resumed. */
export const createStandingPauses = (store: Store, feeds: readonly Feed[], goOn: () => void): StandingPauses => {
  let streams: ReadonlySet<string> = new Set();

  return {
    streams: () => streams,
    async refresh() {
      const pauses = await store.pauses();
      if (pauses.length === 0 && streams.size === 0 && !feeds.some(({ paused }) => paused)) return;
      const named = (of: 'subscription' | 'stream') => new Set(pauses.filter((pause) => pause.of === of).map(({ name }) => name));
      const before = streams;
      streams = named('stream');
      let resumed = [...before].some((stream) => !streams.has(stream));
      const subscriptions = named('subscription');
      for (const feed of feeds) {
        const paused = subscriptions.has(feed.subscription.name);
        resumed ||= feed.paused && !paused;
        feed.paused = paused;
      }
      if (resumed) goOn();
    },
  };
};
