import type { Envelope } from '../core/envelope.ts';
import type { Attempt } from '../core/ledger.ts';
import { isOpen, type ParkedDelivery, type Pause } from '../core/records.ts';
import { detailOf, type LostStart, type OperatorAction } from './parking.ts';

interface OfDelivery {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Id of the parked delivery or dead letter. */
  readonly delivery: string;
  readonly subscription: string;
}

/** One thing that happened to a stream, or is going to. */
export type TimelineEntry =
  | ({ readonly kind: 'event'; readonly at: string } & Pick<Envelope, 'id' | 'type' | 'version' | 'data' | 'cause'>)
  /** A failed attempt, from its start, with the wait that was chosen after it and why. */
  | (OfDelivery & { readonly kind: 'attempt' } & Pick<
        Attempt,
        'attempt' | 'generation' | 'endedAt' | 'worker' | 'error' | 'delayMs' | 'rule'
      >)
  /** A start whose outcome nobody heard. */
  | (OfDelivery & { readonly kind: 'lostStart' } & Pick<LostStart, 'how' | 'worker'>)
  | (OfDelivery & { readonly kind: 'action' } & Pick<OperatorAction, 'action' | 'by' | 'reason' | 'generation'>)
  /** What an operator did to the whole stream. */
  | { readonly kind: 'action'; readonly action: 'paused' | 'resumed'; readonly at: string; readonly by: string; readonly reason: string }
  /** A delivery, or something scheduled, that waits: `at` is when it is due, was due while an earlier one or a pause holds it, or died. */
  | (OfDelivery & {
      readonly kind: 'parked';
      readonly state: 'scheduled' | 'held' | 'dead';
      readonly type: string;
      readonly attempts: number;
      readonly generation: number;
    });

const iso = (ms: number): string => new Date(ms).toISOString();

const waiting = (record: ParkedDelivery, all: readonly ParkedDelivery[], pauses: readonly Pause[]): TimelineEntry[] => {
  const { id: delivery, subscription, type, attempts, generation, version } = record;
  if (!isOpen(record.state)) return [];
  const inTheWay = (other: ParkedDelivery): boolean =>
    other.subscription === subscription &&
    other.version < version &&
    (other.state === 'scheduled' || (other.state === 'dead' && other.holds));
  const isPaused = pauses.some(({ of, name, resumed }) => resumed === null && (of === 'stream' || name === subscription));
  const waits = record.kind === 'delivery' && (isPaused || all.some(inTheWay));
  const state = record.state === 'dead' ? 'dead' : waits ? 'held' : 'scheduled';
  const at = iso(state === 'dead' ? (record.deadAt ?? 0) : record.dueAt);
  return [{ kind: 'parked', at, delivery, subscription, state, type, attempts, generation }];
};

const past = ({ id: delivery, subscription, ...record }: ParkedDelivery, fallbackAt: string): TimelineEntry[] => {
  const { ledger, lost, actions } = detailOf({ id: delivery, subscription, ...record });
  return [
    ...ledger.attempts.map(({ startedAt: at, attempt, generation, endedAt, worker, error, delayMs, rule }): TimelineEntry => {
      return { kind: 'attempt', at, delivery, subscription, attempt, generation, endedAt, worker, error, delayMs, rule };
    }),
    ...lost.map(
      ({ startedAt, how, worker }): TimelineEntry => ({
        kind: 'lostStart',
        at: startedAt ?? fallbackAt,
        delivery,
        subscription,
        how,
        worker,
      }),
    ),
    ...actions.map(
      ({ at, action, by, reason, generation }): TimelineEntry => ({
        kind: 'action',
        at,
        delivery,
        subscription,
        action,
        by,
        reason,
        generation,
      }),
    ),
  ];
};

const told = ({ of, at, by, reason, resumed }: Pause): TimelineEntry[] => {
  if (of !== 'stream') return [];
  const paused: TimelineEntry = { kind: 'action', action: 'paused', at: iso(at), by, reason };
  return resumed === null ? [paused] : [paused, { kind: 'action', action: 'resumed', ...resumed, at: iso(resumed.at) }];
};

/**
 * Events, attempts, lost starts, operator actions and what still waits, in the order of time; events of one moment by version.
 * @param parked of the stream
 * @param pauses the stream's, and those of subscriptions that last
 */
export const timelineOf = (
  events: readonly Envelope[],
  parked: readonly ParkedDelivery[],
  pauses: readonly Pause[],
): readonly TimelineEntry[] => {
  const happened = events.map(({ time: at, id, type, version, data, cause }): TimelineEntry => {
    return { kind: 'event', at, id, type, version, data, ...(cause !== undefined && { cause }) };
  });
  const timeOf = (version: number): string => events[version - 1]?.time ?? iso(0);
  const deliveries = parked.flatMap((record) => [...past(record, timeOf(record.version)), ...waiting(record, parked, pauses)]);
  const entries = [...happened, ...pauses.flatMap(told), ...deliveries];
  return entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
};
