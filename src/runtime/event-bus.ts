import * as E from 'fp-ts/lib/Either.js';
import type { EnvelopeOf, EventMap } from '../core/envelope.ts';
import { describeError } from '../core/error-facts.ts';
import { OrderfoldError } from '../core/errors.ts';
import { NO_LIMITS } from '../core/flow.ts';
import { count, ms, optional, port, positiveMs, resolveOptions, text } from '../core/options.ts';
import type { KeyClaim, ParkedDelivery, Pause, StreamRow } from '../core/records.ts';
import type { Counts, Page, Store } from '../core/store.ts';
import type { System, Timer } from '../core/system.ts';
import { createCodec, type Upcasts } from './codec.ts';
import { createCommitter } from './committer.ts';
import { type Consumer, createConsumer } from './consumer.ts';
import { createDeadLetterStore } from './dead-letters/create-dead-letter-store.ts';
import type { DeadLetterStore } from './dead-letters/dead-letter-store.ts';
import type { Decide, StreamModel } from './model.ts';
import { createNotifier, type Listen } from './notifications.ts';
import { TIMERS } from './parking.ts';
import { type BusTarget, createPausing, type Pausing } from './pausing.ts';
import { type ProjectOptions, resolveProjection } from './projection.ts';
import { publication } from './publication.ts';
import { createScheduling, type Scheduling } from './scheduling.ts';
import { isPlainName, LONGEST_NAME, storedName } from './stored-name.ts';
import { createStreams, type Snapshot } from './streams.ts';
import { resolveSubscription, type SubscribeOptions, type Subscription } from './subscription.ts';
import { createTransact, type Transacted } from './transact.ts';
import { createUpkeep, type DeadLetterOptions } from './upkeep.ts';
import { createView, type View } from './view.ts';

export interface EventBusOptions<State = unknown> {
  readonly store: Store;
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
}

/** An event to publish. `expected` is the stream's version it must be appended at: fails with `VERSION_CONFLICT` otherwise. @default 'any' */
export type Publishable<Events extends EventMap> = {
  [Type in keyof Events & string]: {
    readonly stream: string;
    readonly type: Type;
    readonly data: Events[Type];
    readonly expected?: 'any' | 'none' | number;
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
    options?: { readonly key?: KeyClaim; readonly fresh?: boolean },
  ): Promise<Transacted<State, Refusal>>;
  /** The stream at its latest version, or, if that is enough, as this process last knew it at `atLeast` or later. */
  state(stream: string, atLeast?: number): Promise<Snapshot<State>>;
  events(stream: string): Promise<readonly EnvelopeOf<Events>[]>;
  /** Declares a subscription; all of them before the first `publish` or `start`. @throws `CONFIG` */
  subscribe(name: string, options: SubscribeOptions<Events>): void;
  /**
   * Declares a view: a read model kept up to date by a subscription of its own from the beginning of the log, each event exactly once; before the
   * first `publish` or `start`. @throws `CONFIG`
   */
  project<Row>(name: string, options: ProjectOptions<Events, Row>): View<Row>;
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

const REMEMBERED_STREAMS = 10_000;

/** @see EventBus */
export const createEventBus = <Events extends EventMap = Record<string, unknown>, State = unknown>(
  system: System,
  given: EventBusOptions<State>,
): EventBus<Events, State> => {
  const {
    store,
    model,
    upcasts,
    deadLetters: letterOptions,
  } = resolveOptions('EventBus.create', given, {
    store: port<Store>('a store', ['open', 'commit', 'read']),
    model: optional(port<StreamModel<State>>('a stream model', ['fold', 'status'])),
    upcasts: optional(port<Upcasts>('an object of upcasts by event type', [])),
    deadLetters: optional(port<DeadLetterOptions>('an object with alarmAt and keepClosedMs', [])),
  });
  const owner = system.id();
  const codec = createCodec(upcasts);
  const notifier = createNotifier((where, error) => console.error(`orderfold: ${where}:`, describeError(error)));
  const streams = createStreams<State>(store, codec, model, REMEMBERED_STREAMS);
  const committer = createCommitter(store, system, notifier, owner);
  const upkeep = createUpkeep({ store, system, notifier }, letterOptions);
  const publishing = { system, codec, notifier, committer };
  const subscriptions = new Map<string, Subscription>();
  subscriptions.set(TIMERS, { name: TIMERS, routes: new Map(), holds: false, start: 'head', flow: NO_LIMITS });
  let opening: Promise<void> | null = null;
  let isOpen = false;
  let consumer: Consumer | null = null;
  let grace = 10_000;
  /** Counted, so that a stop also reaches a start that still waits for the store. */
  let stops = 0;
  let closing: Promise<void> | null = null;

  const open = (): Promise<void> => {
    if (closing !== null) return Promise.reject(new OrderfoldError('CLOSED', 'this bus is closed'));
    opening ??= store
      .open()
      .then(() => store.register([...subscriptions.values()].map(({ name, start }) => ({ name, start }))))
      .then(() => {
        isOpen = true;
      })
      .catch((error: unknown) => {
        opening = null;
        throw error;
      });
    return opening;
  };

  /** Made on first use: the number of shards is known once the store is open. */
  let transacting: ReturnType<typeof createTransact<State>> | null = null;
  const transact = <Refusal>(transaction: Parameters<ReturnType<typeof createTransact<State>>>[0]) => {
    transacting ??= createTransact<State>({ store, system, codec, streams, committer, model, notifier });
    return transacting(transaction) as Promise<Transacted<State, Refusal>>;
  };

  const runnable = (): void => consumer?.parkedDue();
  const scheduling = createScheduling<Events, State>({ store, system, codec, transact, opened: open, runnable });
  const { deadLetters, close: endRedrives } = createDeadLetterStore<State>({
    store,
    system,
    codec,
    notifier,
    model,
    transact,
    opened: open,
    maxAttempts: (subscription, type) => subscriptions.get(subscription)?.routes.get(type)?.retry.attempts,
    runnable,
  });

  const counts = async (): Promise<Counts> => {
    await open();
    const { streams: byStatus, subscriptions: all } = await store.counts();
    const { [TIMERS]: _timers, ...named } = all;
    return { streams: byStatus, subscriptions: named };
  };
  const heeded = async (): Promise<void> => consumer?.pausesChanged();
  const pausing = createPausing<State>({ store, notifier, transact, opened: open, counts, heeded });

  const declare = (where: string, subscription: Subscription): void => {
    if (opening !== null) throw new OrderfoldError('CONFIG', `${where}: expected before the first publish or start`);
    if (subscriptions.has(subscription.name)) throw new OrderfoldError('CONFIG', `${where}: there is a subscription of that name already`);
    subscriptions.set(subscription.name, subscription);
  };

  const stop = async (options?: { readonly graceMs?: number }): Promise<void> => {
    const { graceMs } = resolveOptions('EventBus.stop', options, { graceMs: ms({ default: grace }) });
    stops += 1;
    const running = consumer;
    await running?.stop(graceMs);
    if (consumer === running) consumer = null;
  };

  /** A store that is away would keep the process from ending. */
  const drained = async (): Promise<void> => {
    let late: Timer | null = null;
    const outOfTime = new Promise<void>((resolve) => {
      late = system.setTimer(grace, resolve);
    });
    await Promise.race([committer.drained(), outOfTime]);
    (late as Timer | null)?.cancel();
  };

  const publish = async (event: Publishable<Events>): Promise<EnvelopeOf<Events>> => {
    const { stream, type, data, expected } = resolveOptions('EventBus.publish', event, publishable);
    storedName('stream', stream);
    if (!isOpen || closing !== null) await open();
    if (model === undefined && expected === 'any') return (await publication(publishing, stream, type, data)) as EnvelopeOf<Events>;
    const onlyAt = expected === 'any' ? {} : { onlyAt: expected === 'none' ? 0 : expected };
    const outcome = await transact({ stream, decide: () => E.right([{ type, data }]), persistent: false, ...onlyAt });
    if (outcome.kind === 'won') return outcome.events[0] as EnvelopeOf<Events>;
    const at = outcome.kind === 'elsewhere' ? `is at version ${outcome.version}` : 'changed';
    throw new OrderfoldError('VERSION_CONFLICT', `${stream} ${at}, expected ${expected}`);
  };

  const bus: EventBus<Events, State> = {
    publish(event) {
      // Nearly all of them: nothing to be refused, nothing to wait for, nothing to decide.
      if (isOpen && closing === null && model === undefined && isPlain(event)) {
        return publication(publishing, event.stream, event.type, event.data) as Promise<EnvelopeOf<Events>>;
      }
      return publish(event);
    },
    async execute<Refusal>(
      stream: string,
      decide: Decide<State, Refusal>,
      options: { readonly key?: KeyClaim; readonly fresh?: boolean } = {},
    ) {
      await open();
      return transact<Refusal>({ stream: storedName('stream', stream), decide, persistent: false, ...options });
    },
    async state(stream, atLeast) {
      await open();
      const known = atLeast === undefined ? undefined : streams.peek(stream);
      return known !== undefined && known.version >= (atLeast ?? 0) ? known : streams.load(stream);
    },
    async events(stream) {
      await open();
      return (await streams.events(stream)) as readonly EnvelopeOf<Events>[];
    },
    subscribe(name, options) {
      declare(`subscribe('${name}')`, resolveSubscription(name, options));
    },
    project(name, options) {
      declare(`project('${name}')`, resolveProjection(store, system, name, options));
      return createView({ store, system, notifier, transact, opened: open, emptied: () => consumer?.leasesFreed() }, name);
    },
    open,
    async start(options) {
      const { concurrency, leaseMs, graceMs } = resolveOptions('EventBus.start', options, {
        concurrency: count({ min: 1, max: 10_000, default: 64 }),
        leaseMs: positiveMs({ min: 50, max: 3_600_000, default: 10_000 }),
        graceMs: ms({ default: 10_000 }),
      });
      const asked = stops;
      await open();
      if (closing !== null) throw new OrderfoldError('CLOSED', 'this bus is closed');
      if (stops !== asked) return;
      if (consumer !== null) throw new OrderfoldError('CONFIG', 'EventBus.start: it runs already');
      grace = graceMs;
      consumer = createConsumer<State>(
        { store, system, codec, notifier, committer, transact, model, subscriptions: [...subscriptions.values()], owner, upkeep },
        { concurrency, leaseMs, readAhead: Math.max(256, concurrency * 8) },
      );
      await consumer.start();
    },
    stop,
    close() {
      closing ??= Promise.all([stop(), endRedrives()])
        .then(drained)
        .then(() => {
          committer.close();
          return store.close();
        });
      return closing;
    },
    [Symbol.asyncDispose]: () => bus.close(),
    on: notifier.on,
    deadLetters,
    async parkedOf(stream, which) {
      await open();
      return store.parkedOf(stream, which);
    },
    async streams(filter, limit, cursor) {
      await open();
      return store.streams(filter, limit, cursor);
    },
    async pausesOf(stream) {
      await open();
      const [ofStream, lasting] = await Promise.all([store.pauses(stream), store.pauses()]);
      return [...ofStream, ...lasting.filter(({ of }) => of === 'subscription')];
    },
    counts,
    watch: (changed) => store.watch(changed),
    ...scheduling,
    ...pausing,
  };
  return Object.freeze(bus);
};

const publishable = {
  stream: text({ max: LONGEST_NAME }),
  type: text({ max: 200 }),
  data: { expected: 'a payload', accepts: (value: unknown): value is unknown => value !== undefined },
  expected: {
    expected: "'any', 'none' or a version",
    accepts: (value: unknown): value is 'any' | 'none' | number => isExpected(value),
    default: 'any' as const,
  },
} as const;

const isPlain = (event: unknown): boolean => {
  if (typeof event !== 'object' || event === null) return false;
  const { stream, type, data } = event as Readonly<Record<string, unknown>>;
  const isNamed = isPlainName(stream) && typeof type === 'string' && type !== '' && type.length <= 200;
  return isNamed && data !== undefined && Object.keys(event).length === 3;
};

const isExpected = (value: unknown): value is 'any' | 'none' | number =>
  value === 'any' || value === 'none' || (Number.isSafeInteger(value) && (value as number) >= 0);
