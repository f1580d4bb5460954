import type { NewOrderEvent } from './events.ts';
import type { OrderDraft } from './evolve.ts';
import { sealed } from './fold.ts';
import type { Order } from './order.ts';

interface Decided {
  readonly from: Order | undefined;
  readonly draft: OrderDraft;
}

/** By the list of events that a decision made. */
const decided = new WeakMap<readonly object[], Decided>();

/** Keeps the state that a decision had to fold its events into, to know what they lead to. */
export const keepDecided = (events: readonly NewOrderEvent[], from: Order | undefined, draft: OrderDraft): void =>
  void decided.set(events, { from, draft });

/**
 * The order after events that `decide` has just made from `from`: the same as `fold` of them, without folding them once more.
 * `undefined` for any other events, and the second time.
 * @param time the events', ISO 8601
 */
export const afterDecided = (events: readonly object[], from: Order | undefined, time: string): Order | undefined => {
  const found = decided.get(events);
  if (found === undefined || found.from !== from) return undefined;
  decided.delete(events);
  if (from === undefined) found.draft.placedAt = time;
  return sealed(found.draft);
};
