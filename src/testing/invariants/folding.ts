import { isDeepStrictEqual } from 'node:util';
import { isoTime } from '../../core/envelope.ts';
import { begin, evolve, type FoldableEvent, thaw } from '../../order/evolve.ts';
import { fold, sealed } from '../../order/fold.ts';
import type { Order } from '../../order/order.ts';
import { typesOf } from '../../order/plan.ts';
import type { Invariant, RecordedRun } from '../recorded-run.ts';
import { ofOrders, ofRun } from './judged.ts';
import type { OrderEvidence } from './order-evidence.ts';

/** An order folded event by event, with a snapshot from on the way. */
interface Folded {
  readonly events: readonly FoldableEvent[];
  readonly cut: number;
  readonly snapshot: Order;
  readonly whole: Order;
}

/** Another place in every order, so that many orders try them all. */
const cutOf = ({ orderId, events }: OrderEvidence): number => {
  let mixed = events.length;
  for (let at = 0; at < orderId.length; at += 1) mixed = (mixed * 31 + orderId.charCodeAt(at)) % 65_521;
  return 1 + (mixed % Math.max(1, events.length - 1));
};

const foldable = ({ orderId, events, facts }: OrderEvidence): readonly FoldableEvent[] =>
  facts.map(({ version, type, data, time }, at) => ({
    stream: orderId,
    version,
    type,
    data,
    time: isoTime(time),
    schema: events[at]?.schema ?? 1,
  }));

const foldOf = (order: OrderEvidence): Folded | string => {
  const events = foldable(order);
  const cut = cutOf(order);
  try {
    const draft = begin(events[0] as FoldableEvent);
    const types = typesOf(draft.plan);
    let snapshot: Order | undefined;
    for (let at = 1; at < events.length; at += 1) {
      if (at === cut) snapshot = sealed(thaw(draft as Order));
      evolve(draft, events[at] as FoldableEvent, types);
    }
    const whole = sealed(draft);
    return { events, cut, snapshot: snapshot ?? whole, whole };
  } catch (error) {
    return String(error);
  }
};

const folded = new WeakMap<OrderEvidence, Folded | string>();

const foldOnce = (order: OrderEvidence): Folded | string => {
  let found = folded.get(order);
  if (found === undefined) {
    found = foldOf(order);
    folded.set(order, found);
  }
  return found;
};

/** Sees the stream of every order that folds, cut in one place, another one in every order. */
const anySnapshot = ofOrders('S14', 'the state folded from a snapshot and the events after it is that of all events', (order, say) => {
  const found = foldOnce(order);
  if (typeof found === 'string') return false;
  const { events, cut, snapshot, whole } = found;
  if (events.length < 2) return false;
  const resumed = fold(events.slice(cut), snapshot);
  if (JSON.stringify(resumed) !== JSON.stringify(whole) && !isDeepStrictEqual(resumed, whole))
    say(`from a snapshot at version ${cut} it folds to another state`);
  return true;
});

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
