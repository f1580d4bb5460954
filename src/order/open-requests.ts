import type { Direction } from './names.ts';
import { type Order, stepOf } from './order.ts';

/** A request that waits for an answer. */
export interface OpenRequest {
  readonly step: string;
  readonly direction: Direction;
  /** Id of the event that asks for it. */
  readonly request: string;
  /** Find out first whether the step happened at all. */
  readonly settle: boolean;
}

/** All requests nobody has answered yet, dead ones aside. A delivery whose event is not among them has nothing left to do. */
export const openRequests = (order: Order): readonly OpenRequest[] =>
  order.plan.steps.flatMap(({ name: step }): readonly OpenRequest[] => {
    const { status, request, undo } = stepOf(order, step);
    if (status === 'requested' && request !== undefined) return [{ step, direction: 'do', request, settle: false }];
    return status === 'undoing' && undo !== undefined ? [{ step, direction: 'undo', ...undo }] : [];
  });
