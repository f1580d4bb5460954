import { isDeepStrictEqual } from 'node:util';
import { begin, evolve, thaw } from '../../order/evolve.ts';
import { fold, sealed } from '../../order/fold.ts';
import type { Order } from '../../order/order.ts';
import { typesOf } from '../../order/plan.ts';
import type { Invariant, RecordedRun } from '../recorded-run.ts';
import { ofOrders, ofRun } from './judged.ts';
import type { Fact, Folded, OrderEvidence } from './order-evidence.ts';

/** Another number for every order, and the same for the same. */
const mixed = ({ orderId, facts }: OrderEvidence): number => {
  let mix = facts.length;
  for (let at = 0; at < orderId.length; at += 1) mix = (mix * 31 + orderId.charCodeAt(at)) % 65_521;
  return mix;
};

const foldOf = (order: OrderEvidence): Folded | string => {
  const { facts } = order;
  const cut = 1 + (mixed(order) % Math.max(1, facts.length - 1));
  try {
    const draft = begin(facts[0] as Fact);
    const types = typesOf(draft.plan);
    let snapshot: Order | undefined;
    for (let at = 1; at < facts.length; at += 1) {
      if (at === cut) snapshot = sealed(thaw(draft as Order));
      evolve(draft, facts[at] as Fact, types);
    }
    const whole = sealed(draft);
    return { cut, snapshot: snapshot ?? whole, whole };
  } catch (error) {
    return String(error);
  }
};

const foldOnce = (order: OrderEvidence): Folded | string => {
  order.folded ??= foldOf(order);
  return order.folded;
};

/** Of more orders than so many one in four is resumed, which takes as long as all the rest of an audit. */
const ALL_OF = 5;

/** Sees the streams of orders that fold, each cut in one place, another one in every order; of more than five orders one in four. */
const anySnapshot = ofOrders(
  'S14',
  'the state folded from a snapshot and the events after it is that of all events',
  (order, say, { orders }) => {
    if (order.facts.length < 2 || (orders.length > ALL_OF && mixed(order) % 4 > 0)) return false;
    const found = foldOnce(order);
    if (typeof found === 'string') return false;
    const { cut, snapshot, whole } = found;
    const resumed = fold(order.facts.slice(cut), snapshot);
    if (JSON.stringify(resumed) !== JSON.stringify(whole) && !isDeepStrictEqual(resumed, whole))
      say(`from a snapshot at version ${cut} it folds to another state`);
    return true;
  },
);

/** Sees the stream of every order, each of its prefixes on the way to the whole. */
const total = ofRun('S15', 'no sequence the library writes fails to fold', ({ orders, unreadable }, accuse) => {
  for (const [stream, why] of unreadable) accuse(stream, why);
  for (const order of orders) {
    const found = foldOnce(order);
    if (typeof found === 'string') accuse(order.orderId, found);
  }
  return orders.length + unreadable.size;
});

const orderOfLog = (streams: RecordedRun['streams'], accuse: (stream: string, text: string) => void): void => {
  for (const [stream, events] of streams) {
    let position = 0;
    for (let at = 0; at < events.length; at += 1) {
      const event = events[at] as (typeof events)[number];
      if (event.version !== at + 1) accuse(stream, `its event number ${at + 1} has version ${event.version}`);
      if (event.position <= position)
        accuse(stream, `its version ${event.version} stands at position ${event.position}, after ${position}`);
      ({ position } = event);
    }
  }
};

/** Sees every stream, of orders or not. */
const noGap = ofRun('S16', 'the versions of a stream are 1..n without a gap or a repeat, at ascending positions', ({ run }, accuse) => {
  orderOfLog(run.streams, accuse);
  return run.streams.size;
});

/** What is about streams and their states. */
export const folding: readonly Invariant[] = [anySnapshot, total, noGap];
