import { isOpen, type ParkedDelivery, type StoredEvent } from '../../src/core/records.ts';
import { fold } from '../../src/order/fold.ts';
import type { Order } from '../../src/order/order.ts';
import type { Witness } from '../../src/testing/simulation/witness.ts';
import type { VirtualSystem } from '../../src/testing/virtual-system.ts';
import { type OrderScenario, SAGAS } from './order-scenarios.ts';
import { CARD, PASSWORD, type Shop } from './shop.ts';

type Data = {
  readonly step: string;
  readonly request: string;
  readonly effectKey: string;
  readonly cause?: string;
  readonly result?: { readonly amountMinor?: number };
};
interface Told {
  readonly type: string;
  readonly version: number;
  readonly time: number;
  readonly data: Data;
  readonly step: string | undefined;
  readonly kind: string | undefined;
}

const KINDS = ['Requested', 'Succeeded', 'Refused', 'UndoRequested', 'Undone'];

const parseStepEvent = (steps: Steps, type: string): { readonly step: string; readonly kind: string } | undefined => {
  for (const { name: step } of steps)
    for (const kind of KINDS) if (`${step.charAt(0).toUpperCase()}${step.slice(1)}${kind}` === type) return { step, kind };
  return undefined;
};

const foldable = ({ stream, version, type, data, time }: StoredEvent) => ({
  stream,
  version,
  type,
  data: JSON.parse(data) as unknown,
  time: new Date(time).toISOString(),
});

/** Everything that has to hold of orders once nothing moves any more, and, once `settled`, what has to have become of them. Counts the ends. */
export const auditOrders = (
  scenario: OrderScenario,
  { witness, shop }: { readonly system: VirtualSystem; readonly witness: Witness; readonly shop: Shop },
  placed: readonly { readonly customerId: string; readonly orderId?: string }[],
  wrong: (what: string) => void,
  when: 'quiet' | 'settled',
): Record<string, number> => {
  const steps = SAGAS[scenario.saga];
  const ends: Record<string, number> = {};

  const known = new Set(placed.map(({ orderId }) => orderId));
  for (const stream of witness.events.keys()) if (!known.has(stream)) wrong(`S25 nobody was told of the order ${stream}`);

  for (const { orderId = '?' } of placed) {
    const stored = witness.events.get(orderId) ?? [];
    if (stored.length === 0) {
      wrong(`S17 ${orderId} was placed and has no events`);
      continue;
    }
    const events = stored.map(foldable);
    const order = fold(events) as Order;
    const told: Told[] = events.map((event, index) => ({
      ...event,
      data: event.data as Data,
      time: stored[index]?.writtenAt ?? 0,
      ...(parseStepEvent(steps, event.type) ?? { step: undefined, kind: undefined }),
    }));
    const bad = (what: string): void => wrong(`${what} in ${orderId}: ${told.map(({ type }) => type).join(' ')}`);
    const records = [...witness.parked.values()].filter(({ stream }) => stream === orderId);
    ends[order.status] = (ends[order.status] ?? 0) + 1;

    auditHistory(told, steps, bad, scenario.deadlineMs);
    auditMoney(order, told, shop, steps, bad, when);
    auditDeliveries(order, told, records, bad, when);
    for (let cut = 1; cut < events.length; cut += 1) {
      const resumed = fold(events.slice(cut), fold(events.slice(0, cut)) as Order);
      if (JSON.stringify(sorted(resumed)) !== JSON.stringify(sorted(order))) bad(`S14 another state from a snapshot at ${cut}`);
    }
    for (const record of records) {
      const text = JSON.stringify(record);
      if (text.includes(PASSWORD) || text.includes(CARD.replaceAll(' ', '')) || text.includes(CARD)) bad(`R24 ${record.id} keeps a secret`);
      if (text.length > 100_000) bad(`R24 ${record.id} is ${text.length} characters long`);
    }
  }
  return ends;
};

const sorted = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, one]) => [key, sorted(one)]),
      )
    : value;

type Steps = readonly { readonly name: string; readonly after: readonly string[]; readonly undo: string }[];

/** S5, S6, S8, S9, S11, S18, S20: what the order of events alone tells. */
const auditHistory = (told: readonly Told[], steps: Steps, bad: (what: string) => void, deadlineMs: number | null): void => {
  const of = (step: string, kind: string) => told.filter((event) => event.step === step && event.kind === kind);
  const first = (step: string, kind: string): number => of(step, kind)[0]?.version ?? Infinity;
  const waived = (step: string): number => told.find(({ type, data }) => type === 'StepWaived' && data.step === step)?.version ?? Infinity;
  const cancelled = told.find(({ type }) => type === 'CancellationStarted')?.version ?? Infinity;
  const ends = told.filter(({ type }) => type === 'OrderConfirmed' || type === 'OrderCancelled');
  if (ends.length > 1) bad('S9 two ends');
  for (const { name, after, undo } of steps) {
    if (of(name, 'Requested').length > 1) bad(`S6 ${name} is requested twice`);
    if (of(name, 'UndoRequested').length > 1) bad(`S20 the undo of ${name} is requested twice`);
    for (const earlier of after)
      if (first(name, 'Requested') < Math.min(first(earlier, 'Succeeded'), waived(earlier)))
        bad(`S5 ${name} starts before ${earlier} has succeeded`);
    if (first(name, 'Requested') > cancelled && first(name, 'Requested') < Infinity) bad(`S6 ${name} is requested after the cancellation`);
    if (undo === 'irreversible' && first(name, 'Requested') < cancelled && cancelled < Infinity && first(name, 'Refused') > cancelled)
      bad(`S6 cancelled after ${name} was requested`);
    const stands = (later: string, at: number): boolean =>
      told.findLast(
        ({ step, kind, type, data, version }) =>
          version < at &&
          ((step === later && ['Requested', 'Succeeded', 'Refused', 'Undone'].includes(kind ?? '')) ||
            (['StepSkipped', 'UndoneByHand', 'StepWaived'].includes(type) && data.step === later)),
      )?.kind === 'Succeeded';
    for (const { version } of of(name, 'UndoRequested')) {
      for (const later of steps.filter((one) => one.after.includes(name) && one.undo === 'undo'))
        if (stands(later.name, version)) bad(`S20 the undo of ${name} is requested while ${later.name} stands`);
    }
  }
  const end = ends[0]?.version ?? Infinity;
  const repairs = new Set(['Succeeded', 'UndoRequested', 'Undone', 'Refused']);
  for (const { version, type, kind } of told) {
    if (version <= end) continue;
    const annotates = type.startsWith('DeadLetter') || type === 'StepDeadLettered' || type === 'UndoneByHand' || type === 'StepSkipped';
    if (!annotates && !repairs.has(kind ?? '')) bad(`S8 ${type} after the end`);
    if (ends[0]?.type === 'OrderConfirmed') bad(`S8 ${type} after it was confirmed`);
  }
  for (const { type, data, version } of told) {
    const answers = ['Succeeded', 'Refused', 'Undone'].includes(parseStepEvent(steps, type)?.kind ?? '') || type === 'StepSkipped';
    if (answers && (data.effectKey === undefined || !told.some((one) => one.version < version && data.request.endsWith(`@${one.version}`))))
      bad(`S11 ${type} names no request`);
  }
  const late = told.find(({ type, data }) => type === 'DeadlinePassed' || (type === 'CancellationStarted' && data.cause === 'deadline'));
  if (late !== undefined && (deadlineMs === null || late.time - (told[0]?.time ?? 0) < deadlineMs)) bad('S18 the deadline came too early');
};

/** S1 to S4, S7: what the shop saw. */
const auditMoney = (order: Order, told: readonly Told[], shop: Shop, steps: Steps, bad: (what: string) => void, when: string): void => {
  const { orderId, status } = order;
  const { totalMinor } = order.details as { readonly totalMinor: number };
  for (const { kind, data } of told)
    if (kind === 'Succeeded' && data.result?.amountMinor !== totalMinor) bad(`S22 ${data.step} succeeded with another amount`);
  for (const { name, undo } of steps) {
    const key = `${orderId}:${name}`;
    const taken = shop.effects.has(key);
    const back = shop.effects.has(`${key}:undo`);
    const byHand = told.some(({ type, data }) => type === 'UndoneByHand' && data.step === name);
    if (back && !taken) bad(`S3 ${name} was taken back and never happened`);
    if (undo !== 'undo') continue;
    if (status === 'confirmed' && back) bad(`S2 ${name} of a confirmed order was taken back`);
    const waived = told.some(({ type, data }) => type === 'StepWaived' && data.step === name);
    if (status === 'confirmed' && !taken && !waived) bad(`S2 ${name} of a confirmed order never happened`);
    if (when === 'settled' && status === 'cancelled' && taken && !back && !byHand)
      bad(`S4/S7 ${name} of a cancelled order was never taken back`);
  }
};

/** S10, S17, S21: every request is answered or lies dead. */
const auditDeliveries = (
  order: Order,
  told: readonly Told[],
  records: readonly ParkedDelivery[],
  bad: (what: string) => void,
  when: string,
): void => {
  const open = records.filter(({ state, kind }) => isOpen(state) && kind === 'delivery');
  for (const { step, kind, version } of told) {
    if (step === undefined || (kind !== 'Requested' && kind !== 'UndoRequested')) continue;
    const id = `${step}:${order.orderId}@${version}`;
    const answered = told.some(
      ({ data, type, version: at }) =>
        at > version && data.request === `${order.orderId}@${version}` && type !== 'StepDeadLettered' && !type.startsWith('DeadLetterRe'),
    );
    if (!answered && !open.some((record) => record.id === id)) bad(`S10 ${id} has neither an outcome nor an open dead letter`);
  }
  const state = order.steps as Readonly<Record<string, { readonly status: string; readonly dead?: { readonly id: string } }>>;
  for (const [name, { status, dead }] of Object.entries(state)) {
    if ((status === 'dead') !== (dead !== undefined)) bad(`S10 ${name} is ${status}`);
    if (dead !== undefined && !open.some(({ id, state: is }) => id === dead.id && is === 'dead'))
      bad(`S10 ${name} lies dead without a letter`);
  }
  for (const { id, state: is, subscription } of open)
    if (is === 'dead' && state[subscription]?.dead?.id !== id) bad(`S10 the letter ${id} is open and the order does not know it`);
  if (when === 'settled') {
    if (order.status !== 'confirmed' && order.status !== 'cancelled') bad(`S17 ends as ${order.status}`);
    if (open.length > 0) bad(`S17 ${open.map(({ id }) => id).join(' ')} open at the end`);
  }
};
