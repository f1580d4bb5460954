import type { Invariant, RecordedRun } from '../recorded-run.ts';
import type { DeliveryEvidence } from './delivery-evidence.ts';
import { type Evidence, evidenceOf } from './evidence.ts';
import type { OrderEvidence } from './order-evidence.ts';

/** Says in words what is wrong; the order it is about comes first. */
export type Accuse = (orderId: string, text: string) => void;
export type Say = (text: string) => void;

/** An invariant from a judgement over a whole run, which gives on how many orders or deliveries it had something to say. */
export const ofRun = (id: string, says: string, judge: (evidence: Evidence, accuse: Accuse) => number): Invariant => {
  const look = (run: RecordedRun) => {
    const violations: { readonly orderId: string; readonly text: string }[] = [];
    const checked = judge(evidenceOf(run), (orderId, text) => void violations.push({ orderId, text }));
    return { checked, violations };
  };
  return Object.freeze({ id, says, look, check: (run: RecordedRun) => look(run).violations });
};

/** The same over one order after another. False: nothing can be said of this one. */
export const ofOrders = (id: string, says: string, judge: (order: OrderEvidence, say: Say, evidence: Evidence) => boolean): Invariant =>
  ofRun(id, says, (evidence, accuse) => {
    let checked = 0;
    let orderId = '';
    const say: Say = (text) => accuse(orderId, text);
    for (const order of evidence.orders) {
      orderId = order.orderId;
      if (judge(order, say, evidence)) checked += 1;
    }
    return checked;
  });

/** The same over one parked delivery after another. Accusations begin with its id. */
export const ofDeliveries = (
  id: string,
  says: string,
  judge: (delivery: DeliveryEvidence, say: Say, evidence: Evidence) => boolean,
): Invariant =>
  ofRun(id, says, (evidence, accuse) => {
    let checked = 0;
    let record: DeliveryEvidence['record'] | undefined;
    const say: Say = (text) => accuse(record?.stream ?? '', `${record?.id} ${text}`);
    for (const delivery of evidence.deliveries.values()) {
      ({ record } = delivery);
      if (judge(delivery, say, evidence)) checked += 1;
    }
    return checked;
  });
