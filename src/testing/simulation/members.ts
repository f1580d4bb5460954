import { isOrderfoldError } from '../../core/errors.ts';
import { permanent } from '../../core/permanent.ts';
import type { StoredEvent } from '../../core/records.ts';
import type { Transport } from '../../core/transport.ts';
import { type Direction, stepEventName } from '../../order/names.ts';
import type { AnyOrderSaga } from '../../order/saga.ts';
import type { StepDefinition, StepInput, UndoInput } from '../../order/step.ts';
import type { WorkerOptions } from '../../runtime/event-bus.ts';
import { createOrdersOn, type Orders } from '../../runtime/orders.ts';
import { stepSubscription } from '../../runtime/steps.ts';
import { type Delivery, type Route, resolveSubscription, type SubscribeOptions } from '../../runtime/subscription.ts';
import type { Tell } from './act.ts';
import type { Judge } from './judge.ts';
import type { createOutside } from './outside.ts';
import type { Process } from './process.ts';
import type { Witness } from './witness.ts';

/** One process of the simulated application, in one of its lives. */
export interface Member {
  readonly process: Process;
  readonly orders: Orders<AnyOrderSaga>;
}

export interface MemberContext {
  readonly witness: Witness;
  readonly judge: Judge;
  readonly outside: ReturnType<typeof createOutside>;
  readonly tell: Tell;
}

const handlerName = (step: string, direction: Direction): string => (direction === 'do' ? step : `${step}:undo`);

/** The saga with every run of a step watched, and done as fate wants it. */
const watchedSaga = (saga: AnyOrderSaga, process: Process, { witness, judge, outside, tell }: MemberContext): AnyOrderSaga => {
  const requestOf = (orderId: string, step: string, direction: Direction): StoredEvent | undefined => {
    const type = stepEventName(step, direction === 'do' ? 'Requested' : 'UndoRequested');
    return witness.events.get(orderId)?.find((event) => event.type === type);
  };
  const watch = (step: StepDefinition, direction: Direction, handler: (input: never) => unknown, name: string) => (input: StepInput) => {
    const { orderId, signal, attempt, generation } = input;
    // An undo that settles runs `do` or `query` first: the delivery is the undo's.
    const event = (direction === 'do' && requestOf(orderId, step.name, 'undo')) || requestOf(orderId, step.name, direction);
    const run = event && judge.begins({ process, subscription: step.name, event, attempt, generation, signal });
    tell('run', () => `${name} of ${orderId}, attempt ${generation}.${attempt}`);
    const context = {
      process,
      orderId,
      step: step.name,
      direction,
      signal,
      timeoutMs: step.timeoutMs,
      kills: () => run && judge.kills(run),
    };
    const ended = (how: 'ok' | 'failed') => {
      if (run !== undefined) judge.ends(run, how);
    };
    return outside
      .run(
        context,
        name,
        () => handler(input as never),
        () => permanent(`${name}: never`),
      )
      .then(
        (answer) => {
          ended('ok');
          return answer;
        },
        (error: unknown) => {
          ended('failed');
          throw error;
        },
      );
  };
  return {
    ...saga,
    steps: saga.steps.map((step) => ({
      ...step,
      do: watch(step, 'do', step.do, step.name),
      undo: step.undo && (watch(step, 'undo', step.undo, handlerName(step.name, 'undo')) as (input: UndoInput) => unknown),
      query: step.query && watch(step, 'do', step.query, `${step.name}:query`),
    })),
  };
};

/** `orders` whose `subscribe` has its handlers watched in the same way. */
const watchedOrders = (
  orders: Orders<AnyOrderSaga>,
  process: Process,
  { witness, judge, outside, tell }: MemberContext,
): Orders<AnyOrderSaga> => {
  const subscribe = (name: string, options: SubscribeOptions<Record<string, unknown>>): void => {
    const resolved = resolveSubscription(name, options);
    judge.declare(name, () => resolved);
    const watched = (route: Route) => (delivery: Delivery) => {
      const { stream, version, attempt, generation, signal } = delivery;
      const event = witness.events.get(stream)?.[version - 1] as StoredEvent;
      const run = judge.begins({ process, subscription: name, event, attempt, generation, signal });
      tell('run', () => `${name} for ${delivery.id}, attempt ${generation}.${attempt}`);
      const context = {
        process,
        orderId: stream,
        step: name,
        direction: 'do' as const,
        signal,
        timeoutMs: route.timeoutMs,
        kills: () => judge.kills(run),
      };
      return outside
        .run(
          context,
          name,
          () => route.handle(delivery),
          () => permanent(`${name}: never`),
        )
        .then(
          (answer) => {
            judge.ends(run, 'ok');
            return answer;
          },
          (error: unknown) => {
            judge.ends(run, 'failed');
            throw error;
          },
        );
    };
    const on = Object.fromEntries(
      [...resolved.routes].map(([type, route]) => [type, { handle: watched(route), retry: route.retry, timeoutMs: route.timeoutMs }]),
    );
    orders.subscribe(name, { ...options, on } as never);
  };
  return { ...orders, subscribe };
};

/** The application's code, started in a process. `run` gives it a worker, which is started again for as long as the store is away. */
export const beginMember = <Services extends object>(
  process: Process,
  application: {
    readonly services: Services;
    readonly saga: (services: Services) => AnyOrderSaga;
    readonly setUp: ((orders: never, services: Services) => void) | undefined;
    readonly worker: WorkerOptions | null;
    readonly transport: Transport | undefined;
  },
  context: MemberContext,
): Member => {
  const services = context.outside.servicesFor(application.services);
  const saga = application.saga(services);
  for (const step of saga.steps)
    context.judge.declare(
      step.name,
      () => {
        const options = stepSubscription(step, () => Promise.reject());
        return resolveSubscription(step.name, options);
      },
      'if wanted',
    );
  const orders = createOrdersOn(process.system, {
    store: process.store,
    transport: application.transport,
    saga: watchedSaga(saga, process, context),
  }) as unknown as Orders<AnyOrderSaga>;
  const { name } = process;
  const { tell } = context;
  orders.on('trouble', ({ where, error }) => tell('trouble', () => `${name} ${where}: ${String(error)}`));
  orders.on('appended', ({ stream, events }) => tell('appended', () => `${name} ${stream}: ${events.map(({ type }) => type).join(', ')}`));
  for (const fact of ['retry', 'dead'] as const) orders.on(fact, ({ id, rule }) => tell(fact, () => `${name} ${id} (${rule})`));
  for (const fact of ['leaseGained', 'leaseLost'] as const)
    orders.on(fact, ({ subscription, shard, epoch }) => tell(fact, () => `${name} ${subscription}/${shard}, epoch ${epoch}`));
  application.setUp?.(watchedOrders(orders, process, context) as never, services);
  const member: Member = { process, orders };
  if (application.worker !== null) startWorker(member, application.worker);
  return member;
};

/** As a supervisor would: again, a while later, until it runs. */
export const startWorker = (member: Member, options: WorkerOptions): void => {
  member.orders
    .worker(options)
    .start()
    .catch((error: unknown) => {
      if (isOrderfoldError(error, 'STORE')) member.process.system.setTimer(300, () => startWorker(member, options));
    });
};
