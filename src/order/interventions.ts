import * as E from 'fp-ts/lib/Either.js';
import type { Cancel, Discard, Redrive } from './commands.ts';
import type { ByOperator, NewOrderEvent } from './events.ts';
import { DEADLINE_REASON, pastNoReturn, settling } from './follow-ups.ts';
import { answerTo, fixedEvent, letterOf } from './new-event.ts';
import { type Order, stepOf } from './order.ts';
import { invalid, type Rejection, rejection } from './rejection.ts';
import { textIssues } from './text.ts';

type Decided = E.Either<Rejection, readonly NewOrderEvent[]>;

const none: Decided = E.right([]);
const LIMITS = { by: 200, reason: 1_000 } as const;

/** Starts the way back, unless it is too late or under way. */
export const decideCancel = ({ reason, by }: Cancel, order: Order): Decided => {
  const issues = textIssues({ reason, by }, by === undefined ? { reason: LIMITS.reason } : LIMITS);
  if (issues.length > 0) return E.left(invalid('the cancellation can not be recorded like this', issues));
  if (order.phase === 'cancelling' || order.phase === 'cancelled') return none;
  if (order.phase === 'confirmed') return E.left(rejection('TOO_LATE', 'the order is confirmed'));
  if (pastNoReturn(order)) return E.left(rejection('TOO_LATE', 'a step that cannot be taken back was requested'));
  return E.right([fixedEvent('CancellationStarted', { cause: 'requested', reason, ...(by === undefined ? {} : { by }) })]);
};

/** Too late for a deadline is no news. On a stalled order an operator is at work: it is written down and acts when the stall ends. */
export const decideDeadline = (order: Order): Decided => {
  if (order.phase !== 'placed' || order.deadlinePassed || pastNoReturn(order)) return none;
  if (order.status === 'stalled') return E.right([fixedEvent('DeadlinePassed', {})]);
  return E.right([fixedEvent('CancellationStarted', { cause: 'deadline', reason: DEADLINE_REASON })]);
};

/** The step this dead letter of the order belongs to, and the operator's words. */
const openLetter = (
  command: Redrive | Discard,
  order: Order,
): E.Either<Rejection, { readonly step: string; readonly operator: ByOperator }> => {
  const issues = textIssues(command, LIMITS);
  if (issues.length > 0) return E.left(invalid('say who does this and why', issues));
  const planned = order.plan.steps.find(({ name }) => stepOf(order, name).dead?.id === command.deadLetterId);
  if (planned === undefined) return E.left(rejection('NOT_DEAD', 'there is no such dead letter, or it is no longer dead'));
  return E.right({ step: planned.name, operator: { by: command.by, reason: command.reason } });
};

/** Puts a dead letter back to where it was outstanding. */
export const decideRedrive = (command: Redrive, order: Order): Decided =>
  E.map(({ step, operator }: { readonly step: string; readonly operator: ByOperator }) => [
    fixedEvent('DeadLetterRedriven', { ...letterOf(order, step), ...operator }),
  ])(openLetter(command, order));

/** Gives a dead letter up: an undo counts as done by hand, a `do` is waived past the point of no return, else it cancels the order. */
export const decideDiscard = (command: Discard, order: Order): Decided => {
  const letter = openLetter(command, order);
  if (E.isLeft(letter)) return letter;
  const { step, operator } = letter.right;
  const fact = letterOf(order, step);
  const discarded = fixedEvent('DeadLetterDiscarded', { ...fact, ...operator });
  if (fact.direction === 'undo') return E.right([discarded, fixedEvent('UndoneByHand', { ...answerTo(order, step, 'undo'), ...operator })]);
  if (pastNoReturn(order)) return E.right([discarded, fixedEvent('StepWaived', answerTo(order, step, 'do'))]);
  return E.right([discarded, fixedEvent('CancellationStarted', { cause: 'discarded', ...operator, step }), settling(order, step)]);
};
