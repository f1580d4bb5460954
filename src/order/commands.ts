import type { Direction } from './names.ts';
import type { Plan } from './plan.ts';

/** Takes an order. `details` is what the schema let through; `plan` is the saga's. */
export interface Place {
  readonly type: 'Place';
  readonly orderId: string;
  readonly details: unknown;
  readonly plan: Plan;
}

/** Takes the order back, until a step that can't be taken back was requested. */
export interface Cancel {
  readonly type: 'Cancel';
  readonly reason: string;
  readonly by?: string;
}

/** The deadline timer fired. */
export interface PassDeadline {
  readonly type: 'PassDeadline';
}

/** The step's `do`, or its `query`, said yes. `request` is the id of the event that was answered, in these four. */
export interface RecordSucceeded {
  readonly type: 'RecordSucceeded';
  readonly step: string;
  readonly request: string;
  readonly result?: unknown;
}

/** The step's `do`, or its `query`, said no; to an undo request: there is nothing to undo. */
export interface RecordRefused {
  readonly type: 'RecordRefused';
  readonly step: string;
  readonly request: string;
  readonly reason: string;
  readonly details?: unknown;
}

/** Taken back. `settled` is what settling found first, if it was still open whether the step had happened. */
export interface RecordUndone {
  readonly type: 'RecordUndone';
  readonly step: string;
  readonly request: string;
  readonly settled?: { readonly result?: unknown };
}

/** The order is being cancelled and this request certainly never had an effect: not started, or finally not found. */
export interface RecordSkipped {
  readonly type: 'RecordSkipped';
  readonly step: string;
  readonly request: string;
}

/** The delivery of the step's request in this direction became a dead letter. */
export interface RecordDead {
  readonly type: 'RecordDead';
  readonly step: string;
  readonly direction: Direction;
  readonly deadLetterId: string;
  readonly cause: string;
  readonly attempts: number;
}

/** Runs a dead letter again. */
export interface Redrive {
  readonly type: 'Redrive';
  readonly deadLetterId: string;
  readonly by: string;
  readonly reason: string;
}

/**
 * Gives a dead letter up. Of a `do`: cancels the order, or waives the step past the point of no return. Of an undo: it was done by hand.
 */
export interface Discard {
  readonly type: 'Discard';
  readonly deadLetterId: string;
  readonly by: string;
  readonly reason: string;
}

/** How a request ended. */
export type Outcome = RecordSucceeded | RecordRefused | RecordUndone | RecordSkipped;
/** All that can be asked of an order. */
export type OrderCommand = Place | Cancel | PassDeadline | Outcome | RecordDead | Redrive | Discard;
