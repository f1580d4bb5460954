import { type Answer, type FixedEvents, type LetterFact, type NewOrderEvent, ORDER_EVENT_SCHEMA, type StepEventData } from './events.ts';
import { effectKey, type StepKind, stepEventName } from './names.ts';
import { type Order, stepOf } from './order.ts';

/** An event every order can have. */
export const fixedEvent = <Type extends keyof FixedEvents>(type: Type, data: FixedEvents[Type]): NewOrderEvent => ({
  type,
  schema: ORDER_EVENT_SCHEMA,
  data,
});

/** An event of one step. */
export const stepEvent = <Kind extends StepKind>(kind: Kind, data: StepEventData[Kind]): NewOrderEvent => ({
  type: stepEventName(data.step, kind),
  schema: ORDER_EVENT_SCHEMA,
  data,
});

/** How an outcome names what it answers: the step's own request, or with `'undo'` the request to take it back. */
export const answerTo = (order: Order, step: string, request: 'do' | 'undo'): Answer => {
  const state = stepOf(order, step);
  return {
    step,
    effectKey: effectKey(order.orderId, step, request),
    request: (request === 'do' ? state.request : state.undo?.request) ?? '',
  };
};

/** The same for a step's open dead letter. */
export const letterOf = (order: Order, step: string): LetterFact => {
  const dead = stepOf(order, step).dead as NonNullable<ReturnType<typeof stepOf>['dead']>;
  return { ...answerTo(order, step, dead.direction), direction: dead.direction, deadLetterId: dead.id };
};

/** Asks for a step to be taken back. */
export const undoRequested = (order: Order, step: string, settle: boolean): NewOrderEvent =>
  stepEvent('UndoRequested', { step, effectKey: effectKey(order.orderId, step, 'undo'), settle });
