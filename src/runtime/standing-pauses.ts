import type { Store } from '../core/store.ts';
import type { Feed } from './feed.ts';

/** What operators have wait, as this process last heard. */
export interface StandingPauses {
  streams(): ReadonlySet<string>;
  /** Asks the store, and lets go on what may. Heeded when it resolves. */
  refresh(): Promise<void>;
}

/** @param goOn hears that something was resumed. */
export const createStandingPauses = (store: Store, feeds: readonly Feed[], goOn: () => void): StandingPauses => {
  let streams: ReadonlySet<string> = new Set();
  let asked = 0;
  /** Which question the last answer was to: answers may come in another order. */
  let heard = 0;

  return {
    streams: () => streams,
    async refresh() {
      asked += 1;
      const question = asked;
      const pauses = await store.pauses();
      if (question < heard) return;
      heard = question;
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
