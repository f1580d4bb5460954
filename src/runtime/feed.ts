import type { System, Timer } from '../core/system.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import type { Lane } from './holding.ts';
import { createRate, type Rate } from './rate-limit.ts';
import type { Subscription } from './subscription.ts';

/** One subscription in this process: what waits, what runs, and what holds it back. */
export interface Feed {
  readonly subscription: Subscription;
  /** A broker carries its events here. */
  readonly carried: boolean;
  /** Handlers at once. */
  readonly most: number;
  /** Deliveries from the log in this process's hands. */
  readonly readAhead: number;
  /** What runs waits for others only. */
  readonly needsNoSlot: boolean;
  readonly rate: Rate | null;
  readonly breaker: Breaker | null;
  /** An operator wants it to wait. */
  paused: boolean;
  /** The part of all shards this process owns. */
  share: number;
  running: number;
  /** Deliveries in lanes that were read from the log, running ones included. */
  fresh: number;
  /** Read, but no start mark at or above them is durable yet. */
  unmarked: number;
  /** Parked deliveries in lanes. */
  parked: number;
  /** Stopped reading for want of room. */
  starved: boolean;
  /** More parked deliveries may be due than there is room for. */
  crowded: boolean;
  /** Lanes whose head may start, the longest ready first; those before `next` have started. */
  ready: Lane[];
  next: number;
  /** Fires when the rate limit or the breaker lets the next one start. */
  opening: Timer | null;
}

/** Of what waits for a broker, so many are on their way that a round trip costs no time in which none is. */
const READ_AHEAD_WITHOUT_SLOTS = 2048;

interface Pace {
  /** Handlers at once in this process. */
  readonly concurrency: number;
  readonly readAhead: number;
}

export const newFeed = (system: System, subscription: Subscription, { concurrency, readAhead }: Pace, carried: boolean): Feed => {
  const { flow, batch } = subscription;
  const needsNoSlot = batch?.stored === true;
  return {
    subscription,
    carried,
    most: needsNoSlot ? Number.POSITIVE_INFINITY : (flow.concurrency ?? concurrency),
    readAhead: needsNoSlot ? Math.max(readAhead, READ_AHEAD_WITHOUT_SLOTS) : readAhead,
    needsNoSlot,
    rate: flow.rateLimit === undefined ? null : createRate(system, flow.rateLimit),
    breaker: flow.breaker === undefined ? null : createBreaker(system, flow.breaker),
    paused: false,
    share: 0,
    running: 0,
    fresh: 0,
    unmarked: 0,
    parked: 0,
    starved: false,
    crowded: false,
    ready: [],
    next: 0,
    opening: null,
  };
};

/** Milliseconds until another of its deliveries may start: Infinity until one ends or an operator resumes it. */
export const waitMs = ({ paused, running, most, rate, breaker, share }: Feed): number => {
  if (paused || running >= most) return Number.POSITIVE_INFINITY;
  const byRate = rate === null ? 0 : rate.waitMs(share);
  return breaker === null ? byRate : Math.max(byRate, breaker.waitMs());
};
