import { Immer } from 'immer';
import { begin, evolve, type FoldableEvent, type OrderDraft } from './evolve.ts';
import type { Order } from './order.ts';
import { typesOf } from './plan.ts';

/** An instance of our own: an application may turn freezing off on the shared one. */
const immer = new Immer({ autoFreeze: true });

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
 * The order its events tell, deeply frozen. From nothing it owns its state and changes a plain object; from a state others
 * hold, one immer draft serves the whole run, and what did not change stays shared. Both give the same.
 * @param from the state the events follow; left out, they begin with `OrderPlaced`.
 * @throws OrderfoldError `UNDECODABLE`; then `from` is as it was.
 * @example
 * const order = fold(await readAll(orderId));
 */
export const fold: Fold = ((events, from) => {
  const first = events[0];
  if (first === undefined) return from;
  if (from !== undefined) {
    const types = typesOf(from.plan);
    return immer.produce(from, (draft) => {
      for (const event of events) evolve(draft as OrderDraft, event, types);
    });
  }
  const order = begin(first);
  const types = typesOf(order.plan);
  for (let i = 1; i < events.length; i += 1) evolve(order, events[i] as FoldableEvent, types);
  return sealed(order);
}) as Fold;
