import * as E from 'fp-ts/lib/Either.js';
import type { Outcome, RecordDead } from './commands.ts';
import type { NewOrderEvent } from './events.ts';
import { pastNoReturn } from './follow-ups.ts';
import { answerTo, fixedEvent, stepEvent } from './new-event.ts';
import { type Order, stepOf } from './order.ts';
import { plainJson } from './plain-json.ts';
import { invalid, type Rejection, rejection } from './rejection.ts';

type Decided = E.Either<Rejection, readonly NewOrderEvent[]>;

const none: Decided = E.right([]);
const noSense = (message: string): Decided => E.left(rejection('INVALID', message));

/** At most 1,000 UTF-16 units of it, in whole characters, whatever a handler gave as its reason. */
const reasonOf = (reason: unknown): string =>
  String(reason)
    .slice(0, 1_000)
    .replace(/\p{Surrogate}/gu, '\ufffd');

const unknownStep = (order: Order, step: string): Rejection | undefined =>
  Object.hasOwn(order.steps, step) ? undefined : rejection('INVALID', `the order has no step "${String(step).slice(0, 60)}"`);

/** `{ result }` as it will be stored, or what about it is not plain JSON. */
const stored = (what: 'result' | 'details', value: unknown): E.Either<Rejection, object> => {
  if (value === undefined) return E.right({});
  const json = plainJson(value);
  return E.isLeft(json) ? E.left(invalid(`a step's ${what} has to be plain JSON`, json.left)) : E.right({ [what]: json.right });
};

/**
 * An answer to the step's own request. It may come late: a success of a step thought refused or skipped is recorded, and then taken back.
 */
const answerDo = (outcome: Exclude<Outcome, { type: 'RecordUndone' }>, order: Order): Decided => {
  const { step } = outcome;
  const { status, undo } = stepOf(order, step);
  const answer = answerTo(order, step, 'do');
  const awaited = status === 'requested';
  switch (outcome.type) {
    case 'RecordSucceeded': {
      const repairs = (status === 'refused' || status === 'skipped') && order.phase !== 'placed';
      const settles = status === 'undoing' && undo?.settle === true;
      if (!awaited && !repairs && !settles) return none;
      const result = stored('result', outcome.result);
      return E.isLeft(result) ? result : E.right([stepEvent('Succeeded', { ...answer, ...result.right })]);
    }
    case 'RecordRefused': {
      if (!awaited) return none;
      if (order.phase === 'placed' && pastNoReturn(order, step)) {
        return noSense(`${step} may not refuse any more: a step that cannot be taken back was requested`);
      }
      return refusal(outcome, answer);
    }
    case 'RecordSkipped':
      if (!awaited) return none;
      if (order.phase !== 'cancelling') return noSense(`${step} can only be skipped while the order is being cancelled`);
      return E.right([fixedEvent('StepSkipped', answer)]);
  }
};

const refusal = (outcome: { readonly reason: string; readonly details?: unknown }, answer: ReturnType<typeof answerTo>): Decided =>
  E.map((details: object) => [stepEvent('Refused', { ...answer, reason: reasonOf(outcome.reason), ...details })])(
    stored('details', outcome.details),
  );

/** An answer to the request to take the step back. One that was to settle the step first may find that there is nothing to take back. */
const answerUndo = (outcome: Outcome, order: Order): Decided => {
  const { step } = outcome;
  const { status, undo } = stepOf(order, step);
  if (status !== 'undoing') return none;
  const answer = answerTo(order, step, 'undo');
  if (outcome.type === 'RecordUndone') {
    const undone = stepEvent('Undone', answer);
    if (outcome.settled === undefined || !undo?.settle) return E.right([undone]);
    return E.map((result: object) => [stepEvent('Succeeded', { ...answerTo(order, step, 'do'), ...result }), undone])(
      stored('result', outcome.settled.result),
    );
  }
  if (outcome.type === 'RecordSucceeded') return noSense(`the undo of ${step} ends as undone, not as succeeded`);
  if (!undo?.settle) return noSense(`${step} succeeded: its undo can't be refused or skipped`);
  const found = { ...answer, effectKey: answerTo(order, step, 'do').effectKey };
  return outcome.type === 'RecordRefused' ? refusal(outcome, found) : E.right([fixedEvent('StepSkipped', found)]);
};

/**
 * Writes down how a request ended. `[]` when nobody waits for this answer (any more), so the same outcome twice is harmless.
 * INVALID when somebody does and it makes no sense, so that it is not lost: the delivery has to end as a dead letter then.
 */
export const decideOutcome = (outcome: Outcome, order: Order): Decided => {
  const unknown = unknownStep(order, outcome.step);
  if (unknown !== undefined) return E.left(unknown);
  const { request, undo, status } = stepOf(order, outcome.step);
  if (outcome.request === undo?.request) return answerUndo(outcome, order);
  if (outcome.request !== request) return none;
  if (outcome.type !== 'RecordUndone') return answerDo(outcome, order);
  return status === 'requested' ? noSense(`${outcome.step} was asked to run, not to be undone`) : none;
};

/** Writes down that the delivery of the outstanding request is dead. */
export const decideDead = (command: RecordDead, order: Order): Decided => {
  const { step, direction, deadLetterId, cause, attempts } = command;
  const unknown = unknownStep(order, step);
  if (unknown !== undefined) return E.left(unknown);
  if (stepOf(order, step).status !== (direction === 'do' ? 'requested' : 'undoing')) return none;
  return E.right([fixedEvent('StepDeadLettered', { ...answerTo(order, step, direction), direction, deadLetterId, cause, attempts })]);
};
