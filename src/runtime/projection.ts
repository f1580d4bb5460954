import type { Envelope, EnvelopeOf, EventMap } from '../core/envelope.ts';
import { NO_LIMITS } from '../core/flow.ts';
import { count, fn, oneOf, positiveMs, resolveOptions } from '../core/options.ts';
import { RetryPolicy, retryPolicy } from '../core/retry-policy.ts';
import type { Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import type { Route, Subscription } from './subscription.ts';
import { checkSubscriptionName } from './subscription-name.ts';
import { createViewDraft, type ViewDraft } from './view-draft.ts';

/** How a view follows the log. */
export interface ProjectOptions<Events extends EventMap, Row> {
  /** The event types it is made from; at least one. */
  readonly types: readonly (keyof Events & string)[];
  /**
   * Brings the view up to date with events of one shard, in the order of the log; those of one stream are always in version order. What
   * it changes in `view` is written exactly once per event. It may be called several times with the same events until that has happened,
   * so it must have no effect outside `view`.
   */
  readonly handle: (events: readonly EnvelopeOf<Events>[], view: ViewDraft<Row>) => unknown;
  /** Of an event that fails alone; those around it go on without it. @default `RetryPolicy.default` */
  readonly retry?: RetryPolicy;
  /** For one call, however many events it gets. @default 30_000 */
  readonly timeoutMs?: number;
  /** Whether the later events of a stream wait behind a dead letter. @default 'hold' */
  readonly onDead?: 'hold' | 'continue';
  /** Events in one call at most, 1 to 500, and no more than were read ahead. @default 500 */
  readonly batch?: number;
}

const isTypes = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every((type) => typeof type === 'string' && type !== '');

/** As it is in the log, whatever is known of this delivery of it. */
const envelopeOf = ({ id, type, stream, version, shard, position, time, schema, data, cause, traceparent }: Envelope): Envelope => ({
  id,
  type,
  stream,
  version,
  shard,
  position,
  time,
  schema,
  data,
  ...(cause !== undefined && { cause }),
  ...(traceparent !== undefined && { traceparent }),
});

/** The subscription that keeps the documents of a view, checked once. @throws `CONFIG` */
export const resolveProjection = <Events extends EventMap, Row>(
  store: Store,
  system: System,
  name: string,
  given: ProjectOptions<Events, Row>,
): Subscription => {
  checkSubscriptionName(name);
  const options = resolveOptions(`project('${name}')`, given, {
    types: { expected: 'an array of at least one event type', accepts: isTypes },
    handle: fn<ProjectOptions<Events, Row>['handle']>(),
    retry: retryPolicy(RetryPolicy.default),
    timeoutMs: positiveMs({ default: 30_000 }),
    onDead: oneOf(['hold', 'continue'], 'hold'),
    batch: count({ min: 1, max: 500, default: 500 }),
  });
  const { retry, timeoutMs } = options;
  const handle = async (events: readonly Envelope[]) => {
    const { draft, end } = createViewDraft<Row>(store, system, name);
    await options.handle(events as readonly EnvelopeOf<Events>[], draft);
    return end();
  };
  const route: Route = { handle: (delivery) => handle([envelopeOf(delivery)]), retry, attempts: retry.attempts, timeoutMs };
  return {
    name,
    routes: new Map(options.types.map((type) => [type, route])),
    holds: options.onDead === 'hold',
    start: 'beginning',
    flow: NO_LIMITS,
    batch: { most: options.batch, timeoutMs, handle },
  };
};
