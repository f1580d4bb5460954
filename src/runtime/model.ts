import type { Either } from 'fp-ts/lib/Either.js';
import type { Foldable } from '../core/envelope.ts';

/** An event about to be appended. */
export interface Fact {
  readonly type: string;
  readonly data: unknown;
}

/** What to append, from the stream's state and version. Pure: it runs again when another writer was faster. */
export type Decide<State, Refusal = never> = (state: State | undefined, version: number) => Either<Refusal, readonly Fact[]>;

/** What else the unit that appends some events does, all or nothing with them. */
export interface Consequences {
  /** Timers to set, by a name unique in the stream. */
  readonly timers?: readonly { readonly name: string; readonly delayMs: number }[];
  /** Names of timers that are no longer wanted. */
  readonly dropTimers?: readonly string[];
  /** Ids of dead letters these events have made moot. */
  readonly supersede?: readonly string[];
  /** Ids of scheduled deliveries to run now. */
  readonly wake?: readonly string[];
}

/** A change of a dead letter that its stream may want to remember. */
export type DeadLetterChange = Letter &
  (
    | { readonly kind: 'dead'; readonly cause: string; readonly attempts: number }
    | { readonly kind: 'redriven'; readonly by: string; readonly reason: string }
    /** Redriven with another payload in place of its own. */
    | { readonly kind: 'edited'; readonly by: string; readonly reason: string }
    | { readonly kind: 'discarded'; readonly by: string; readonly reason: string }
  );

interface Letter {
  readonly id: string;
  readonly subscription: string;
  readonly stream: string;
  readonly type: string;
}

/** How the events of a stream become its state. All pure. */
export interface StreamModel<State> {
  /** Names the folding code; a stored state of another name is folded anew. */
  readonly fingerprint: string;
  /** The state after `events`, frozen plain JSON. */
  fold(events: readonly (Foldable & { readonly stream: string })[], from: State | undefined): State;
  /** The same for facts that its own decision has just made from this very state, if the decision knows; else they are folded. */
  decided?(facts: readonly Fact[], from: State | undefined, time: string): State | undefined;
  status(state: State): string;
  /** The state as JSON, the same value as that of `JSON.stringify`. @default that */
  text?(state: State): string;
  consequences?(events: readonly Fact[], state: State): Consequences;
  /** What follows when a timer is due. */
  onTimer?(name: string): Decide<State>;
  /** What follows when something scheduled is due; a Left changes nothing and is told of as `refused`. @default it is appended as an event */
  onScheduled?(due: Fact, stream: string): Decide<State, unknown>;
  /** What the stream records of a dead letter; a Left refuses the change, and its `message`, if it has one, says why. */
  onDeadLetter?(change: DeadLetterChange): Decide<State, unknown>;
}
