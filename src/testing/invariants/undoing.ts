import type { Invariant } from '../recorded-run.ts';
import { ofOrders } from './judged.ts';
import { type Fact, hadBefore, type OrderEvidence, type StepEvidence, wasOpen } from './order-evidence.ts';

/** What says whether a step stands. */
const TELLING: ReadonlySet<Fact['kind']> = new Set([
  'Requested',
  'Succeeded',
  'Refused',
  'Undone',
  'UndoneByHand',
  'StepSkipped',
  'StepWaived',
]);

const laterThan = ({ plan }: OrderEvidence, name: string): readonly string[] =>
  plan.steps.filter(({ after }) => after.includes(name)).map((step) => step.name);

/** Whether a step is in the way of undoing what it ran after. Without an effect of its own it is only if something later is. */
const stands = (order: OrderEvidence, name: string, version: number): boolean => {
  const step = order.steps.get(name);
  const last = step?.facts.findLast((fact) => fact.version < version && TELLING.has(fact.kind));
  switch (last?.kind) {
    case 'Requested':
      return true;
    case 'Succeeded':
    case 'StepWaived':
      return step?.planned.undo === 'undo' || laterThan(order, name).some((later) => stands(order, later, version));
    default:
      return false;
  }
};

const judgeRequest = (order: OrderEvidence, step: StepEvidence, { version, step: name, data }: Fact, say: (text: string) => void) => {
  for (const later of laterThan(order, name)) if (stands(order, later, version)) say(`${name} was to be undone while ${later} stood`);
  const known = hadBefore(step, version, 'Succeeded');
  if (data.settle !== !known)
    say(
      `${name} was to be undone ${data.settle === true ? 'as if unknown, and had succeeded' : 'as if it had succeeded, and was unknown'}`,
    );
};

/** Sees the streams of orders that took something back. A request to undo says whether the step is known to have succeeded. */
const latestFirst = ofOrders(
  'S20',
  'an undo is requested only when all that ran after the step is undone or never succeeded, and happens once',
  (order, say) => {
    let seen = false;
    for (const [name, step] of order.steps) {
      let undone = 0;
      for (const fact of step.facts) {
        if (fact.kind === 'UndoRequested') judgeRequest(order, step, fact, say);
        else if (fact.kind === 'Undone' || fact.kind === 'UndoneByHand') undone += 1;
        else continue;
        seen = true;
      }
      if (undone > 1) say(`${name} was undone ${undone} times`);
    }
    return seen;
  },
);

/** Sees the streams of cancelled orders. */
const neverInSilence = ofOrders(
  'S21',
  'a failing undo never marks the order cancelled: it is answered, by hand at last, before the order is',
  ({ end, letters, asked }, say) => {
    if (end?.kind !== 'OrderCancelled') return false;
    for (const letter of letters) if (wasOpen(letter, end.version)) say(`it was cancelled while ${letter.id} was dead`);
    for (const { id, direction, fact, answers } of asked.values()) {
      if (direction !== 'undo' || fact.version > end.version) continue;
      const ended = answers.some(({ kind, version }) => version < end.version && TELLING.has(kind));
      if (!ended) say(`it was cancelled before the undo of ${fact.step}, ${id}, had ended`);
    }
    return true;
  },
);

/** What is about taking steps back. */
export const undoing: readonly Invariant[] = [latestFirst, neverInSilence];
