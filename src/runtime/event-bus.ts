import type { EnvelopeOf, EventMap } from '../core/envelope.ts';
import type { KeyClaim, ParkedDelivery, Pause, StreamRow } from '../core/records.ts';
import type { Counts, Page, Store } from '../core/store.ts';
import type { Transport } from '../core/transport.ts';
import type { Upcasts } from './codec.ts';
import type { DeadLetterStore } from './dead-letters/dead-letter-store.ts';
import type { Inbox, InboxOptions } from './inbox.ts';
import type { Decide, StreamModel } from './model.ts';
import type { Listen } from './notifications.ts';
import type { BusTarget, Pausing } from './pausing.ts';
import type { ProjectOptions } from './projection.ts';
import type { Scheduling } from './scheduling.ts';
import type { Snapshot } from './streams.ts';
import type { SubscribeOptions } from './subscription.ts';
import type { Transacted } from './transact.ts';
import type { DeadLetterOptions } from './upkeep.ts';
import type { View } from './view.ts';

export interface EventBusOptions<State = unknown> {
  readonly store: Store;
  /**
   * Carries every event to the workers, and to whoever else listens, from when it is first used with this store. The store stays the truth:
   * what the broker loses comes from the log. Closed with the bus. @default none: workers read the log
   */
  readonly transport?: Transport | undefined;
  /** How the events of a stream fold into a state kept beside it. @default none: streams are only logs */
  readonly model?: StreamModel<State>;
  /** How payloads of older shapes are read. @default none */
  readonly upcasts?: Upcasts;
  readonly deadLetters?: DeadLetterOptions | undefined;
}

export interface WorkerOptions {
  /** Handlers running at once in this process, 1 to 10,000. @default 64 */
  readonly concurrency?: number;
  /** How long a dead process's work waits for another. Renewed every third of it. @default 10_000 */
  readonly leaseMs?: number;
  /** How long `stop` waits for running handlers before it aborts them. @default 10_000 */
  readonly graceMs?: number;
  /** How long an event that the transport does not bring waits at most before it is read from the log, 100 ms to an hour. @default 5_000 */
  readonly sweepMs?: number;
}

/**
 * An event to publish. `expected` is the stream's version it must be appended at: fails with `VERSION_CONFLICT` otherwise. @default 'any'
 * `traceparent` is the trace it is part of, as the header of W3C Trace Context (version 00); what handlers append because of it is part of it too.
 */
export type Publishable<Events extends EventMap> = {
  [Type in keyof Events & string]: {
    readonly stream: string;
    readonly type: Type;
    readonly data: Events[Type];
    readonly expected?: 'any' | 'none' | number;
    readonly traceparent?: string | undefined;
  };
}[keyof Events & string];

/**
 * A log of events with subscriptions that get every event of their types, in order per stream, with retries and dead
 * letters. Any number of processes may share a store.
 *
 * What `publish` resolved is durable. What it rejected may have happened all the same. Handlers run at least once: one
 * that was running when its process died runs again, elsewhere, after at most `leaseMs` and a third of it.
 */
export interface EventBus<Events extends EventMap = Record<string, unknown>, State = unknown>
  extends Scheduling<Events>,
    Pausing<BusTarget>,
    AsyncDisposable {
  /** Appends the event; resolves with its envelope once it is durable. @throws `VERSION_CONFLICT`, `STORE`, `BUSY`, `CLOSED`, `CONFIG` */
  publish(event: Publishable<Events>): Promise<EnvelopeOf<Events>>;
  /** Decides over the stream's state and appends what follows; decides again when another writer was faster. */
  execute<Refusal>(
    stream: string,
    decide: Decide<State, Refusal>,
    options?: { readonly key?: KeyClaim; readonly fresh?: boolean; readonly traceparent?: string | undefined },
  ): Promise<Transacted<State, Refusal>>;
  /** The stream at its latest version, or, if that is enough, as this process last knew it at `atLeast` or later. */
  state(stream: string, atLeast?: number): Promise<Snapshot<State>>;
  /** `data` is undefined where a payload can't be read, as in a dead letter: whoever looks sees the others all the same. */
  events(stream: string): Promise<readonly EnvelopeOf<Events>[]>;
  /** Declares a subscription; all of them before the first `publish` or `start`. @throws `CONFIG` */
  subscribe(name: string, options: SubscribeOptions<Events>): void;
  /**
   * Declares a view: a read model kept up to date by a subscription of its own from the beginning of the log, each event exactly once; before the
   * first `publish` or `start`. @throws `CONFIG`
   */
  project<Row>(name: string, options: ProjectOptions<Events, Row>): View<Row>;
  /** Where messages of other services become events; under one name, each becomes one once and for all. @throws `CONFIG` */
  inbox(name: string, options: InboxOptions<Events>): Inbox;
  /** Creates or migrates the store and makes the subscriptions known to it. Everything else does so by itself. */
  open(): Promise<void>;
  /** Runs the subscriptions in this process until `stop`. */
  start(options?: WorkerOptions): Promise<void>;
  stop(options?: { readonly graceMs?: number }): Promise<void>;
  /** Stops, then frees everything, so that the process can end by itself. Idempotent. */
  close(): Promise<void>;
  /** Listens to facts as they become durable in this process; returns how to stop listening. */
  readonly on: Listen;
  readonly deadLetters: DeadLetterStore;
  /** Every pause a stream ever had, the earliest first, and those of subscriptions that last. */
  pausesOf(stream: string): Promise<readonly Pause[]>;
  /** Open parked deliveries of a stream, or all there ever were. */
  parkedOf(stream: string, which: 'open' | 'all'): Promise<readonly ParkedDelivery[]>;
  streams(filter: { readonly status?: string }, limit: number, cursor: string | null): Promise<Page<StreamRow>>;
  counts(): Promise<Counts>;
  /** Calls `changed` soon after any process may have committed. Returns how to stop. */
  watch(changed: () => void): () => void;
}
