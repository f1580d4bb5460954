import * as E from 'fp-ts/lib/Either.js';
import { OrderfoldError } from '../core/errors.ts';
import type { OrderCommand } from '../order/commands.ts';
import { decide } from '../order/decide.ts';
import { afterDecided } from '../order/decided.ts';
import { fold } from '../order/fold.ts';
import { FOLD_FINGERPRINT } from '../order/fold-fingerprint.ts';
import type { Direction } from '../order/names.ts';
import { type Order, stepOf } from '../order/order.ts';
import { orderText } from '../order/order-text.ts';
import type { Plan } from '../order/plan.ts';
import { type Rejection, rejection } from '../order/rejection.ts';
import type { Consequences, Decide, Fact, StreamModel } from './model.ts';

const DEADLINE = 'deadline';
/** The order's own rules as a decision over its stream. */
export const deciding =
  (command: OrderCommand): Decide<Order, Rejection> =>
  (order) =>
    decide(command, order);

/** Which direction of a step of the order's plan a delivery runs; undefined where it belongs to another subscription. */
export const directionOf = (order: Order, step: string, event: string): Direction | undefined => {
  if (!Object.hasOwn(order.steps, step)) return undefined;
  const { request, undo } = stepOf(order, step);
  return undo?.request === event ? 'undo' : request === event ? 'do' : undefined;
};

const consequences = (events: readonly Fact[], order: Order): Consequences => {
  const { deadlineMs, steps } = order.plan;
  const follow: { -readonly [Kind in keyof Consequences]: Consequences[Kind] } = {};
  for (const { type, data } of events) {
    switch (type) {
      case 'OrderPlaced':
        if (deadlineMs !== undefined) follow.timers = [{ name: DEADLINE, delayMs: deadlineMs }];
        break;
      case 'OrderConfirmed':
      case 'OrderCancelled':
        if (deadlineMs !== undefined) follow.dropTimers = [DEADLINE];
        break;
      case 'DeadLetterSuperseded':
        follow.supersede = [...(follow.supersede ?? []), (data as { deadLetterId: string }).deadLetterId];
        break;
      case 'CancellationStarted':
        follow.wake = steps
          .filter(({ name }) => stepOf(order, name).status === 'requested')
          .map(({ name }) => `${name}:${stepOf(order, name).request ?? ''}`);
    }
  }
  return follow;
};

/** What brings a scheduled command, by the command. */
export const PLACE_LATER = 'PlaceOrder';
export const CANCEL_LATER = 'CancelOrder';

const dueCommand = ({ type, data }: Fact, orderId: string, plan: Plan): OrderCommand => {
  if (type === PLACE_LATER) return { type: 'Place', orderId, plan, ...(data as { readonly details: unknown }) };
  if (type === CANCEL_LATER) return { type: 'Cancel', ...(data as { readonly reason: string; readonly by?: string }) };
  throw new OrderfoldError('UNDECODABLE', `${orderId} is to ${type}, which this code does not know`, { retryable: true });
};

/** How an order's stream folds, and what its dead letters and timers mean to it; `plan` is for those placed by a timer. */
export const orderModel = (plan: Plan): StreamModel<Order> => ({
  fingerprint: FOLD_FINGERPRINT,
  fold: (events, from) => fold(events, from) as Order,
  decided: afterDecided,
  status: ({ status }) => status,
  text: orderText,
  consequences,
  onTimer: (name) => (order) => {
    if (name !== DEADLINE || order === undefined) return E.right([]);
    const decided = decide({ type: 'PassDeadline' }, order);
    return E.isLeft(decided) ? E.right([]) : decided;
  },
  onScheduled: (due, orderId) => deciding(dueCommand(due, orderId, plan)),
  onDeadLetter: (change) => (order) => {
    const { id, subscription } = change;
    if (order === undefined || !Object.hasOwn(order.steps, subscription)) return E.right([]);
    if (change.kind === 'edited')
      return E.left(
        rejection('INVALID', `the step ${subscription} reads its order, not the payload of ${change.type}: redrive it as it is`),
      );
    const { dead } = stepOf(order, subscription);
    // One that died while nobody here could fold the order is not known to it, and simply runs again.
    if (change.kind === 'redriven' && dead?.id !== id) return E.right([]);
    if (change.kind === 'redriven') return decide({ type: 'Redrive', deadLetterId: id, by: change.by, reason: change.reason }, order);
    if (change.kind === 'discarded') return decide({ type: 'Discard', deadLetterId: id, by: change.by, reason: change.reason }, order);
    const { cause, attempts } = change;
    const { request, undo } = stepOf(order, subscription);
    const asks = [request, undo?.request].find((event) => event !== undefined && `${subscription}:${event}` === id);
    const direction = asks === undefined ? undefined : directionOf(order, subscription, asks);
    if (direction === undefined) return E.right([]);
    return decide({ type: 'RecordDead', step: subscription, direction, deadLetterId: id, cause, attempts }, order);
  },
});
