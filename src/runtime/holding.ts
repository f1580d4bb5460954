import { isDone } from '../core/checkpoint.ts';
import type { ParkedDelivery, StoredEvent } from '../core/records.ts';
import type { Lease, LeaseRef, Range } from '../core/store.ts';
import type { Call } from './calls.ts';
import type { Feed } from './feed.ts';
import type { Subscription } from './subscription.ts';

/** One delivery in this process's hands; `parked` is its record if it has been parked before. */
export interface InHand {
  readonly event: StoredEvent | null;
  readonly parked: ParkedDelivery | null;
  readonly version: number;
}

/** Where a delivery belongs. */
export interface Place {
  readonly holding: Holding;
  readonly stream: string;
}

/**
 * The deliveries of one stream to one subscription, in version order. A subscription that takes batches has one lane for all streams
 * of a shard, in the order of the log, and its `stream` is empty.
 */
export interface Lane extends Place {
  readonly queue: InHand[];
  /** So many from the front have started and have no outcome yet. */
  running: number;
  /** It keeps one of the process's slots. */
  slot: boolean;
  /** Its handler was called. */
  called: boolean;
  /** It probes for the breaker, which has not heard of it yet. */
  probe: boolean;
  /** Its handler, while that runs. */
  call: Call | null;
}

/** A lease this process holds, and everything it knows under it. Thrown away whole when the lease ends. */
export interface Holding {
  readonly lease: LeaseRef;
  readonly subscription: Subscription;
  readonly feed: Feed;
  readonly lanes: Map<string, Lane>;
  /** Ids of parked deliveries in a lane. */
  readonly inHand: Set<string>;
  /** Monotonic. */
  readonly gainedAt: number;
  /** When a start of a parked delivery ended here without success, by its id; monotonic. */
  readonly lastEnded: Map<string, number>;
  /** False once lost or let go: nothing may start, and what runs is aborted. */
  live: boolean;
  /** No further reads: it is being handed over. */
  closing: boolean;
  /** Read up to here. */
  cursor: number;
  /** Up to here it is to be read from the log, though a broker carries the events; null before the log was first looked at. */
  fillTo: number | null;
  /** Done, but not durable yet. */
  done: Range[];
  /** Read, but no start mark at or above them is durable yet. */
  unmarked: StoredEvent[];
  /** The start mark this process has made durable. */
  marked: number;
  /** Progress entries on their way to the store. */
  flying: number;
  /** Open parked deliveries here, never too few. */
  parked: number;
  /** Handlers and commits on their way. */
  busy: number;
  wasDone(position: number): boolean;
}

export const newHolding = (lease: Lease, feed: Feed, gainedAt: number, suspects: readonly number[]): Holding => ({
  lease: { subscription: lease.subscription, shard: lease.shard, epoch: lease.epoch },
  subscription: feed.subscription,
  feed,
  lanes: new Map(),
  inHand: new Set(),
  lastEnded: new Map(),
  gainedAt,
  live: true,
  closing: false,
  cursor: lease.checkpoint.low,
  fillTo: feed.carried ? null : Number.POSITIVE_INFINITY,
  done: [],
  unmarked: [],
  marked: 0,
  flying: 0,
  parked: lease.parked + suspects.length,
  busy: 0,
  wasDone: (position) => isDone(lease.checkpoint, position) || suspects.includes(position),
});

/** What a lane is ordered by. */
export const orderOf = ({ subscription }: Holding, { version, event, parked }: InHand): number =>
  subscription.batch === undefined ? version : ((event ?? parked)?.position ?? 0);

/** Adds a position, extending the last range where it follows on. */
export const addDone = (holding: Holding, position: number): void => {
  const last = holding.done.at(-1);
  if (last !== undefined && last[1] + 1 === position) holding.done[holding.done.length - 1] = [last[0], position];
  else holding.done.push([position, position]);
};
