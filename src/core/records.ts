/** An event as a store keeps it: the payload is the exact text that was written. */
export interface StoredEvent {
  readonly stream: string;
  readonly version: number;
  readonly shard: number;
  readonly position: number;
  readonly type: string;
  readonly schema: number;
  /** Milliseconds since 1970 UTC. */
  readonly time: number;
  readonly data: string;
  readonly cause?: string;
  readonly traceparent?: string;
}

/**
 * The row of a stream: its version, and its state folded up to `stateVersion` by the code named in `fingerprint`. `status` and
 * `fingerprint` are names that code gives, so they are well-formed text.
 */
export interface StreamRow {
  readonly stream: string;
  readonly version: number;
  readonly status: string | null;
  readonly state: string | null;
  readonly stateVersion: number;
  readonly fingerprint: string | null;
}

/** An idempotency key bound to the stream it created and a fingerprint of what was asked. */
export interface KeyClaim {
  readonly key: string;
  readonly fingerprint: string;
  readonly stream: string;
}

export type ParkedState = 'scheduled' | 'dead' | 'done' | 'discarded' | 'superseded';

/** `scheduled` and `dead` are open; the others are kept as history. */
export const isOpen = (state: ParkedState): boolean => state === 'scheduled' || state === 'dead';

/**
 * A delivery that could not run at once, and everything that happened to it. One record for life:
 * `id` is `<subscription>:<stream>@<version>`, or `<subscription>:<stream>#<name>` for a timer.
 */
export interface ParkedDelivery {
  readonly id: string;
  readonly kind: 'delivery' | 'timer';
  readonly subscription: string;
  readonly shard: number;
  readonly stream: string;
  /** 0 for a timer. */
  readonly version: number;
  /** 0 for a timer. */
  readonly position: number;
  readonly type: string;
  readonly state: ParkedState;
  /** Store's clock, milliseconds since 1970 UTC. */
  readonly dueAt: number;
  /** Failed attempts of this generation. */
  readonly attempts: number;
  /** Redrives so far. */
  readonly generation: number;
  /** A start whose outcome is not known yet. */
  readonly startedAt: number | null;
  /** Starts whose process was gone before it told the outcome. */
  readonly lostStarts: number;
  /** A dead one waits in front of the later events of its stream (`onDead: 'hold'`). */
  readonly holds: boolean;
  /** Fingerprint of what killed it. */
  readonly cause: string | null;
  readonly deadAt: number | null;
  /** When it stopped being open, by the store's clock; null while it is. */
  readonly closedAt: number | null;
  /** Ledger, operator actions and the like as JSON; opaque to the store. */
  readonly detail: string;
  /** Counts changes of this record; guards every write. */
  readonly revision: number;
}

/**
 * Replaces a parked delivery, or makes it if `expect` is `'absent'`. `expect` is the revision it must have now.
 * `delayMs` sets `dueAt` by the store's clock; left out, `dueAt` stays as given. The store sets `revision`, `deadAt`
 * when the state turns `dead`, `closedAt` when it stops being open, and whether it has to wait for a lower version.
 */
export interface ParkedWrite {
  readonly record: ParkedDelivery;
  readonly expect: number | 'absent';
  readonly delayMs?: number;
  /** One more failed attempt, for `counts().retries`. */
  readonly failed?: boolean;
}

/** A text kept under a key, such as one row of a projection. */
export interface StoredDocument {
  readonly key: string;
  readonly value: string;
  /** Another after every write of this key, and never again one it had before it was absent: it guards what was read. */
  readonly revision: number;
}

/** Keeps, deletes or only guards a document. */
export interface DocumentWrite {
  /** Whose keys these are: the name of a projection, or one of the engine's own with a `$` in front. */
  readonly collection: string;
  readonly key: string;
  /** The text to keep; null deletes it; left out, nothing is written and only the guard is judged. */
  readonly value?: string | null;
  /** The revision it must have now. */
  readonly expect: number | 'absent' | 'any';
}

/** What an operator can have wait: all deliveries of one subscription, or all of one stream. */
export interface PauseTarget {
  readonly of: 'subscription' | 'stream';
  readonly name: string;
}

/** A change of a pause, and who wants it why. Pausing what is paused and resuming what is not change nothing. */
export interface PauseWrite extends PauseTarget {
  readonly by: string;
  readonly reason: string;
}

/** A pause, while it lasts and afterwards. Times by the store's clock, milliseconds since 1970 UTC. */
export interface Pause extends PauseWrite {
  readonly at: number;
  readonly resumed: { readonly at: number; readonly by: string; readonly reason: string } | null;
}
