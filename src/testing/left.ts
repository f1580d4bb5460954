import { isOpen, type ParkedDelivery, type Pause } from '../core/records.ts';
import type { Store } from '../core/store.ts';
import { recordRun } from './record-run.ts';

/** Something that waits. */
export interface Left {
  /** The order, or the stream of a bus. */
  readonly stream: string;
  /** Id of the parked delivery or timer; empty for what was never parked. */
  readonly id: string;
  /**
   * `dead`: for an operator. `held`: behind an earlier one of its stream. `paused`: until it is resumed. `timer`: a deadline, or what was
   * scheduled. `retry`: for its next attempt. `running`: a handler has not returned. `unread`: not begun.
   */
  readonly state: 'dead' | 'held' | 'paused' | 'timer' | 'retry' | 'running' | 'unread';
  /** ISO 8601, UTC; null where no time is known. */
  readonly dueAt: string | null;
}

/** What happens by itself, if only time passes. */
export const isMoving = ({ state }: Left): boolean => state === 'retry' || state === 'running' || state === 'unread';

const isPausedBy =
  (pauses: readonly Pause[]) =>
  ({ subscription, stream }: { readonly subscription: string; readonly stream: string }): boolean =>
    pauses.some(({ of, name, resumed }) => resumed === null && name === (of === 'stream' ? stream : subscription));

const stateOf = (record: ParkedDelivery, open: readonly ParkedDelivery[], isPaused: ReturnType<typeof isPausedBy>): Left['state'] => {
  const { subscription, stream, version, state, kind, startedAt } = record;
  if (state === 'dead') return 'dead';
  if (kind === 'timer') return 'timer';
  if (startedAt !== null) return 'running';
  const isInTheWay = (other: ParkedDelivery): boolean =>
    other.subscription === subscription && other.stream === stream && other.version < version && (other.state !== 'dead' || other.holds);
  if (open.some(isInTheWay)) return 'held';
  return isPaused(record) ? 'paused' : 'retry';
};

/** Everything in a store that waits for something, the next due first. What was read and never parked counts as unread until it is done. */
export const leftIn = async (store: Store): Promise<readonly Left[]> => {
  const [{ parked }, pauses, { subscriptions }] = await Promise.all([recordRun(store), store.pauses(), store.counts()]);
  const open = parked.filter(({ state }) => isOpen(state));
  const isPaused = isPausedBy(pauses);
  const left = open.map((record): Left => {
    const state = stateOf(record, open, isPaused);
    const dueAt = state === 'retry' || state === 'timer' ? new Date(record.dueAt).toISOString() : null;
    return { stream: record.stream, id: record.id, state, dueAt };
  });
  for (const [subscription, { backlog }] of Object.entries(subscriptions)) {
    if (backlog > 0 && subscription !== 'timers' && !isPaused({ subscription, stream: '' }))
      left.push({ stream: '', id: '', state: 'unread', dueAt: null });
  }
  return left.sort((a, b) => (a.dueAt ?? '').localeCompare(b.dueAt ?? ''));
};
