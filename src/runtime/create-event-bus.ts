import * as E from 'fp-ts/lib/Either.js';
import type { EnvelopeOf, EventMap } from '../core/envelope.ts';
import { describeError } from '../core/error-facts.ts';
import { OrderfoldError } from '../core/errors.ts';
import { NO_LIMITS } from '../core/flow.ts';
import { count, ms, optional, port, positiveMs, resolveOptions } from '../core/options.ts';
import type { KeyClaim } from '../core/records.ts';
import type { Counts, Store } from '../core/store.ts';
import type { System, Timer } from '../core/system.ts';
import { traceOption } from '../core/traceparent.ts';
import type { Transport } from '../core/transport.ts';
import { createCodec, type Upcasts } from './codec.ts';
import { createCommitter } from './committer.ts';
import { type Consumer, createConsumer } from './consumer.ts';
import { createDeadLetterStore } from './dead-letters/create-dead-letter-store.ts';
import type { EventBus, EventBusOptions, Publishable } from './event-bus.ts';
import { createInbox } from './inbox.ts';
import type { Decide, StreamModel } from './model.ts';
import { createNotifier } from './notifications.ts';
import { TIMERS } from './parking.ts';
import { createPausing } from './pausing.ts';
import { resolveProjection } from './projection.ts';
import { checkPublishable, isPlain, publication } from './publication.ts';
import { isCarried, relaySubscription } from './relay.ts';
import { createScheduling } from './scheduling.ts';
import { storedName } from './stored-name.ts';
import { createStreams } from './streams.ts';
import { resolveSubscription, type Subscription } from './subscription.ts';
import { RELAY } from './subscription-name.ts';
import { createTransact, type Transacted } from './transact.ts';
import { createTransportLink } from './transport-link.ts';
import { createUpkeep, type DeadLetterOptions } from './upkeep.ts';
import { createView } from './view.ts';

const REMEMBERED_STREAMS = 10_000;

/** @see EventBus */
export const createEventBus = <Events extends EventMap = Record<string, unknown>, State = unknown>(
  system: System,
  given: EventBusOptions<State>,
): EventBus<Events, State> => {
  const {
    store,
    transport,
    model,
    upcasts,
    deadLetters: letterOptions,
  } = resolveOptions('EventBus.create', given, {
    store: port<Store>('a store', ['open', 'commit', 'read']),
    transport: optional(port<Transport>('a transport', ['open', 'publish', 'receive'])),
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

  const carriedTo = () => [...subscriptions.values()].filter(isCarried).map(({ name }) => name);
  const link =
    transport === undefined ? undefined : createTransportLink({ transport, store, system, notifier, transact, subscriptions: carriedTo });
  if (link !== undefined) subscriptions.set(RELAY, relaySubscription(link));

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
    const { stream, type, data, expected, traceparent } = checkPublishable(event);
    if (!isOpen || closing !== null) await open();
    if (model === undefined && expected === 'any')
      return (await publication(publishing, stream, type, data, traceparent)) as EnvelopeOf<Events>;
    const onlyAt = expected === 'any' ? {} : { onlyAt: expected === 'none' ? 0 : expected };
    const outcome = await transact({ stream, decide: () => E.right([{ type, data }]), traceparent, persistent: false, ...onlyAt });
    if (outcome.kind === 'won') return outcome.events[0] as EnvelopeOf<Events>;
    const at = outcome.kind === 'elsewhere' ? `is at version ${outcome.version}` : 'changed';
    throw new OrderfoldError('VERSION_CONFLICT', `${stream} ${at}, expected ${expected}`);
  };

  const bus: EventBus<Events, State> = {
    publish(event) {
      // Nearly all of them: nothing to be refused, nothing to wait for, nothing to decide.
      if (isOpen && closing === null && model === undefined && isPlain(event)) {
        return publication(publishing, event.stream, event.type, event.data, event.traceparent) as Promise<EnvelopeOf<Events>>;
      }
      return publish(event);
    },
    async execute<Refusal>(
      stream: string,
      decide: Decide<State, Refusal>,
      options: { readonly key?: KeyClaim; readonly fresh?: boolean; readonly traceparent?: string | undefined } = {},
    ) {
      if (!traceOption.accepts(options.traceparent))
        throw new OrderfoldError('CONFIG', `EventBus.execute: expected traceparent to be ${traceOption.expected}`);
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
    inbox: (name, options) => createInbox({ transact, opened: open }, name, options),
    open,
    async start(options) {
      const { concurrency, leaseMs, graceMs, sweepMs } = resolveOptions('EventBus.start', options, {
        concurrency: count({ min: 1, max: 10_000, default: 64 }),
        leaseMs: positiveMs({ min: 50, max: 3_600_000, default: 10_000 }),
        graceMs: ms({ default: 10_000 }),
        sweepMs: positiveMs({ min: 100, max: 3_600_000, default: 5_000 }),
      });
      const asked = stops;
      await open();
      if (closing !== null) throw new OrderfoldError('CLOSED', 'this bus is closed');
      if (stops !== asked) return;
      if (consumer !== null) throw new OrderfoldError('CONFIG', 'EventBus.start: it runs already');
      grace = graceMs;
      consumer = createConsumer<State>(
        { store, system, codec, notifier, committer, transact, model, link, subscriptions: [...subscriptions.values()], owner, upkeep },
        { concurrency, leaseMs, sweepMs, readAhead: Math.max(256, concurrency * 8) },
      );
      await consumer.start();
    },
    stop,
    close() {
      closing ??= Promise.all([stop(), endRedrives()])
        .then(drained)
        .then(() => {
          committer.close();
          return Promise.all([store.close(), transport?.close()]);
        })
        .then(() => {});
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
