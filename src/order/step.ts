import type { Flow, FlowOptions } from '../core/flow.ts';
import type { RetryPolicy } from '../core/retry-policy.ts';
import type { UndoKind } from './plan.ts';
import type { Refused } from './refused.ts';

/** What a step is run with. */
export interface StepInput<Details = unknown, Results = Readonly<Record<string, unknown>>> {
  readonly orderId: string;
  readonly order: Details & { readonly orderId: string };
  /** What the steps named in `after` returned. A waived step has no result. */
  readonly results: Results;
  /** Hand it to the outside service: the same over retries, crashes and redrives, so that nothing happens twice. */
  readonly effectKey: string;
  /** Aborts when the time is up, the worker stops, or the right to run this is lost. */
  readonly signal: AbortSignal;
  /** 1 for the first. */
  readonly attempt: number;
  /** `undefined` when the policy sets no limit. */
  readonly maxAttempts: number | undefined;
  /** Redrives so far. */
  readonly generation: number;
  /** The trace of the order, or of its cancellation; pass it on as the header of this name. */
  readonly traceparent?: string;
}

/** What a step is taken back with. `effectKey` is the undo's own. */
export interface UndoInput<Details = unknown, Results = Readonly<Record<string, unknown>>, Result = unknown>
  extends StepInput<Details, Results> {
  readonly result: Result;
}

/** What a step's `do` comes to when it does not refuse. */
export type ResultOf<Return> = Exclude<Awaited<Return>, Refused>;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** `neverRefuses` can only be promised by a `do` that returns no refusal. */
type Promised<Return> = IsAny<Return> extends true ? boolean : [Extract<Awaited<Return>, Refused>] extends [never] ? boolean : false;

/** What `query` may answer: `undefined` and `null` both mean "not found", so a step has to return something to be found by. */
type Found<Return> = [Extract<undefined | null, Awaited<Return>>] extends [never]
  ? ResultOf<Return> | Refused | undefined | null
  : IsAny<Return> extends true
    ? unknown
    : never;

/** How a step is written down. Name `do` before `undo`: the compiler takes `result` from it. */
export interface StepOptions<Details, Results, After, Return, Kind, Never> extends FlowOptions {
  /** Steps that have to succeed first; their results are handed in. @default [] */
  readonly after?: After;
  /** Runs the step, at least once; `effectKey` makes it once. Returns plain JSON or `refused(…)`; throws when it may be tried again. */
  readonly do: (input: StepInput<Details, Results>) => Return;
  /**
   * Takes it back; never refuses. `'nothing'`: there is no effect to take back. `'irreversible'`: it can't be, and from its request on
   * the order can't be cancelled.
   */
  readonly undo: ((input: UndoInput<Details, Results, ResultOf<Return>>) => unknown) | Kind;
  /**
   * Asks the outside whether an earlier run happened: its result, `refused(…)`, or nothing when it is not there. Saves calling `do`
   * again.
   */
  readonly query?: (input: StepInput<Details, Results>) => NoInfer<Found<Return>> | PromiseLike<NoInfer<Found<Return>>>;
  /** @default RetryPolicy.default */
  readonly retry?: RetryPolicy;
  /** @default `retry` with three times the attempts */
  readonly undoRetry?: RetryPolicy;
  /** How long one call may take. @default 30_000 */
  readonly timeoutMs?: number;
  /** Required of steps that may run after, or beside, an irreversible one: there is no way back then. @default false */
  readonly neverRefuses?: Never & Promised<Return>;
}

/** A step with everything resolved, as the runtime drives it. Inputs and results are the caller's word from here on. */
export interface StepDefinition {
  readonly name: string;
  readonly after: readonly string[];
  /** As in the plan. */
  readonly undoKind: UndoKind;
  readonly do: (input: StepInput) => unknown;
  /** Present exactly when `undoKind` is `'undo'`. */
  readonly undo: ((input: UndoInput) => unknown) | undefined;
  readonly query: ((input: StepInput) => unknown) | undefined;
  readonly retry: RetryPolicy;
  readonly undoRetry: RetryPolicy;
  readonly timeoutMs: number;
  readonly neverRefuses: boolean;
  /** Of `do` and `undo` together. */
  readonly flow: Flow;
}
