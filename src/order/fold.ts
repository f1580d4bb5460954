import { begin, evolve, type FoldableEvent, type OrderDraft, thaw } from './evolve.ts';
import type { Order } from './order.ts';
import { typesOf } from './plan.ts';

/** Freezes a draft that nobody changes any more. What the payloads' copies are made of is frozen already; this is what the fold itself made. */
export const sealed = (draft: OrderDraft): Order => {
  for (const { name } of draft.plan.steps) Object.freeze(draft.steps[name]);
  Object.freeze(draft.steps);
  return Object.freeze(draft) as Order;
};

interface Fold {
  (events: readonly FoldableEvent[], from: Order): Order;
  (events: readonly FoldableEvent[], from?: Order): Order | undefined;
}

/**
 * The order its events tell, deeply frozen. The whole run of events changes one plain object of its own: a new one, or a copy of the
 * state others hold, which shares with it all that a step or an order keeps for good. Both give the same.
 * @param from the state the events follow; left out, they begin with `OrderPlaced`.
 * @throws OrderfoldError `UNDECODABLE`; then `from` is as it was.
 * @example
 * const order = fold(await readAll(orderId));
 */
export const fold: Fold = ((events, from) => {
  const first = events[0];
  if (first === undefined) return from;
  const order = from === undefined ? begin(first) : thaw(from);
  const types = typesOf(order.plan);
  for (let i = from === undefined ? 1 : 0; i < events.length; i += 1) evolve(order, events[i] as FoldableEvent, types);
  return sealed(order);
}) as Fold;
