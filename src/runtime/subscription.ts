import type { Envelope, EnvelopeOf, EventMap } from '../core/envelope.ts';
import { OrderfoldError } from '../core/errors.ts';
import { type Flow, type FlowOptions, flowChecks, resolveFlow } from '../core/flow.ts';
import { oneOf, optional, port, positiveMs, resolveOptions } from '../core/options.ts';
import type { DocumentWrite, StoredEvent } from '../core/records.ts';
import { RetryPolicy, retryPolicy } from '../core/retry-policy.ts';
import { checkSubscriptionName } from './subscription-name.ts';

/** What a handler sees: the envelope, and where its delivery stands. */
export type Delivery<E extends Envelope = Envelope> = E & {
  /** 1-based; `maxAttempts` includes the first and is undefined without a limit. */
  readonly attempt: number;
  readonly maxAttempts: number | undefined;
  /** Redrives so far. */
  readonly generation: number;
  /** Milliseconds since an earlier start of this delivery ended or its process was replaced; null if it never started before. */
  readonly sinceLastStartMs: number | null;
  /** The same over retries, crashes and redrives: the key for whatever the handler does outside. */
  readonly effectKey: string;
  /** Fires when the attempt's time is up, the lease is lost or the worker stops. */
  readonly signal: AbortSignal;
};

/** What a handler may leave behind: events for its own stream, committed with its outcome, all or nothing. */
export type Reaction<Events extends EventMap> =
  // biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is the usual one
  void | readonly FactOf<Events>[] | ((state: unknown, version: number) => readonly FactOf<Events>[]);

type FactOf<Events extends EventMap> = {
  [Type in keyof Events & string]: { readonly type: Type; readonly data: Events[Type] };
}[keyof Events & string];

export type Handler<E extends Envelope, Events extends EventMap> = (delivery: Delivery<E>) => Reaction<Events> | Promise<Reaction<Events>>;

export interface SubscribeOptions<Events extends EventMap> extends FlowOptions {
  /** A handler per event type; other types are no deliveries of this subscription. */
  readonly on: {
    readonly [Type in keyof Events & string]?:
      | Handler<Extract<EnvelopeOf<Events>, { readonly type: Type }>, Events>
      | {
          readonly handle: Handler<Extract<EnvelopeOf<Events>, { readonly type: Type }>, Events>;
          readonly retry?: RetryPolicy;
          readonly timeoutMs?: number;
        };
  };
  /** @default `RetryPolicy.default` */
  readonly retry?: RetryPolicy;
  /** An attempt that takes longer has failed, whatever it does afterwards. @default 30_000 */
  readonly timeoutMs?: number;
  /** Whether the later events of a stream wait behind a dead letter. @default 'hold' */
  readonly onDead?: 'hold' | 'continue';
  /** Where a subscription that the store does not know yet begins. @default 'head' */
  readonly start?: 'head' | 'beginning';
}

/** How one event type is handled, everything decided. */
export interface Route {
  readonly handle: (delivery: Delivery) => unknown;
  readonly retry: RetryPolicy;
  /** The most its policy allows, the first included; undefined without a limit. */
  readonly attempts: number | undefined;
  readonly timeoutMs: number;
}

/** How several events of one shard are handled in one call. `handle` resolves with what is to be written together with their done marks. */
export type BatchRoute = {
  /** Events in one call at most. */
  readonly most: number;
  readonly timeoutMs: number;
} & (
  | { readonly stored?: never; handle(events: readonly Envelope[]): Promise<readonly DocumentWrite[]> }
  /**
   * Takes events as they are stored, whatever code can read them, one as well as many. They may run again at any time, need no slot of the
   * process, and wait for as long as what they need is away. The routes get the stored event for `data`.
   */
  | { readonly stored: true; handle(events: readonly StoredEvent[]): Promise<readonly DocumentWrite[]> }
);

/** How each event type is handled; a subscription without any reads nothing. */
export type Routes = Pick<ReadonlyMap<string, Route>, 'size' | 'has' | 'get'>;

export interface Subscription {
  readonly name: string;
  readonly routes: Routes;
  readonly holds: boolean;
  readonly start: 'head' | 'beginning';
  /** Where events are handled together, and the routes resolve with documents to write as it does. */
  readonly batch?: BatchRoute;
  readonly flow: Flow;
}

/** Checks a subscription once, when it is made. @throws `CONFIG` */
export const resolveSubscription = <Events extends EventMap>(
  name: string,
  given: SubscribeOptions<Events>,
): Subscription & { readonly routes: ReadonlyMap<string, Route> } => {
  checkSubscriptionName(name);
  const where = `subscribe('${name}')`;
  const options = resolveOptions(where, given, {
    on: port<object>('an object of handlers by event type', []),
    retry: retryPolicy(RetryPolicy.default),
    timeoutMs: positiveMs({ default: 30_000 }),
    onDead: oneOf(['hold', 'continue'], 'hold'),
    start: oneOf(['head', 'beginning'], 'head'),
    ...flowChecks,
  });
  const routes = new Map<string, Route>();
  for (const [type, handler] of Object.entries(options.on) as [string, unknown][]) {
    if (handler === undefined) continue;
    const alone = typeof handler === 'function';
    const route = resolveOptions(`${where}.on.${type}`, alone ? { handle: handler } : (handler as object), {
      handle: { expected: 'a function', accepts: (value): value is Route['handle'] => typeof value === 'function' },
      retry: optional(retryPolicy()),
      timeoutMs: optional(positiveMs()),
    });
    const retry = route.retry ?? options.retry;
    routes.set(type, { handle: route.handle, retry, attempts: retry.attempts, timeoutMs: route.timeoutMs ?? options.timeoutMs });
  }
  if (routes.size === 0) throw new OrderfoldError('CONFIG', `${where}: expected at least one handler in 'on', got none`);
  return { name, routes, holds: options.onDead === 'hold', start: options.start, flow: resolveFlow(where, options) };
};
