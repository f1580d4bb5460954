import { describeError } from '../core/error-facts.ts';
import { isPermanent } from '../core/permanent.ts';
import type { Notifier } from './notifications.ts';
import type { Turn } from './turn.ts';

/**
 * What the breaker of its subscription makes of an outcome, told once: the pause if it opens, else undefined. A permanent error is an answer like
 * any other.
 */
export const tellBreaker = (notifier: Notifier, { lane, holding, stream }: Turn, error?: unknown): number | undefined => {
  const { breaker, subscription } = holding.feed;
  if (breaker === null) return undefined;
  const { probe } = lane;
  lane.probe = false;
  if (error === undefined || isPermanent(error)) {
    breaker.succeeded(probe);
    if (probe) notifier.emit('breakerClosed', { subscription: subscription.name });
    return undefined;
  }
  const pauseMs = breaker.failed(stream, probe, error);
  if (pauseMs !== undefined) notifier.emit('breakerOpened', { subscription: subscription.name, pauseMs, error: describeError(error) });
  return pauseMs;
};
