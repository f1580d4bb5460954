import { eventId, type Foldable } from '../core/envelope.ts';
import { OrderfoldError } from '../core/errors.ts';
import { type FixedEvents, ORDER_EVENT_SCHEMA, type StepEventData } from './events.ts';
import { frozenCopy } from './frozen-copy.ts';
import type { StepTypes } from './names.ts';
import type { Order, StepState } from './order.ts';
import { planOf, typesOf } from './plan.ts';

/** An event as the fold sees it: any envelope will do. */
export interface FoldableEvent extends Foldable {
  readonly stream: string;
  readonly schema?: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type StepDraft = Mutable<StepState>;
/** An order that may be changed: a plain object of the folder's own. */
export type OrderDraft = Omit<Mutable<Order>, 'steps'> & { steps: Record<string, StepDraft> };

type StepMeaning = NonNullable<ReturnType<StepTypes['get']>>;
type Fact<Type extends keyof FixedEvents> = FixedEvents[Type];

const undecodable = (event: FoldableEvent, why: string) =>
  new OrderfoldError('UNDECODABLE', `${event.stream.slice(0, 200)}@${event.version}, ${event.type.slice(0, 100)}: ${why}`);

const dataOf = (event: FoldableEvent): object => {
  if (event.schema !== undefined && event.schema > ORDER_EVENT_SCHEMA) {
    throw undecodable(event, `expected schema ${ORDER_EVENT_SCHEMA}, got ${event.schema}, which newer code wrote`);
  }
  if (typeof event.data !== 'object' || event.data === null) throw undecodable(event, 'expected a payload');
  return event.data;
};

/** The state after `OrderPlaced`, for the caller to change further. */
export const begin = (event: FoldableEvent): OrderDraft => {
  const { details, plan: stored } = dataOf(event) as Fact<'OrderPlaced'>;
  if (event.type !== 'OrderPlaced' || event.version !== 1) throw undecodable(event, 'expected OrderPlaced as the first event of an order');
  const plan = planOf(stored);
  if (plan === undefined) throw undecodable(event, 'expected a plan this code knows');
  const steps: Record<string, StepDraft> = {};
  for (const { name } of plan.steps) steps[name] = { status: 'waiting' };
  return {
    orderId: event.stream,
    version: 1,
    status: 'placed',
    phase: 'placed',
    placedAt: event.time,
    details: frozenCopy(details),
    plan,
    steps,
  };
};

/** A copy to change of an order others hold; what `evolve` only ever replaces stays shared. */
export const thaw = (order: Order): OrderDraft => {
  const steps: Record<string, StepDraft> = {};
  for (const name in order.steps) if (Object.hasOwn(order.steps, name)) steps[name] = { ...(order.steps[name] as StepState) };
  return { ...order, steps };
};

const stepIn = (draft: OrderDraft, event: FoldableEvent, data: object): StepDraft => {
  const { step } = data as { readonly step?: unknown };
  const state = typeof step === 'string' ? draft.steps[step] : undefined;
  // Asking for a status also keeps out `constructor` and the like, in one look-up.
  if (typeof state?.status !== 'string') throw undecodable(event, 'expected a step of the plan the order was placed under');
  return state;
};

/** Final states stay; a dead step stalls the order; else it is where its phase says. */
const settleStatus = (draft: OrderDraft): void => {
  const final = draft.phase === 'confirmed' || draft.phase === 'cancelled';
  draft.status = !final && Object.values(draft.steps).some((step) => step.status === 'dead') ? 'stalled' : draft.phase;
};

/** Applies an event that goes by the step's own name. */
const evolveStep = (draft: OrderDraft, event: FoldableEvent, data: object, means: StepMeaning): void => {
  const step = stepIn(draft, event, data);
  if ((data as { readonly step?: unknown }).step !== means.step) throw undecodable(event, `expected the step ${means.step}`);
  switch (means.kind) {
    case 'Requested':
      step.status = 'requested';
      step.request = eventId(event.stream, event.version);
      return;
    case 'Succeeded': {
      const { result } = data as StepEventData['Succeeded'];
      if (result !== undefined) step.result = frozenCopy(result);
      if (step.reason !== undefined) delete step.reason;
      // Settled on the way to being undone: it is known now, and the undo goes on.
      if (step.status === 'undoing' && step.undo !== undefined) step.undo = Object.freeze({ request: step.undo.request, settle: false });
      else step.status = 'succeeded';
      return;
    }
    case 'Refused':
      step.status = 'refused';
      step.reason = (data as StepEventData['Refused']).reason;
      return;
    case 'UndoRequested':
      step.status = 'undoing';
      step.undo = Object.freeze({ request: eventId(event.stream, event.version), settle: (data as StepEventData['UndoRequested']).settle });
      return;
    case 'Undone':
      step.status = 'undone';
      return;
  }
};

const evolveFixed = (draft: OrderDraft, event: FoldableEvent, data: object): void => {
  switch (event.type) {
    case 'OrderPlaced':
      throw undecodable(event, 'an order is placed once');
    case 'StepSkipped':
      stepIn(draft, event, data).status = 'skipped';
      break;
    case 'StepWaived':
      stepIn(draft, event, data).status = 'waived';
      break;
    case 'UndoneByHand':
      stepIn(draft, event, data).status = 'undone';
      break;
    case 'StepDeadLettered': {
      const { deadLetterId: id, direction, cause } = data as Fact<'StepDeadLettered'>;
      const step = stepIn(draft, event, data);
      step.status = 'dead';
      step.dead = Object.freeze({ id, direction, cause });
      settleStatus(draft);
      break;
    }
    // A closed letter of a `do` leaves it open whether the step happened; what comes next in the same unit answers that.
    case 'DeadLetterRedriven':
    case 'DeadLetterDiscarded':
    case 'DeadLetterSuperseded': {
      const step = stepIn(draft, event, data);
      step.status = (data as Fact<'DeadLetterSuperseded'>).direction === 'do' ? 'requested' : 'undoing';
      delete step.dead;
      settleStatus(draft);
      break;
    }
    case 'CancellationStarted':
      draft.phase = 'cancelling';
      draft.reason = (data as Fact<'CancellationStarted'>).reason;
      settleStatus(draft);
      break;
    case 'DeadlinePassed':
      draft.deadlinePassed = true;
      break;
    case 'OrderConfirmed':
      draft.phase = 'confirmed';
      settleStatus(draft);
      break;
    case 'OrderCancelled':
      draft.phase = 'cancelled';
      settleStatus(draft);
      break;
    default:
      throw undecodable(event, 'an event type this code does not know');
  }
};

/**
 * Applies one event to an order that exists. Changes `draft`, returns nothing, keeps nothing of the caller's event.
 * @param types what the event types of the order's steps mean; handed in by who applies many.
 * @throws OrderfoldError `UNDECODABLE` for a type, schema, step or version that can't come next: code that knows it has to handle the
 * order.
 */
export const evolve = (draft: OrderDraft, event: FoldableEvent, types: StepTypes = typesOf(draft.plan)): void => {
  const data = dataOf(event);
  if (event.stream !== draft.orderId || event.version !== draft.version + 1) {
    throw undecodable(event, `expected version ${draft.version + 1} of ${draft.orderId.slice(0, 200)}`);
  }
  const means = types.get(event.type);
  if (means === undefined) evolveFixed(draft, event, data);
  else evolveStep(draft, event, data, means);
  draft.version = event.version;
};
