import type { StoredEvent } from '../core/records.ts';
import type { Feed } from './feed.ts';
import { addDone, type Holding } from './holding.ts';

export const accepts = (holding: Holding): boolean => holding.live && !holding.closing;

/** Timers have no part in the log, and what is paused would only lie about. */
export const reads = (holding: Holding): boolean => accepts(holding) && holding.subscription.routes.size > 0 && !holding.feed.paused;

/** How many more deliveries of a subscription may be in this process's hands. */
export const roomOf = ({ readAhead, fresh, unmarked }: Feed): number => readAhead - fresh - unmarked;

/** Moves the cursor over these events; what the subscription does not want is done, the rest is returned. */
export const accept = (holding: Holding, events: readonly StoredEvent[]): StoredEvent[] => {
  const { routes } = holding.subscription;
  const wanted: StoredEvent[] = [];
  for (const event of events) {
    if (holding.wasDone(event.position)) continue;
    if (routes.has(event.type)) wanted.push(event);
    else addDone(holding, event.position);
  }
  holding.cursor = events.at(-1)?.position ?? holding.cursor;
  return wanted;
};
