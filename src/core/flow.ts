import { count, fn, optional, port, positiveMs, resolveOptions } from './options.ts';
import { RetryPolicy, retryPolicy } from './retry-policy.ts';

/**
 * Judges by successes and failures when a breaker opens; `state` is 0 while it is closed, 2 for a probe. Every `IBreaker` of cockatiel is
 * one.
 */
export interface TripRule {
  success(state: number): void;
  /** True: open it. */
  failure(state: number): boolean;
}

export interface RateLimit {
  readonly count: number;
  readonly perMs: number;
}

export interface BreakerOptions {
  /**
   * How many streams in a row have to fail, or makes the rule that decides (a new one for each process). A stream counts once until
   * another one succeeds, so that a single bad order opens nothing. @default 5
   */
  readonly trip?: number | (() => TripRule);
  /** The wait before a probe, by how often probes have failed. @default 1 s, then twice as long each time, at most a minute */
  readonly pause?: RetryPolicy;
}

/** Bounds on how fast the handlers of one subscription, or of one step, run. */
export interface FlowOptions {
  /** Handlers at once in one process, 1 to 10,000. @default the worker's `concurrency` */
  readonly concurrency?: number | undefined;
  /**
   * At most `count` starts in any `perMs`, retries included, all workers together: each takes the whole starts that its share of the shards
   * comes to. Where that is less than one, it takes one in a longer time, so that with more workers than `count` one of each may fall
   * together; so may those of a worker before and after shards changed hands. @default none
   */
  readonly rateLimit?: RateLimit | undefined;
  /**
   * Stops starting handlers while they keep failing, and lets one delivery at a time probe. A probe that fails costs its delivery no attempt
   * and is kept as a lost start: while nothing succeeds nobody dies, and nobody can tell a bad delivery from a bad day. Permanent errors and
   * refusals are no failures of this kind. @default none
   */
  readonly breaker?: BreakerOptions | undefined;
}

/** Flow options, checked. */
export interface Flow {
  readonly concurrency: number | undefined;
  readonly rateLimit: RateLimit | undefined;
  readonly breaker: { readonly trip: number | (() => TripRule); readonly pause: RetryPolicy } | undefined;
}

/** As fast as the worker can. */
export const NO_LIMITS: Flow = { concurrency: undefined, rateLimit: undefined, breaker: undefined };

/** The checkers of these options beside a caller's own; what is inside them is for `resolveFlow`. */
export const flowChecks = {
  concurrency: optional(count({ min: 1, max: 10_000 })),
  rateLimit: optional(port<RateLimit>('{ count, perMs }', [])),
  breaker: optional(port<BreakerOptions>('{ trip, pause }', [])),
} as const;

const trip = {
  expected: 'a whole number of at least 1, or a function that makes a rule',
  accepts: (value: unknown): value is number | (() => TripRule) => count({ min: 1 }).accepts(value) || fn().accepts(value),
  default: 5,
};

const pause = /* @__PURE__ */ retryPolicy(RetryPolicy.exponential({ baseMs: 1000, capMs: 60_000, jitter: 'equal' }));

/** @throws OrderfoldError `CONFIG` */
export const resolveFlow = (
  where: string,
  { concurrency, rateLimit, breaker }: { readonly [Key in keyof FlowOptions]-?: FlowOptions[Key] | undefined },
): Flow => ({
  concurrency,
  rateLimit:
    rateLimit === undefined
      ? undefined
      : resolveOptions(`${where}.rateLimit`, rateLimit, { count: count({ min: 1, max: 1_000_000 }), perMs: positiveMs() }),
  breaker: breaker === undefined ? undefined : resolveOptions(`${where}.breaker`, breaker, { trip, pause }),
});
