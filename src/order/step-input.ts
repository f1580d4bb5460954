import { type Direction, effectKey } from './names.ts';
import { type Order, stepOf } from './order.ts';
import type { UndoInput } from './step.ts';

type StateInput = Omit<UndoInput, 'signal' | 'attempt' | 'maxAttempts' | 'generation' | 'traceparent'>;

/**
 * What the state of an order says about one run of a step; the delivery adds the rest. `result` is there once the step is known to have
 * succeeded.
 */
export const stepInput = (order: Order, step: string, direction: Direction): StateInput => {
  const { after } = order.plan.steps.find(({ name }) => name === step) ?? { after: [] };
  const results: Record<string, unknown> = {};
  for (const name of after) results[name] = stepOf(order, name).result;
  return {
    orderId: order.orderId,
    order: Object.freeze({ ...(order.details as object), orderId: order.orderId }),
    results: Object.freeze(results),
    result: stepOf(order, step).result,
    effectKey: effectKey(order.orderId, step, direction),
  };
};
