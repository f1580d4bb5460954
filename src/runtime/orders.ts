import * as E from 'fp-ts/lib/Either.js';
import type { EnvelopeOf, EventMap } from '../core/envelope.ts';
import { isOrderfoldError, OrderfoldError } from '../core/errors.ts';
import { count, oneOf, optional, port, resolveOptions, text } from '../core/options.ts';
import type { Counts, Store } from '../core/store.ts';
import type { System, Timer } from '../core/system.ts';
import { traceOption } from '../core/traceparent.ts';
import type { Transport } from '../core/transport.ts';
import type { OrderCommand } from '../order/commands.ts';
import type { Order, OrderStatus } from '../order/order.ts';
import { type Rejection, rejection } from '../order/rejection.ts';
import type { AnyOrderSaga, EventsOf, InputOf, OrderOf } from '../order/saga.ts';
import { admit, KEY_REUSED } from './admission.ts';
import { createEventBus } from './create-event-bus.ts';
import type { DeadLetterStore } from './dead-letters/dead-letter-store.ts';
import type { EventBus, WorkerOptions } from './event-bus.ts';
import type { Listen } from './notifications.ts';
import { deciding, orderModel } from './order-model.ts';
import { createOrderScheduling, type OrderScheduling } from './order-scheduling.ts';
import { type OrderView, orderView } from './order-view.ts';
import { isScheduled } from './parking.ts';
import { type OrderTarget, type Pausing, pausingOrders } from './pausing.ts';
import type { ProjectOptions } from './projection.ts';
import { stepSubscription } from './steps.ts';
import type { SubscribeOptions } from './subscription.ts';
import { type TimelineEntry, timelineOf } from './timeline.ts';
import type { DeadLetterOptions } from './upkeep.ts';
import type { View } from './view.ts';

/** What the compiler does not know of a saga (`Orders` without a type argument) is taken at its widest. */
type EventsMap<Saga extends AnyOrderSaga> =
  unknown extends EventsOf<Saga> ? Record<string, unknown> : EventsOf<Saga> extends EventMap ? EventsOf<Saga> : never;
type OrderIn<Saga extends AnyOrderSaga> =
  unknown extends OrderOf<Saga> ? Order : OrderOf<Saga> extends Order<infer Details, infer Results> ? Order<Details, Results> : never;
type ViewOf<Saga extends AnyOrderSaga> = OrderView<OrderIn<Saga> extends Order ? OrderIn<Saga> : never>;

export interface OrdersOptions<Saga extends AnyOrderSaga> {
  readonly store: Store;
  /** As that of a bus: carries every event to the workers, and to whoever else listens. @default none: workers read the log */
  readonly transport?: Transport | undefined;
  readonly saga: Saga;
  readonly deadLetters?: DeadLetterOptions | undefined;
}

export type Worker = {
  start(): Promise<void>;
  /** Reads nothing new, waits for what runs, aborts what takes longer than `graceMs` and lets go. */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
};

/**
 * Orders over one store. `place` and `cancel` are durable when they resolve; the saga's steps run wherever a worker runs.
 * A normal "no" comes as a Left and nothing was written. Faults are thrown: `STORE` (it may have happened all the same, and
 * an idempotency key makes asking again safe), `BUSY`, `CLOSED`.
 */
export interface Orders<Saga extends AnyOrderSaga = AnyOrderSaga> extends OrderScheduling<Saga>, Pausing<OrderTarget>, AsyncDisposable {
  /**
   * Takes an order.
   * @param options.idempotencyKey 1 to 255 characters: the same key with the same order gives the order placed first, with
   * another one the Left `KEY_REUSED`, for as long as the order is kept.
   * @param options.traceparent the trace it is part of, as the header of W3C Trace Context (version 00): its events carry it, its steps get it.
   */
  place(
    input: InputOf<Saga>,
    options?: { readonly idempotencyKey?: string | undefined; readonly traceparent?: string | undefined },
  ): Promise<E.Either<Rejection, OrderIn<Saga>>>;
  /** The order as folded, with how its steps' deliveries fare. */
  get(orderId: string): Promise<ViewOf<Saga> | null>;
  /** `data` is undefined where a payload can't be read, as in a dead letter: whoever looks sees the others all the same. */
  events(orderId: string): Promise<readonly EnvelopeOf<EventsMap<Saga>>[]>;
  /** Everything that happened to the order and what still waits, in the order of time. */
  timeline(orderId: string): Promise<readonly TimelineEntry[]>;
  /** Newest first. @param options.limit 1 to 500. @default 50 */
  list(options?: {
    readonly status?: OrderStatus | undefined;
    readonly limit?: number | undefined;
    readonly cursor?: string | undefined;
  }): Promise<{
    readonly orders: readonly OrderIn<Saga>[];
    readonly nextCursor: string | null;
  }>;
  /** Left `TOO_LATE` once confirmed or past an irreversible step, `NOT_FOUND`; again is the same as once. What follows is part of its `traceparent`. */
  cancel(
    orderId: string,
    options: { readonly reason: string; readonly by?: string; readonly traceparent?: string | undefined },
  ): Promise<E.Either<Rejection, OrderIn<Saga>>>;
  /** Resolves once the order is confirmed or cancelled; rejects with the signal's reason, or `CONFIG` when there is no such order. */
  settled(orderId: string, options?: { readonly signal?: AbortSignal }): Promise<OrderIn<Saga>>;
  /** A subscription of one's own to the orders' events; before the first `place` or `start`. */
  subscribe(name: string, options: SubscribeOptions<EventsMap<Saga>>): void;
  /** A read model of one's own, made from the orders' events from the first on, each exactly once; before the first `place` or `start`. */
  project<Row>(name: string, options: ProjectOptions<EventsMap<Saga>, Row>): View<Row>;
  /** Runs the saga's steps in this process, any number of processes beside it. One at a time per `Orders`. */
  worker(options?: WorkerOptions): Worker;
  readonly deadLetters: DeadLetterStore;
  readonly on: Listen;
  counts(): Promise<Counts>;
  /** Creates or migrates the store; everything else does so by itself. */
  open(): Promise<void>;
  close(): Promise<void>;
}

/** `watch` only hints; this is how long a settled order stays unnoticed at most. */
const SWEEP_MS = 1000;

/** Whatever it is: a key that can't be one is a Left. */
const PLACING = {
  idempotencyKey: { expected: 'a text', accepts: (_: unknown): _ is unknown => true },
  traceparent: traceOption,
};

const isSettled = ({ status }: Order): boolean => status === 'confirmed' || status === 'cancelled';

/** @see Orders */
export const createOrdersOn = <const Saga extends AnyOrderSaga>(system: System, given: OrdersOptions<Saga>): Orders<Saga> => {
  const { store, transport, saga, deadLetters } = resolveOptions('createOrders', given, {
    store: port<Store>('a store', ['open', 'commit', 'read']),
    transport: optional(port<Transport>('a transport', ['open', 'publish', 'receive'])),
    saga: { expected: 'a saga made by OrderSaga.define', accepts: (value): value is Saga => Array.isArray((value as Saga | null)?.steps) },
    deadLetters: optional(port<DeadLetterOptions>('an object with alarmAt and keepClosedMs', [])),
  });
  if (saga.steps.length === 0) throw new OrderfoldError('CONFIG', 'createOrders: expected a saga with at least one step, got none');
  const bus: EventBus<Record<string, unknown>, Order> = createEventBus<Record<string, unknown>, Order>(system, {
    store,
    transport,
    model: orderModel(saga.plan),
    deadLetters,
  });
  for (const step of saga.steps) bus.subscribe(step.name, stepSubscription(step, bus.state));

  const stateOf = async (orderId: string): Promise<Order | null> => {
    if (typeof orderId !== 'string' || orderId === '') return null;
    return (await bus.state(orderId)).state ?? null;
  };

  const command = async (orderId: string, wish: OrderCommand, traceparent: string | undefined): Promise<E.Either<Rejection, Order>> => {
    const found = await stateOf(orderId);
    if (found === null) return E.left(rejection('NOT_FOUND', 'there is no such order'));
    const outcome = await bus.execute(orderId, deciding(wish), { traceparent });
    if (outcome.kind === 'refused') return E.left(outcome.refusal);
    return E.right((outcome.kind === 'won' ? outcome.snapshot.state : undefined) ?? found);
  };

  const orders: Orders<AnyOrderSaga> = {
    async place(input, options) {
      const { idempotencyKey, traceparent } = resolveOptions('place', options, PLACING);
      const admitted = await admit(saga, input, idempotencyKey);
      if (E.isLeft(admitted)) return admitted;
      const { details, asked, claim } = admitted.right;
      const orderId = system.id();
      const outcome = await bus.execute(orderId, deciding({ type: 'Place', orderId, details, plan: saga.plan }), {
        fresh: true,
        traceparent,
        ...claim(orderId),
      });
      if (outcome.kind === 'refused') return E.left(outcome.refusal);
      if (outcome.kind === 'won' && outcome.snapshot.state !== undefined) return E.right(outcome.snapshot.state as never);
      if (outcome.kind !== 'key') throw new OrderfoldError('STORE', 'the order could not be placed');
      if (outcome.taken.fingerprint !== asked) return E.left(KEY_REUSED);
      const earlier = await stateOf(outcome.taken.stream);
      if (earlier === null) throw new OrderfoldError('STORE', 'the order of this idempotency key cannot be read');
      return E.right(earlier as never);
    },
    async get(orderId) {
      const order = await stateOf(orderId);
      return order === null ? null : (orderView(order, await bus.parkedOf(orderId, 'all')) as never);
    },
    events: (orderId) => bus.events(orderId) as never,
    async timeline(orderId) {
      const [events, parked, pauses] = await Promise.all([bus.events(orderId), bus.parkedOf(orderId, 'all'), bus.pausesOf(orderId)]);
      const told = parked.filter((record) => record.kind === 'delivery' || isScheduled(record));
      return timelineOf(events, told, pauses);
    },
    async list(options) {
      const { status, limit, cursor } = resolveOptions('list', options, {
        status: optional(oneOf<OrderStatus>(['placed', 'confirmed', 'cancelling', 'cancelled', 'stalled'])),
        limit: count({ min: 1, max: 500, default: 50 }),
        cursor: optional(text({ max: 200 })),
      });
      const page = await bus.streams(status === undefined ? {} : { status }, limit, cursor ?? null);
      const listed = await Promise.all(page.rows.map(({ stream, version }) => bus.state(stream, version)));
      return { orders: listed.map(({ state }) => state as never), nextCursor: page.nextCursor };
    },
    async cancel(orderId, options) {
      const { reason, by, traceparent } = resolveOptions('cancel', options, {
        reason: text({ max: 1000 }),
        by: optional(text({ max: 200 })),
        traceparent: traceOption,
      });
      return command(orderId, { type: 'Cancel', reason, ...(by !== undefined && { by }) }, traceparent) as never;
    },
    async settled(orderId, options = {}) {
      const { signal } = options;
      await bus.open();
      signal?.throwIfAborted();
      return new Promise<never>((resolve, reject) => {
        let looking = false;
        let again = true;
        let ended = false;
        let sweep: Timer;
        const end = (settle: () => void): void => {
          ended = true;
          off();
          unwatch();
          sweep.cancel();
          signal?.removeEventListener('abort', abort);
          settle();
        };
        const abort = (): void => end(() => reject(signal?.reason));
        const look = async (): Promise<void> => {
          again = true;
          if (looking) return;
          looking = true;
          try {
            while (again && !ended) {
              again = false;
              const order = await stateOf(orderId);
              if (order === null) throw new OrderfoldError('CONFIG', `there is no order ${orderId}`);
              if (isSettled(order) && !ended) return end(() => resolve(order as never));
            }
          } catch (error) {
            // A store that is away comes back; the next sweep asks again.
            const away = isOrderfoldError(error, 'STORE') && error.retryable;
            if (!ended && !away) end(() => reject(error));
          } finally {
            looking = false;
          }
        };
        const sweepOn = (): void => {
          sweep = system.setTimer(SWEEP_MS, () => {
            sweepOn();
            void look();
          });
        };
        const off = bus.on('appended', ({ stream }) => void (stream === orderId && look()));
        const unwatch = bus.watch(() => void look());
        signal?.addEventListener('abort', abort, { once: true });
        sweepOn();
        void look();
      });
    },
    subscribe: (name, options) => bus.subscribe(name, options as never),
    project: (name, options) => bus.project(name, options as never),
    worker: (options) => ({ start: () => bus.start(options), stop: (stopping) => bus.stop(stopping) }),
    ...createOrderScheduling(bus, saga, system),
    ...pausingOrders(bus, async (orderId) => (await stateOf(orderId)) !== null),
    deadLetters: bus.deadLetters,
    on: bus.on,
    counts: bus.counts,
    open: bus.open,
    close: bus.close,
    [Symbol.asyncDispose]: () => bus.close(),
  };
  return Object.freeze(orders) as unknown as Orders<Saga>;
};
