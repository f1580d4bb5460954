import type { ParkedDelivery, StoredEvent } from '../core/records.ts';

/** One thing done to the outside world, as the service that did it knows it. */
export interface Effect {
  readonly orderId: string;
  readonly step: string;
  /** `do`: the step itself; `undo`: it was taken back. */
  readonly direction: 'do' | 'undo';
  /** The idempotency key it was asked for under; undefined when it was asked for without one. */
  readonly key: string | undefined;
  /** What it moved, in minor units; null where no money moves. */
  readonly amountMinor: number | null;
  /** Milliseconds, by the service's clock. */
  readonly at: number;
}

/**
 * What is left of a run once it is over: everything a store keeps, and what the outside world saw.
 * `recordRun` reads one from any store; `simulate` makes one of every schedule.
 */
export interface RecordedRun {
  /** Streams to their events, in version order. */
  readonly streams: ReadonlyMap<string, readonly StoredEvent[]>;
  /** All parked deliveries there are, the closed ones too. */
  readonly parked: readonly ParkedDelivery[];
  /** In the order of time. Empty when nobody kept them: then nothing is said about money. */
  readonly effects: readonly Effect[];
  /**
   * `running`: anything may still happen. `quiet`: nothing moves until somebody intervenes. `settled`: moreover every fault was lifted and every
   * dead letter redriven, or discarded where it could not succeed.
   */
  readonly stage: 'running' | 'quiet' | 'settled';
  /** A wall clock was set while it ran, so that times of different events can't be compared. @default false */
  readonly clockWasSet?: boolean;
}

/** Something that must never be, in words. */
export interface Violation {
  /** `S5`, `R16` …, or the name of an invariant of one's own. */
  readonly invariant: string;
  readonly orderId?: string;
  readonly text: string;
}

/** A rule that a run keeps or breaks. */
export interface Invariant {
  readonly id: string;
  /** What has to hold, as a sentence. */
  readonly says: string;
  check(run: RecordedRun): readonly Omit<Violation, 'invariant'>[];
  /** The same, with on how many orders or deliveries it had something to say; left out, it counts as looking at the run as one thing. */
  look?(run: RecordedRun): { readonly checked: number; readonly violations: readonly Omit<Violation, 'invariant'>[] };
}
