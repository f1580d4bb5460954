import { isOrderfoldError } from '../core/errors.ts';
import { count, ms, resolveOptions } from '../core/options.ts';
import type { Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import type { Notifier } from './notifications.ts';

/** What workers see to among dead letters. Open ones are never removed, and however many there are, nothing stops for them. */
export interface DeadLetterOptions {
  /** Notifies `deadLetterAlarm` once a subscription has so many open dead letters, and again after they were fewer. @default 10_000 */
  readonly alarmAt?: number;
  /**
   * How long retried, redriven and discarded deliveries are kept once they are closed, for `get` and `timeline`; then they are removed
   * for good. @default 2_592_000_000, which is 30 days
   */
  readonly keepClosedMs?: number;
}

const LOOK_MS = 10_000;
const PRUNE_MS = 3_600_000;
/** Few enough that no commit waits long behind them. */
const PAGE = 500;

/** Returns what a worker calls at every tick: it starts what is to be done by then beside everything else, one thing at a time. */
export const createUpkeep = (
  { store, system, notifier }: { readonly store: Pick<Store, 'counts' | 'prune'>; readonly system: System; readonly notifier: Notifier },
  given: DeadLetterOptions | undefined,
): (() => void) => {
  const { alarmAt, keepClosedMs } = resolveOptions('deadLetters', given, {
    alarmAt: count({ min: 1, default: 10_000 }),
    keepClosedMs: ms({ default: 2_592_000_000 }),
  });
  const alarmed = new Set<string>();
  let busy = false;
  let lookAt = 0;
  let pruneAt = 0;

  const look = async (): Promise<void> => {
    const { subscriptions } = await store.counts();
    for (const [subscription, { dead }] of Object.entries(subscriptions)) {
      if (dead < alarmAt) alarmed.delete(subscription);
      else if (!alarmed.has(subscription)) {
        alarmed.add(subscription);
        notifier.emit('deadLetterAlarm', { subscription, dead, alarmAt });
      }
    }
  };

  const work = async (): Promise<void> => {
    const now = system.monotonic();
    if (now >= lookAt) {
      lookAt = now + LOOK_MS;
      await look();
    }
    if (now >= pruneAt) {
      pruneAt = now + PRUNE_MS;
      // A full page: there may be more, but that has time until the next tick.
      if ((await store.prune(keepClosedMs, PAGE)) >= PAGE) pruneAt = now;
    }
  };

  return () => {
    if (busy) return;
    busy = true;
    work()
      .catch((error) => {
        // The next tick tells of a store that is away, and this waits for its own next time.
        if (!isOrderfoldError(error, 'CLOSED') && !isOrderfoldError(error, 'STORE')) notifier.emit('trouble', { where: 'upkeep', error });
      })
      .finally(() => {
        busy = false;
      });
  };
};
