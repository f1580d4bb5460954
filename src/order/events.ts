import type { Direction, StepKind } from './names.ts';
import type { Plan } from './plan.ts';

/** Version of every payload's shape below. */
export const ORDER_EVENT_SCHEMA = 1;

/** What made the order go back. */
export type CancellationCause = 'requested' | 'deadline' | 'refused' | 'discarded';

/** Every outcome names the event it answers (`<orderId>@<version>`) and the key of the effect it speaks of. */
export interface Answer<Step extends string = string> {
  readonly step: Step;
  readonly effectKey: string;
  readonly request: string;
}

/** A fact about the dead letter of a request. */
export interface LetterFact<Step extends string = string> extends Answer<Step> {
  readonly direction: Direction;
  readonly deadLetterId: string;
}

/** What an operator did, who it was and why. */
export interface ByOperator {
  readonly by: string;
  readonly reason: string;
}

type Nothing = Readonly<Record<never, never>>;

/** The events every order can have, whatever its steps. */
export interface FixedEvents<Details = unknown, Step extends string = string> {
  readonly OrderPlaced: { readonly details: Details; readonly plan: Plan };
  /** The request never ran, or ran without leaving an effect. */
  readonly StepSkipped: Answer<Step>;
  /** Discarded past the point of no return: whether it happened stays unknown and the order goes on without its result. */
  readonly StepWaived: Answer<Step>;
  /** An operator states that the effect was taken back outside. */
  readonly UndoneByHand: Answer<Step> & ByOperator;
  readonly StepDeadLettered: LetterFact<Step> & { readonly cause: string; readonly attempts: number };
  readonly DeadLetterRedriven: LetterFact<Step> & ByOperator;
  readonly DeadLetterDiscarded: LetterFact<Step> & ByOperator;
  /** Closed because the order is cancelled: the undo that follows finds out whether the step happened. */
  readonly DeadLetterSuperseded: LetterFact<Step>;
  readonly CancellationStarted: {
    readonly cause: CancellationCause;
    readonly reason: string;
    readonly by?: string;
    /** The step that refused, or whose dead letter was discarded. */
    readonly step?: Step;
  };
  /** The deadline passed while the order was stalled; it takes effect when the stall ends. */
  readonly DeadlinePassed: Nothing;
  readonly OrderConfirmed: Nothing;
  readonly OrderCancelled: { readonly reason: string };
}

/** What the events of one step carry, by kind. */
export interface StepEventData<Step extends string = string, Result = unknown> {
  readonly Requested: { readonly step: Step; readonly effectKey: string };
  /** Without `result` if the step returned nothing. */
  readonly Succeeded: Answer<Step> & { readonly result?: Result };
  /** Answers a `…Requested`; or an `…UndoRequested` that was to settle the step, and found that there is nothing to undo. */
  readonly Refused: Answer<Step> & { readonly reason: string; readonly details?: unknown };
  /** `settle`: not known whether the step happened; find out first, by `query` or by `do` with the step's own effect key. */
  readonly UndoRequested: { readonly step: Step; readonly effectKey: string; readonly settle: boolean };
  readonly Undone: Answer<Step>;
}

type OfKind<Kind extends StepKind, Results extends object> = {
  readonly [Step in keyof Results & string as `${Capitalize<Step>}${Kind}`]: StepEventData<Step, Exclude<Results[Step], undefined>>[Kind];
};

/** Event types and payloads of an order, derived from its steps: `{ payment: { chargeId: string } }` gives `PaymentSucceeded` and so on. */
export type OrderEvents<Details = unknown, Results extends object = Record<string, unknown>> = FixedEvents<
  Details,
  keyof Results & string
> &
  OfKind<'Requested', Results> &
  OfKind<'Succeeded', Results> &
  OfKind<'Refused', Results> &
  OfKind<'UndoRequested', Results> &
  OfKind<'Undone', Results>;

/** A decided event, before it has a version and a time. */
export interface NewOrderEvent {
  readonly type: string;
  readonly schema: typeof ORDER_EVENT_SCHEMA;
  readonly data: object;
}
