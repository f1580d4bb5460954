import type { ParkedDelivery } from '../../core/records.ts';
import type { Effect, RecordedRun } from '../recorded-run.ts';
import { type DeliveryEvidence, deliveryOf } from './delivery-evidence.ts';
import { type OrderEvidence, orderOf } from './order-evidence.ts';

/** A run with everything parsed and put where the invariants look for it. */
export interface Evidence {
  readonly run: RecordedRun;
  /** Streams that begin with `OrderPlaced` and whose events can be read. */
  readonly orders: readonly OrderEvidence[];
  /** Streams that begin with `OrderPlaced` and can't be read, and why. */
  readonly unreadable: ReadonlyMap<string, string>;
  /** By id. */
  readonly deliveries: ReadonlyMap<string, DeliveryEvidence>;
  /** By stream. */
  readonly deliveriesOf: ReadonlyMap<string, readonly DeliveryEvidence[]>;
  /** Deliveries of one (subscription, stream) that were parked at any time, by version; only where there are several. */
  readonly neighbours: readonly (readonly DeliveryEvidence[])[];
  /** How many effects there are under each key. */
  readonly keys: ReadonlyMap<string, number>;
  /** Steps that recorded an effect of some order. Of the others nothing is known. */
  readonly recordedSteps: ReadonlySet<string>;
  /** Those of them that moved money. */
  readonly moneySteps: ReadonlySet<string>;
  /** Texts found to be free of secrets, so that a message said a hundred times is looked at once. */
  readonly clean: Set<string>;
}

const NOTHING: readonly never[] = [];

const grouped = <T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
};

const laneOf = ({ subscription, stream }: ParkedDelivery): string => `${subscription}\n${stream}`;

const neighboursIn = (deliveries: Iterable<DeliveryEvidence>): readonly (readonly DeliveryEvidence[])[] => {
  const lanes: DeliveryEvidence[][] = [];
  for (const lane of grouped(deliveries, ({ record }) => laneOf(record)).values()) {
    const events = lane.length > 1 ? lane.filter(({ record }) => record.kind === 'delivery') : [];
    if (events.length > 1) lanes.push(events.sort((a, b) => a.record.version - b.record.version));
  }
  return lanes;
};

const countKeys = (effects: readonly Effect[]): ReadonlyMap<string, number> => {
  const keys = new Map<string, number>();
  for (const { key } of effects) if (key !== undefined) keys.set(key, (keys.get(key) ?? 0) + 1);
  return keys;
};

const gather = (run: RecordedRun): Evidence => {
  const recordedSteps = new Set<string>();
  const moneySteps = new Set<string>();
  for (const { step, amountMinor } of run.effects) {
    recordedSteps.add(step);
    if (amountMinor !== null) moneySteps.add(step);
  }
  const effectsOf = grouped(run.effects, ({ orderId }) => orderId);
  const orders: OrderEvidence[] = [];
  const unreadable = new Map<string, string>();
  for (const [stream, events] of run.streams) {
    if (events[0]?.type !== 'OrderPlaced') continue;
    const order = orderOf(stream, events, effectsOf.get(stream) ?? NOTHING);
    if (typeof order === 'string') unreadable.set(stream, order);
    else orders.push(order);
  }
  const deliveries = new Map(run.parked.map((record) => [record.id, deliveryOf(record)]));
  return {
    run,
    orders,
    unreadable,
    deliveries,
    deliveriesOf: grouped(deliveries.values(), ({ record }) => record.stream),
    neighbours: neighboursIn(deliveries.values()),
    keys: countKeys(run.effects),
    recordedSteps,
    moneySteps,
    clean: new Set(),
  };
};

const gathered = new WeakMap<RecordedRun, Evidence>();

/** What the invariants look at, made once for each run: they share it. */
export const evidenceOf = (run: RecordedRun): Evidence => {
  let evidence = gathered.get(run);
  if (evidence === undefined) {
    evidence = gather(run);
    gathered.set(run, evidence);
  }
  return evidence;
};
