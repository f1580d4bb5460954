import { effectKey } from '../../order/names.ts';
import type { Invariant } from '../recorded-run.ts';
import { ofOrders, type Say } from './judged.ts';
import { ANSWERS, type Asked, type Fact, type OrderEvidence } from './order-evidence.ts';

/**
 * Sees quiet and settled runs: a request without an outcome has an open parked delivery, and a dead one is known to its stream. It
 * presumes that no pause lasts: what a pause keeps back may never have been parked.
 */
const answered = ofOrders(
  'S10',
  'every request has an outcome or an open dead letter',
  ({ orderId, asked, letters, steps }, say, { run, deliveries, deliveriesOf }) => {
    if (run.stage === 'running') return false;
    for (const { id, fact, answers } of asked.values()) {
      if (answers.length === 0 && deliveries.get(`${fact.step}:${id}`)?.isOpen !== true)
        say(`${fact.type}, ${id}, has neither an outcome nor an open delivery`);
    }
    for (const { id, closed } of letters)
      if (closed === undefined && deliveries.get(id)?.record.state !== 'dead')
        say(`it waits for the dead letter ${id}, which is not there`);
    for (const { record } of deliveriesOf.get(orderId) ?? []) {
      if (record.state !== 'dead' || !steps.has(record.subscription)) continue;
      if (!letters.some(({ id, closed }) => id === record.id && closed === undefined)) say(`it does not know that ${record.id} is dead`);
    }
    return true;
  },
);

const isLetter = (kind: string): boolean => kind === 'StepDeadLettered' || kind.startsWith('DeadLetter');

const judgeAnswer = (orderId: string, asked: Asked | undefined, { type, kind, step, data, version }: Fact, say: Say): void => {
  if (asked === undefined || asked.fact.step !== step || asked.fact.version >= version) {
    say(`${type} answers ${String(data.request)}, which is no request of ${step}`);
    return;
  }
  const key = effectKey(orderId, step, kind === 'Undone' || kind === 'UndoneByHand' || data.direction === 'undo' ? 'undo' : 'do');
  if (data.effectKey !== key) say(`${type} has the effect key ${String(data.effectKey)}, not ${key}`);
};

/** Sees the stream of every order; dead letters and what becomes of them count as outcomes. */
const named = ofOrders('S11', 'every outcome names its request and its effect key', ({ orderId, facts, asked }, say) => {
  for (const fact of facts)
    if (ANSWERS.has(fact.kind) || isLetter(fact.kind)) judgeAnswer(orderId, asked.get(fact.data.request as string), fact, say);
  return true;
});

/** Sees the stream of every order: an outcome that was told twice stands there once. */
const once = ofOrders('S12', 'the same outcome told twice is written once', ({ asked }, say) => {
  for (const { id, answers } of asked.values()) {
    if (answers.length < 2) continue;
    for (const [at, { kind, type }] of answers.entries())
      if (!isLetter(kind) && answers.findIndex((answer) => answer.kind === kind) < at) say(`${type} is written twice for ${id}`);
  }
  return true;
});

const CARRIED = [
  ['amountMinor', ({ details }: OrderEvidence) => details.totalMinor],
  ['currency', ({ details }: OrderEvidence) => details.currency],
  ['orderId', ({ orderId }: OrderEvidence) => orderId],
] as const;

/** Sees the successes whose result carries an amount, a currency or an order. */
const ownReply = ofOrders('S22', 'amount, currency and order in an outcome are those of the order', (order, say) => {
  let seen = false;
  for (const { kind, type, data } of order.facts) {
    const { result } = data;
    if (kind !== 'Succeeded' || typeof result !== 'object' || result === null) continue;
    for (const [field, ofOrder] of CARRIED) {
      const expected = ofOrder(order);
      if (expected === undefined || !Object.hasOwn(result, field)) continue;
      seen = true;
      const got = (result as Readonly<Record<string, unknown>>)[field];
      if (got !== expected) say(`${type} carries ${field} ${String(got)}, and it is ${String(expected)}`);
    }
  }
  return seen;
});

/** What is about requests and their answers. */
export const outcomes: readonly Invariant[] = [answered, named, once, ownReply];
