import type { Audit } from './audit.ts';
import type { Refusal } from './change.ts';
import type { DeadLetter, DeadLetterDetails } from './letter.ts';
import type { RedriveReport } from './redrive-operation.ts';
import type { DeadLetterFilter, DeadLetterSelection } from './selection.ts';

export interface DeadLetterChanges {
  /** Letters selected. */
  readonly matched: number;
  /** Ids that were changed, durably. */
  readonly changed: readonly string[];
  /** Letters that exist but were not dead any more (`NOT_DEAD`), or whose stream refuses the change (`REFUSED`). */
  readonly refused: readonly Refusal[];
}

/** What a redrive would do: the letters of each stream in the order they would run. */
export interface RedrivePlan {
  readonly matched: number;
  readonly streams: readonly { readonly stream: string; readonly ids: readonly string[] }[];
}

/** Dead letters that died of the same thing. Times are ISO 8601, UTC. */
export interface DeadLetterCause {
  readonly cause: string;
  readonly letters: number;
  readonly firstDeadAt: string;
  readonly lastDeadAt: string;
  /** Id of the latest to die. */
  readonly latest: string;
}

export interface PageOptions {
  /** 1 to 500. @default 50 */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface RedriveManyOptions {
  /** 1 to 1000. @default 50 */
  readonly perSecond?: number;
  /** Stops by itself once so many of the redriven letters have died again. @default 10 */
  readonly stopAfterFailures?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The public face of parked deliveries that died. All of it is durable when it resolves, works while workers run, and may
 * be called from any process; the same change asked twice or at once happens once.
 * Faults are thrown: `CONFIG` for a missing `by` or `reason` and unknown options, `STORE` when the store is away.
 */
export interface DeadLetterStore {
  /** The latest to die first. */
  list(
    filter?: DeadLetterFilter & PageOptions,
  ): Promise<{ readonly deadLetters: readonly DeadLetter[]; readonly nextCursor: string | null }>;
  /** What the letters died of, the most letters first. */
  causes(filter?: DeadLetterFilter): Promise<readonly DeadLetterCause[]>;
  /** One letter with its envelope and every attempt, also after it was redriven, discarded or superseded; null if it never died. */
  get(id: string): Promise<DeadLetterDetails | null>;
  /** What `redrive` would do to the letters that are dead now; nothing is changed. */
  plan(selection: DeadLetterSelection): Promise<RedrivePlan>;
  /** A new generation for that one subscription: same bytes, same id, same effect key, attempts from 1, in front of the later versions of its stream. */
  redrive(selection: DeadLetterSelection, audit: Audit, options?: { readonly dryRun?: boolean }): Promise<DeadLetterChanges>;
  /**
   * Redrives what the filter matches now, at a pace, and watches what becomes of it: at most 200 letters are out at once. Resolves
   * when the outcome of every one is known, or once it stopped itself (`stopped`), `signal` aborted or its bus was closed
   * (`interrupted`). How far it is lies in the store, so that `resume` can go on after that, and after a crash. Every letter is
   * redriven once at most, whoever asks how often; one that dies again is not redriven again.
   */
  redriveMany(filter: DeadLetterFilter, audit: Audit, options?: RedriveManyOptions): Promise<RedriveReport>;
  /** Goes on with one that did not finish, taking it over from whoever runs it; its failures count anew. Null: there is none of that id. */
  resume(id: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<RedriveReport | null>;
  /** Paced redrives, the newest first. */
  redrives(options?: PageOptions): Promise<{ readonly redrives: readonly RedriveReport[]; readonly nextCursor: string | null }>;
  /**
   * Redrives a letter with another payload in today's shape. Id, effect key and the original payload stay, and the edit is kept beside
   * it. A saga's steps read the order and not their request, so theirs are refused. @throws `CONFIG` where `data` is no JSON
   */
  edit(id: string, change: { readonly data: unknown }, audit: Audit): Promise<DeadLetterChanges>;
  /** Final. The later versions of its stream go on. */
  discard(selection: DeadLetterSelection, audit: Audit): Promise<DeadLetterChanges>;
}

/** The dead letters of a bus or of orders. */
export const DeadLetterStore = /* @__PURE__ */ Object.freeze({
  of: (owner: { readonly deadLetters: DeadLetterStore }): DeadLetterStore => owner.deadLetters,
});
