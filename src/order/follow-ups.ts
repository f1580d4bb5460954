import type { NewOrderEvent } from './events.ts';
import { effectKey } from './names.ts';
import { answerTo, fixedEvent, letterOf, stepEvent, undoRequested } from './new-event.ts';
import { type Order, type StepStatus, stepOf } from './order.ts';

/** What the customer reads on an order cancelled by its deadline. */
export const DEADLINE_REASON = 'the deadline passed';

const DONE: ReadonlySet<StepStatus> = new Set(['succeeded', 'waived']);
const NOTHING_LEFT: ReadonlySet<StepStatus> = new Set(['waiting', 'refused', 'skipped', 'undone']);
const NEVER_STARTED: ReadonlySet<StepStatus> = new Set(['waiting', 'refused', 'skipped']);

/** The point of no return: an irreversible step, other than `except`, was requested and did not end as refused. */
export const pastNoReturn = (order: Order, except?: string): boolean =>
  order.plan.steps.some(({ name, undo }) => undo === 'irreversible' && name !== except && !NEVER_STARTED.has(stepOf(order, name).status));

/** Forwards: what may start, or the end. After the deadline, and after a refusal, nothing starts. */
const onward = (order: Order): readonly NewOrderEvent[] => {
  const { steps } = order.plan;
  const refused = steps.find(({ name }) => stepOf(order, name).status === 'refused');
  if (refused !== undefined) {
    const { name: step } = refused;
    return [fixedEvent('CancellationStarted', { cause: 'refused', reason: stepOf(order, step).reason ?? '', step })];
  }
  if (order.deadlinePassed) {
    return order.status === 'stalled' ? [] : [fixedEvent('CancellationStarted', { cause: 'deadline', reason: DEADLINE_REASON })];
  }
  const isDone = (step: string): boolean => DONE.has(stepOf(order, step).status);
  if (steps.every(({ name }) => isDone(name))) return [fixedEvent('OrderConfirmed', {})];
  return steps
    .filter(({ name, after }) => stepOf(order, name).status === 'waiting' && after.every(isDone))
    .map(({ name: step }) => stepEvent('Requested', { step, effectKey: effectKey(order.orderId, step, 'do') }));
};

/**
 * Backwards: the latest step first, each as soon as nothing that ran after it still stands; parallel ones do not wait for one another.
 * What succeeded without an effect stands in nobody's way once all that ran after it is gone.
 */
const homeward = (order: Order): { readonly events: readonly NewOrderEvent[]; readonly allGone: boolean } => {
  const events: NewOrderEvent[] = [];
  const blocked = new Set<string>();
  let allGone = true;
  for (const { name, after, undo } of order.plan.steps.toReversed()) {
    const { status, dead } = stepOf(order, name);
    if (NOTHING_LEFT.has(status)) continue;
    const free = !blocked.has(name);
    const done = DONE.has(status);
    if (done && undo !== 'undo' && free) continue;
    allGone = false;
    for (const earlier of after) blocked.add(earlier);
    if (done && free) events.push(undoRequested(order, name, status === 'waived'));
    if (dead?.direction === 'do') events.push(fixedEvent('DeadLetterSuperseded', letterOf(order, name)), settling(order, name));
  }
  return { events, allGone };
};

/** Nobody knows whether the step happened, and the order goes back: the undo finds out. Without an effect there is nothing to find. */
export const settling = (order: Order, step: string): NewOrderEvent =>
  order.plan.steps.find(({ name }) => name === step)?.undo === 'undo'
    ? undoRequested(order, step, true)
    : fixedEvent('StepSkipped', answerTo(order, step, 'do'));

/**
 * What the facts so far lead to by themselves; `[]` when it is quiet. Applied until nothing follows, in the unit of the fact.
 * A cancelled order only takes back what succeeded after all; it stays cancelled.
 */
export const followUps = (order: Order): readonly NewOrderEvent[] => {
  switch (order.phase) {
    case 'placed':
      return onward(order);
    case 'cancelling': {
      const { events, allGone } = homeward(order);
      return allGone ? [fixedEvent('OrderCancelled', { reason: order.reason ?? '' })] : events;
    }
    case 'cancelled':
      return homeward(order).events;
    case 'confirmed':
      return [];
  }
};
