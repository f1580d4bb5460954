import type {
  DocumentWrite,
  KeyClaim,
  ParkedDelivery,
  ParkedWrite,
  Pause,
  PauseWrite,
  StoredDocument,
  StoredEvent,
  StreamRow,
} from './records.ts';

/** Named guards on a stream's version: `'none'` = the stream must not exist yet. */
export type ExpectedVersion = 'any' | 'none' | number;

/** Facts for one stream, appended whole or not at all. `fold` is the state after them; leave it out with `'any'`. */
export interface Append {
  readonly stream: string;
  readonly expected: ExpectedVersion;
  readonly events: readonly {
    readonly type: string;
    readonly schema: number;
    readonly data: string;
    readonly time: number;
    readonly cause?: string;
    /** Told apart from other texts by `isTraceparent` before it comes here. */
    readonly traceparent?: string;
  }[];
  readonly fold?: { readonly state: string; readonly status: string | null; readonly fingerprint: string };
}

/** The right to run the deliveries of one subscription in one shard. A higher `epoch` ends every lower one. */
export interface LeaseRef {
  readonly subscription: string;
  readonly shard: number;
  readonly epoch: number;
}

/** Inclusive. */
export type Range = readonly [from: number, to: number];

/** All positions up to `low` are done, and those in `done` above it (ascending, disjoint, not touching). */
export interface Checkpoint {
  readonly low: number;
  readonly done: readonly Range[];
}

/** A lease just gained, with what its last owner left. */
export interface Lease extends LeaseRef {
  readonly checkpoint: Checkpoint;
  /** No delivery above this position can have started under an earlier owner. */
  readonly startMark: number;
  /** The last owner let go with nothing in flight. */
  readonly clean: boolean;
  /** Open parked deliveries here. */
  readonly parked: number;
  /** Parked deliveries that were started under an earlier owner who never told the outcome. */
  readonly started: readonly ParkedDelivery[];
}

/**
 * What one piece of work changes, all or nothing. Guards are judged in the transaction, in this order: lease, key,
 * versions, revisions, documents; the first that fails makes the unit lose, and nothing of it is written.
 */
export interface Unit {
  readonly lease?: LeaseRef;
  /** Positions of `lease` that are done with this unit. */
  readonly done?: readonly number[];
  readonly key?: KeyClaim;
  readonly appends?: readonly Append[];
  readonly park?: readonly ParkedWrite[];
  /** Ids of timers that are no longer wanted; absent ones are ignored. */
  readonly drop?: readonly string[];
  /** Ids of dead letters that something newer has made moot: they end as `superseded`. Those that are not dead stay as they are. */
  readonly supersede?: readonly string[];
  /** Ids of scheduled deliveries that become due now. Started and absent ones stay as they are. */
  readonly wake?: readonly string[];
  readonly documents?: readonly DocumentWrite[];
  readonly pause?: readonly PauseWrite[];
  readonly resume?: readonly PauseWrite[];
  /**
   * Subscriptions that begin again before the first event: their documents and parked deliveries are deleted, nothing counts as done any
   * more, and whoever owns a lease of theirs loses it.
   */
  readonly rebuild?: readonly string[];
}

/** What an owner knows of its leases beside any unit: positions that needed no handler, and how far starts may have gone. */
export interface Progress {
  readonly lease: LeaseRef;
  readonly done: readonly Range[];
  /** Raises the start mark; `'head'` is the shard's last position after this batch. */
  readonly startMark?: number | 'head';
}

/** One transaction. `id` is unique per owner and kept until the owner's next commit, so that a lost reply can be looked up. */
export interface Batch {
  readonly owner: string;
  readonly id: string;
  readonly units: readonly Unit[];
  readonly progress: readonly Progress[];
}

export interface Appended {
  readonly stream: string;
  readonly shard: number;
  readonly firstVersion: number;
  readonly firstPosition: number;
}

export type UnitResult =
  | { readonly won: true; readonly appended: readonly Appended[] }
  | { readonly won: false; readonly why: 'lease' }
  | { readonly won: false; readonly why: 'key'; readonly taken: KeyClaim }
  | { readonly won: false; readonly why: 'version'; readonly stream: string; readonly actual: number }
  | { readonly won: false; readonly why: 'revision'; readonly id: string }
  | { readonly won: false; readonly why: 'document'; readonly collection: string; readonly key: string };

export interface BatchResult {
  readonly units: readonly UnitResult[];
  /** Leases named in `progress` that are no longer this owner's; nothing of those entries was written. */
  readonly lost: readonly LeaseRef[];
}

export interface SubscriptionStart {
  readonly name: string;
  /** Where it begins if it is new. Ignored once it exists. */
  readonly start: 'head' | 'beginning';
}

export interface Tick {
  readonly owner: string;
  readonly subscriptions: readonly string[];
  readonly leaseMs: number;
  /** Leases let go in the same transaction, before shares are counted. */
  readonly release: readonly { readonly lease: LeaseRef; readonly clean: boolean }[];
  /** False: keep what is held, claim nothing (the owner is stopping). */
  readonly claim: boolean;
}

export interface TickResult {
  /** Still held and renewed for `leaseMs`. */
  readonly held: readonly LeaseRef[];
  readonly gained: readonly Lease[];
  /** How many shards of a subscription one owner should hold at most now; hand over what is beyond. */
  readonly share: Readonly<Record<string, number>>;
}

export interface Due {
  readonly deliveries: readonly { readonly parked: ParkedDelivery; readonly event: StoredEvent | null }[];
  /** Milliseconds until the next one of these leases is due; null when none is scheduled. */
  readonly nextInMs: number | null;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
}

export interface ParkedFilter {
  readonly subscription?: string | undefined;
  readonly type?: string | undefined;
  readonly stream?: string | undefined;
  readonly cause?: string | undefined;
  /** Died at or after this time, by the store's clock. */
  readonly diedFrom?: number | undefined;
  /** Died before this time. */
  readonly diedBefore?: number | undefined;
}

/** Dead letters that died of the same thing. Times by the store's clock. */
export interface CauseGroup {
  readonly cause: string;
  readonly letters: number;
  readonly firstDeadAt: number;
  readonly lastDeadAt: number;
  /** Id of the latest to die. */
  readonly latest: string;
}

export interface Counts {
  /** Streams by folded status. */
  readonly streams: Readonly<Record<string, number>>;
  readonly subscriptions: Readonly<
    Record<string, { readonly backlog: number; readonly scheduled: number; readonly dead: number; readonly retries: number }>
  >;
}

/**
 * The truth: the log, the streams' folded states, and every delivery that could not run at once.
 *
 * Callers may race from any number of processes. `commit` is atomic and durable when it resolves; if it rejects with a
 * `STORE` fault the batch may have happened and `lookUp` tells, for good: a batch that `lookUp` called absent can never
 * appear later. Within a shard, positions become visible in order and without gaps. Reads show only what is committed.
 * After a process dies, what it held is free once `leaseMs` has passed on a clock nobody steps.
 * Rejections are `OrderfoldError`s: `STORE` (retryable unless said otherwise), `CONFIG`, `CLOSED`.
 */
export interface Store {
  /** Fixed when the store was created. Known once `open` resolved. */
  readonly shards: number;
  /** Creates or migrates the schema, or refuses with `CONFIG`. Idempotent, and safe when several processes race. */
  open(): Promise<void>;
  /** Makes the subscriptions exist, all in one transaction. */
  register(subscriptions: readonly SubscriptionStart[]): Promise<void>;

  commit(batch: Batch): Promise<BatchResult>;
  lookUp(owner: string, batchId: string): Promise<BatchResult | null>;

  /** Last position of every shard. */
  heads(): Promise<readonly number[]>;
  /** At most `limit` events of a shard above `after`, in order. */
  read(shard: number, after: number, limit: number): Promise<readonly StoredEvent[]>;
  /** At most `limit` events of a stream above version `after`, in order. */
  events(stream: string, after: number, limit: number): Promise<readonly StoredEvent[]>;
  stream(stream: string): Promise<StreamRow | null>;
  /** Streams that have a status, newest first. */
  streams(filter: { readonly status?: string }, limit: number, cursor: string | null): Promise<Page<StreamRow>>;

  /** Renews, releases and claims leases in one transaction. Call it at least every third of `leaseMs`. */
  tick(tick: Tick): Promise<TickResult>;

  /**
   * Scheduled deliveries of these leases that may run now, at most `limit` of each subscription, the longest due first: due, not started, no lower version of their
   * (subscription, stream) in the way, and neither their subscription nor their stream paused. In the way is what is scheduled, or dead
   * and `holds`. Timers are in nobody's way, and go on while their stream is paused. Those whose ids are in `but` are as good as not there:
   * an owner names what it has in hand already.
   */
  due(leases: readonly LeaseRef[], limit: number, but?: ReadonlySet<string>): Promise<Due>;
  /** Which of these have a parked delivery of the subscription in the way at a lower version of their stream, or their stream paused. */
  held(subscription: string, heads: readonly { readonly stream: string; readonly version: number }[]): Promise<readonly boolean[]>;
  parked(id: string): Promise<{ readonly parked: ParkedDelivery; readonly event: StoredEvent | null } | null>;
  /** All parked deliveries of a stream that are open, or all that ever were, by subscription and version. */
  parkedOf(stream: string, which: 'open' | 'all'): Promise<readonly ParkedDelivery[]>;
  /** Dead letters, the latest to die first. */
  dead(filter: ParkedFilter, limit: number, cursor: string | null): Promise<Page<ParkedDelivery>>;
  /** Dead letters by cause, the most letters first. */
  causes(filter: ParkedFilter): Promise<readonly CauseGroup[]>;
  /** Deletes at most `limit` parked deliveries that were closed more than `olderThanMs` ago. Resolves with how many. */
  prune(olderThanMs: number, limit: number): Promise<number>;

  /** The documents under these keys, null where there is none. */
  documents(collection: string, keys: readonly string[]): Promise<readonly (StoredDocument | null)[]>;
  /** Documents whose key begins with `prefix`, by key in the order of code points. Keys are well-formed text without NUL. */
  documentPage(collection: string, prefix: string, limit: number, cursor: string | null): Promise<Page<StoredDocument>>;
  /** The pauses that last; with a stream, every one it ever had, the earliest first. */
  pauses(stream?: string): Promise<readonly Pause[]>;

  counts(): Promise<Counts>;
  /** Calls `changed` soon after another process may have committed; only a hint. Returns how to stop. */
  watch(changed: () => void): () => void;
  /** Frees what the store holds. Idempotent; a handle passed in by the caller stays open. */
  close(): Promise<void>;
}
