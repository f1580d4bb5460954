import type { Invariant, RecordedRun } from '../recorded-run.ts';
import type { Evidence } from './evidence.ts';
import { ofOrders, ofRun } from './judged.ts';
import { firstOf, type OrderEvidence } from './order-evidence.ts';

/** What the outside did for one step of one order, altogether. */
interface Balance {
  readonly done: number;
  /** Times it was taken back, as the services know it. */
  readonly undone: number;
  /** An operator states that it was taken back outside, which the services need not know. */
  readonly byHand: boolean;
  /** Whether it happened was given up. */
  readonly waived: boolean;
  /** A request of it has no outcome yet. */
  readonly isOpen: boolean;
  /** Moved and not moved back; null where some amount is not known. */
  readonly netMinor: number | null;
}

const balanceOf = (order: OrderEvidence, name: string): Balance => {
  let done = 0;
  let undone = 0;
  let netMinor: number | null = 0;
  for (const { step, direction, amountMinor } of order.effects) {
    if (step !== name) continue;
    if (direction === 'do') done += 1;
    else undone += 1;
    netMinor = netMinor === null || amountMinor === null ? null : netMinor + (direction === 'do' ? amountMinor : -amountMinor);
  }
  let isOpen = false;
  for (const { fact, answers } of order.asked.values()) if (fact.step === name && answers.length === 0) isOpen = true;
  const step = order.steps.get(name);
  const byHand = firstOf(step, 'UndoneByHand') !== undefined;
  return { done, undone, byHand, waived: firstOf(step, 'StepWaived') !== undefined, isOpen, netMinor };
};

const isMoving = ({ stage }: RecordedRun): boolean => stage === 'running';

/** Sees orders that recorded an effect: each key at any time, what stands of a step once it is quiet. */
const onceAKey = ofOrders(
  'S1',
  'an effect happens at most once for its key, and what was not taken back at most once for its order',
  (order, say, { run, keys }) => {
    const { effects, steps } = order;
    const told = new Set<string>();
    for (const { key, step } of effects) {
      if (key === undefined || (keys.get(key) ?? 0) < 2 || told.has(key)) continue;
      told.add(key);
      say(`${step} happened ${keys.get(key)} times under the key ${key}`);
    }
    for (const [name, { planned }] of steps) {
      if (isMoving(run) || planned.undo === 'nothing') continue;
      const { done, undone, byHand } = balanceOf(order, name);
      const standing = done - Math.max(undone, byHand ? 1 : 0);
      if (standing > 1) say(`${name} happened ${standing} times more than it was taken back`);
    }
    return effects.length > 0;
  },
);

/** Calls `judge` for each step that had an effect in this run and no request that is open, of an order that came to its end. */
const eachSettled = (
  order: OrderEvidence,
  { run }: Evidence,
  among: (step: string) => boolean,
  judge: (step: string, undo: string, balance: Balance, confirmed: boolean) => void,
): boolean => {
  const { steps, end } = order;
  if (isMoving(run) || end === undefined) return false;
  let seen = false;
  for (const [name, { planned }] of steps) {
    if (planned.undo === 'nothing' || !among(name)) continue;
    const balance = balanceOf(order, name);
    if (balance.isOpen) continue;
    seen = true;
    judge(name, planned.undo, balance, end.kind === 'OrderConfirmed');
  }
  return seen;
};

/**
 * Sees ended orders of quiet and settled runs in which the step moved money. The amounts are compared with the order's `totalMinor` where
 * one step alone moves money; where an operator did it by hand, or the step was waived, only what is known is judged.
 */
const moneyBalances = ofOrders(
  'S2',
  'captured minus refunded is the total of a confirmed order and 0 of a cancelled one',
  (order, say, evidence) => {
    const { details, plan } = order;
    const { moneySteps } = evidence;
    const movers = plan.steps.filter(({ name }) => moneySteps.has(name)).length;
    return eachSettled(
      order,
      evidence,
      (step) => moneySteps.has(step),
      (step, undo, balance, confirmed) => {
        const { done, undone, netMinor, byHand, waived } = balance;
        if (confirmed && !waived && done - undone < 1)
          say(`it is confirmed, and ${step} happened ${done} times and was taken back ${undone} times`);
        if (
          confirmed &&
          !waived &&
          movers === 1 &&
          netMinor !== null &&
          typeof details.totalMinor === 'number' &&
          netMinor !== details.totalMinor
        )
          say(`it is confirmed over ${details.totalMinor}, and ${step} moved ${netMinor}`);
        if (!confirmed && !byHand && undo === 'undo' && netMinor !== null && netMinor !== 0)
          say(`it is cancelled, and ${step} keeps ${netMinor}`);
      },
    );
  },
);

/** Sees all effects in the order of time. Amounts are compared as far as all of them are known. */
const neverMoreBack = ofOrders('S3', 'never is more taken back than happened, at any moment', ({ effects, steps }, say) => {
  for (const [name] of steps) {
    let standing = 0;
    let netMinor: number | null = 0;
    for (const { step, direction, amountMinor } of effects) {
      if (step !== name) continue;
      const sign = direction === 'do' ? 1 : -1;
      standing += sign;
      netMinor = netMinor === null || amountMinor === null ? null : netMinor + sign * amountMinor;
      if (standing < 0) say(`${name} was taken back before it happened`);
      else if (netMinor !== null && netMinor < 0) say(`${name} gave ${-netMinor} more back than it took`);
      else continue;
      break;
    }
  }
  return effects.length > 0;
});

const takenBack = (order: OrderEvidence, say: (text: string) => void, evidence: Evidence): boolean =>
  order.effects.length > 0 &&
  eachSettled(
    order,
    evidence,
    (step) => evidence.recordedSteps.has(step),
    (step, undo, { done, undone, byHand }, confirmed) => {
      if (!confirmed && undo === 'undo' && done > undone && !byHand) say(`it is cancelled, and ${step} was never taken back`);
    },
  );

/** Sees ended orders of quiet and settled runs that recorded an effect, and every effect of an order that is not there. */
const everyChargeLeads = ofRun(
  'S4',
  'whatever happened at any time, even late, leads to a confirmed order or is taken back',
  (evidence, accuse) => {
    const { run, orders } = evidence;
    let checked = 0;
    for (const order of orders) if (takenBack(order, (text) => accuse(order.orderId, text), evidence)) checked += 1;
    for (const { orderId, step } of run.effects)
      if (!run.streams.has(orderId)) accuse(orderId, `${step} happened, and there is no such order`);
    return checked;
  },
);

/** Sees ended orders of quiet and settled runs, and their steps that recorded effects without an amount. */
const releasedOnce = ofOrders(
  'S7',
  'what was reserved is released exactly once, or stays with a confirmed order',
  (order, say, evidence) => {
    const { recordedSteps, moneySteps } = evidence;
    return eachSettled(
      order,
      evidence,
      (step) => recordedSteps.has(step) && !moneySteps.has(step),
      (step, undo, balance, confirmed) => {
        const { done, undone, byHand, waived } = balance;
        if (undone > done) say(`${step} was released ${undone} times, and reserved ${done} times`);
        if (confirmed && !waived && done - undone < 1) say(`it is confirmed, and of ${step} nothing is reserved`);
        if (!confirmed && undo === 'undo' && done > undone && !byHand) say(`it is cancelled, and ${step} was never released`);
      },
    );
  },
);

/** What is about effects outside. Silent where none were recorded; a step that recorded none in the whole run is not judged. */
export const money: readonly Invariant[] = [onceAKey, moneyBalances, neverMoreBack, everyChargeLeads, releasedOnce];
