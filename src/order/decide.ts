import * as E from 'fp-ts/lib/Either.js';
import type { OrderCommand, Place } from './commands.ts';
import { keepDecided } from './decided.ts';
import type { NewOrderEvent } from './events.ts';
import { begin, evolve, thaw } from './evolve.ts';
import { followUps } from './follow-ups.ts';
import { decideCancel, decideDeadline, decideDiscard, decideRedrive } from './interventions.ts';
import { fixedEvent } from './new-event.ts';
import type { Order } from './order.ts';
import { decideDead, decideOutcome } from './outcomes.ts';
import { invalid, type Rejection, rejection } from './rejection.ts';
import { textIssues } from './text.ts';

type Decided = E.Either<Rejection, readonly NewOrderEvent[]>;

const decidePlace = ({ orderId, details, plan }: Place): Decided => {
  const issues = textIssues({ orderId }, { orderId: 200 });
  return issues.length > 0
    ? E.left(invalid('the order id can not be used', issues))
    : E.right([fixedEvent('OrderPlaced', { details, plan })]);
};

const decideFact = (command: Exclude<OrderCommand, Place>, order: Order): Decided => {
  switch (command.type) {
    case 'Cancel':
      return decideCancel(command, order);
    case 'PassDeadline':
      return decideDeadline(order);
    case 'Redrive':
      return decideRedrive(command, order);
    case 'Discard':
      return decideDiscard(command, order);
    case 'RecordDead':
      return decideDead(command, order);
    default:
      return decideOutcome(command, order);
  }
};

/** The facts, and all that follows from them, in the order they happen. */
const complete = (facts: readonly NewOrderEvent[], orderId: string, order: Order | undefined): readonly NewOrderEvent[] => {
  if (facts.length === 0) return facts;
  const events: NewOrderEvent[] = [];
  let draft = order === undefined ? undefined : thaw(order);
  for (let next = facts; next.length > 0; next = draft === undefined ? [] : followUps(draft)) {
    for (const event of next) {
      const { type, schema, data } = event;
      // The time is the appender's business; nothing that is decided here depends on it.
      const dated = { type, schema, data, stream: orderId, version: (draft?.version ?? 0) + 1, time: '' };
      if (draft === undefined) draft = begin(dated);
      else evolve(draft, dated);
      events.push(event);
    }
  }
  if (draft !== undefined) keepDecided(events, order, draft);
  return events;
};

/**
 * What has to be written for a command, all in one unit: the fact itself and everything it leads to (requests, undo requests,
 * the end of the order). Pure; the same command on the same order gives the same. `[]` = nothing new, which is no refusal.
 * @returns `left` when it can't be done: `NOT_FOUND`, `EXISTS`, `TOO_LATE`, `NOT_DEAD`, `INVALID`.
 * @example
 * const decided = decide({ type: 'Cancel', reason: 'changed my mind' }, order);
 */
export const decide = (command: OrderCommand, order: Order | undefined): Decided => {
  if (command.type === 'Place') {
    if (order !== undefined) return E.left(rejection('EXISTS', 'there is an order with this id'));
    const placed = decidePlace(command);
    return E.isLeft(placed) ? placed : E.right(complete(placed.right, command.orderId, undefined));
  }
  if (order === undefined) return E.left(rejection('NOT_FOUND', 'there is no such order'));
  const decided = decideFact(command, order);
  return E.isLeft(decided) ? decided : E.right(complete(decided.right, order.orderId, order));
};
