import { ConsecutiveBreaker } from 'cockatiel/dist/breaker/ConsecutiveBreaker.js';
import * as E from 'fp-ts/lib/Either.js';
import type { Flow, TripRule } from '../core/flow.ts';
import { nextDelay } from '../core/retry-policy.ts';
import type { System } from '../core/system.ts';

/** Holds the deliveries of one subscription back in this process while what they call is down. */
export interface Breaker {
  /** Milliseconds until one may start: Infinity while a probe is out. */
  waitMs(): number;
  /** One starts; true if it is the probe. */
  start(): boolean;
  succeeded(probe: boolean): void;
  /** The pause that follows if this failure opened it, else undefined. */
  failed(stream: string, probe: boolean, error: unknown): number | undefined;
  /** The probe ended and told nothing. */
  unheard(): void;
}

const CLOSED = 0;
const HALF_OPEN = 2;
/** Failing streams remembered for a rule that does not open. */
const MOST_STREAMS = 1000;

/** A rule that throws has not said anything. */
const quiet = (rule: TripRule): TripRule => ({
  success(state) {
    try {
      rule.success(state);
    } catch {
      // Nothing to be told.
    }
  },
  failure(state) {
    try {
      return rule.failure(state);
    } catch {
      return false;
    }
  },
});

export const createBreaker = (system: System, { trip, pause }: NonNullable<Flow['breaker']>): Breaker => {
  const rule = quiet(typeof trip === 'number' ? new ConsecutiveBreaker(trip) : trip());
  const failing = new Set<string>();
  let openUntil: number | null = null;
  let openedAt = 0;
  let opened = 0;
  let pauseMs = 0;
  let probing = false;

  const open = (error: unknown): number => {
    const now = system.monotonic();
    if (opened === 0) openedAt = now;
    opened += 1;
    const failure = { attempt: opened, elapsedMs: now - openedAt, previousDelayMs: pauseMs, error };
    const next = nextDelay(pause, failure, system.random());
    // A policy that gives up stays with its last word: a breaker never does.
    pauseMs = E.isLeft(next) ? pauseMs : next.right.delayMs;
    openUntil = now + pauseMs;
    probing = false;
    return pauseMs;
  };

  return {
    waitMs() {
      if (openUntil === null) return 0;
      return probing ? Number.POSITIVE_INFINITY : Math.max(0, openUntil - system.monotonic());
    },
    start() {
      if (openUntil === null) return false;
      probing = true;
      return true;
    },
    succeeded(probe) {
      failing.clear();
      if (openUntil === null) rule.success(CLOSED);
      if (!probe) return;
      rule.success(HALF_OPEN);
      openUntil = null;
      opened = 0;
      pauseMs = 0;
      probing = false;
    },
    failed(stream, probe, error) {
      if (probe) {
        rule.failure(HALF_OPEN);
        return open(error);
      }
      if (openUntil !== null || failing.has(stream)) return undefined;
      if (failing.size >= MOST_STREAMS) failing.clear();
      failing.add(stream);
      return rule.failure(CLOSED) ? open(error) : undefined;
    },
    unheard() {
      probing = false;
    },
  };
};
