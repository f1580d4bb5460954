import { cloudEventText } from '../core/cloud-event.ts';
import { eventId } from '../core/envelope.ts';
import { OrderfoldError } from '../core/errors.ts';
import { NO_LIMITS } from '../core/flow.ts';
import type { StoredEvent } from '../core/records.ts';
import { RetryPolicy } from '../core/retry-policy.ts';
import { LARGEST_BATCH, type Message } from '../core/transport.ts';
import type { Route, Subscription } from './subscription.ts';
import { RELAY } from './subscription-name.ts';
import type { TransportLink } from './transport-link.ts';

/** Longer than a transport takes to find out that its broker does not answer. */
const TIMEOUT_MS = 60_000;

/** The transport brings it its events. Those of timers are in no log, and what publishes can't be published to. */
export const isCarried = ({ name, routes }: Subscription): boolean => name !== RELAY && routes.size > 0;

const messageOf = (event: StoredEvent, source: string): Message => ({
  id: eventId(event.stream, event.version),
  stream: event.stream,
  shard: event.shard,
  type: event.type,
  body: cloudEventText(event, source),
});

/** Where the broker is set up wrong, no event is to blame: they wait until somebody has put it right. */
const notOfAnEvent = (error: unknown): never => {
  throw new OrderfoldError('TRANSPORT', error instanceof Error ? error.message : String(error), { cause: error });
};

/**
 * The subscription that publishes every event from its birth on, those of a shard in the order of the log. While the broker is away, or set up wrong, it
 * waits, however long, without an attempt being counted. What no broker will ever take (a body too large) becomes a dead letter that the
 * later events of its stream wait behind.
 */
export const relaySubscription = (link: TransportLink): Subscription => {
  const publish = async (events: readonly StoredEvent[]) => {
    try {
      const source = await link.ready().catch(notOfAnEvent);
      await link.transport.publish(events.map((event) => messageOf(event, source)));
      link.works();
      return [];
    } catch (error) {
      link.lost(error);
      throw error;
    }
  };
  const retry = RetryPolicy.default;
  const route: Route = { handle: ({ data }) => publish([data as StoredEvent]), retry, attempts: retry.attempts, timeoutMs: TIMEOUT_MS };
  return {
    name: RELAY,
    routes: { size: Number.POSITIVE_INFINITY, has: () => true, get: () => route },
    holds: true,
    start: 'head',
    flow: NO_LIMITS,
    batch: { most: LARGEST_BATCH, timeoutMs: TIMEOUT_MS, stored: true, handle: publish },
  };
};
