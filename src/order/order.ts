import type { Direction } from './names.ts';
import type { Plan } from './plan.ts';

/** `stalled`: a step of it lies dead. `confirmed` and `cancelled` are final. */
export type OrderStatus = 'placed' | 'confirmed' | 'cancelling' | 'cancelled' | 'stalled';

/** Where the order stands, dead letters aside. */
export type OrderPhase = Exclude<OrderStatus, 'stalled'>;

/** `requested` and `undoing` wait for an answer; `skipped`, `refused` and `waiting` left no effect; `waived` may have. */
export type StepStatus = 'waiting' | 'requested' | 'succeeded' | 'refused' | 'undoing' | 'undone' | 'skipped' | 'waived' | 'dead';

/** What became of one step so far. */
export interface StepState<Result = unknown> {
  readonly status: StepStatus;
  /** Id of the event that asked for it. */
  readonly request?: string;
  /** What `do` returned. Absent too when it returned nothing. */
  readonly result?: Result;
  /** Why it was refused. */
  readonly reason?: string;
  /** Id of the event that asked to take it back, and whether it is still to be found out if there is something to take back. */
  readonly undo?: { readonly request: string; readonly settle: boolean };
  /** The open dead letter. */
  readonly dead?: { readonly id: string; readonly direction: Direction; readonly cause: string };
}

/** An order as its events tell it. Frozen plain JSON. */
export interface Order<Details = unknown, Results extends object = Record<string, unknown>> {
  readonly orderId: string;
  /** Version of the last event folded in. */
  readonly version: number;
  readonly status: OrderStatus;
  readonly phase: OrderPhase;
  /** ISO 8601, UTC. */
  readonly placedAt: string;
  readonly details: Details;
  readonly plan: Plan;
  readonly steps: { readonly [Step in keyof Results & string]: StepState<Exclude<Results[Step], undefined>> };
  /** Why it is being, or was, cancelled. */
  readonly reason?: string;
  /** The deadline passed while it was stalled. Nothing new is started; the order is cancelled when the stall ends. */
  readonly deadlinePassed?: true;
}

/** The state of a step of the order's plan. */
export const stepOf = (order: Order, step: string): StepState => order.steps[step] as StepState;
