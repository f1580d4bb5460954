import { type Checker, count, ms, number, oneOf, port, resolveOptions } from './options.ts';
import { attemptsOf } from './retry/attempts.ts';
import { type ErrorClassArgs, errorClass } from './retry/error-class.ts';
import { explain } from './retry/explain.ts';
import type { Jitter, Limit, Rule } from './retry/rule.ts';
import { type SimulatedAttempt, simulate } from './retry/simulate.ts';

export { type Delay, type Failure, type GiveUp, nextDelay } from './retry/next-delay.ts';
export type { Jitter, SimulatedAttempt };

/**
 * When to try again, and when to stop. Frozen plain data (`JSON.stringify` shows all of it) with methods, each of which
 * returns a new policy; nothing a method adds is dropped by another, in whatever order they are called.
 * A permanent error is never retried. Waits are whole milliseconds.
 */
export interface RetryPolicy {
  readonly rules: readonly Rule[];
  /** The most attempts any error gets, the first included; `undefined` without a limit. */
  readonly attempts: number | undefined;
  /** At most `attempts` attempts, the first included: 1 means no retry. The strictest of several counts. */
  maxAttempts(attempts: number): RetryPolicy;
  /** Gives up when the next attempt would begin later than `elapsedMs` after the first began. */
  maxElapsedMs(elapsedMs: number): RetryPolicy;
  /** Retries only errors with one of these codes, their own or a cause's. */
  retryIf(codes: readonly string[]): RetryPolicy;
  /** Retries only errors the predicate is true for. The policy is compared and stored by `name`; a predicate that throws is no yes. */
  retryIf(name: string, predicate: (error: unknown) => boolean): RetryPolicy;
  /**
   * A wait never undercuts what the other side asked for (`retryAfterMs`, or `retryAfter` in seconds, on the error or a
   * cause), jitter or not. One longer than `maxMs` gives up.
   * @param options.maxMs @default 86_400_000 (a day)
   */
  honourRetryAfter(options?: { readonly maxMs?: number }): RetryPolicy;
  /** The stricter of two: when either stops, this one's word first, it stops; else the longer wait. `immediately()` changes nothing. */
  both(other: RetryPolicy): RetryPolicy;
  /**
   * Another policy for errors with one of these codes, their own or a cause's. Limits the other leaves open (attempts, elapsed
   * time, Retry-After) stay as they are here; limits added afterwards hold for both. The last `orElse` an error belongs to counts.
   */
  orElse(codes: readonly string[], policy: RetryPolicy): RetryPolicy;
  /** Another policy for errors the predicate is true for. */
  orElse(name: string, predicate: (error: unknown) => boolean, policy: RetryPolicy): RetryPolicy;
  /** The same waits with `times` as many attempts and `times` the elapsed time; `times` is a whole number from 1. */
  scale(times: number): RetryPolicy;
  /** What it will do, in words: `up to 3 attempts; waits 0–200 ms, 0–400 ms`. */
  explain(): string;
  /** The schedule it keeps when attempt 1 fails with `errors[0]`, and so on. The same seed gives the same schedule. */
  simulate(errors: readonly unknown[], seed?: number): readonly SimulatedAttempt[];
}

/** The checker of an option that is a retry policy. */
export const retryPolicy = (fallback?: RetryPolicy): Checker<RetryPolicy> => port<RetryPolicy>('a RetryPolicy', ['explain'], fallback);

const limits: ReadonlySet<string> = new Set<Limit['kind']>(['maxAttempts', 'maxElapsedMs', 'honourRetryAfter']);

/** What a policy says of an error that no `orElse` names. */
const general = (rules: readonly Rule[]): readonly Rule[] =>
  rules.flatMap((rule) => (rule.kind === 'orElse' ? general(rule.otherwise) : [rule]));

const scaled = (rules: readonly Rule[], times: number): readonly Rule[] =>
  rules.map((rule) => {
    if (rule.kind === 'maxAttempts') return { ...rule, attempts: Math.min(rule.attempts * times, Number.MAX_SAFE_INTEGER) };
    if (rule.kind === 'maxElapsedMs') return { ...rule, elapsedMs: rule.elapsedMs * times };
    if (rule.kind === 'orElse') return { ...rule, use: scaled(rule.use, times), otherwise: scaled(rule.otherwise, times) };
    return rule;
  });

const methods: Omit<RetryPolicy, 'rules'> & ThisType<RetryPolicy> = {
  get attempts() {
    const attempts = attemptsOf((this as RetryPolicy).rules);
    return attempts === Number.POSITIVE_INFINITY ? undefined : attempts;
  },
  maxAttempts(attempts) {
    const resolved = resolveOptions('RetryPolicy.maxAttempts', { attempts }, { attempts: count({ min: 1 }) });
    return policyOf([...this.rules, { kind: 'maxAttempts', ...resolved }]);
  },
  maxElapsedMs(elapsedMs) {
    const resolved = resolveOptions('RetryPolicy.maxElapsedMs', { elapsedMs }, { elapsedMs: ms() });
    return policyOf([...this.rules, { kind: 'maxElapsedMs', ...resolved }]);
  },
  retryIf(...errors: [...ErrorClassArgs]) {
    return policyOf([...this.rules, { kind: 'retryIf', errors: errorClass('RetryPolicy.retryIf', errors) }]);
  },
  honourRetryAfter(options) {
    const resolved = resolveOptions('RetryPolicy.honourRetryAfter', options, { maxMs: ms({ default: 86_400_000 }) });
    return policyOf([...this.rules, { kind: 'honourRetryAfter', ...resolved }]);
  },
  both(other) {
    resolveOptions('RetryPolicy.both', { other }, { other: retryPolicy() });
    return policyOf([...this.rules, ...other.rules]);
  },
  orElse(...args: [...errors: ErrorClassArgs, policy: RetryPolicy]) {
    const { policy } = resolveOptions('RetryPolicy.orElse', { policy: args.at(-1) }, { policy: retryPolicy() });
    const errors = errorClass('RetryPolicy.orElse', args.slice(0, -1) as unknown as ErrorClassArgs);
    const stated = new Set(general(policy.rules).map((rule) => rule.kind));
    const inherited = general(this.rules).filter((rule) => limits.has(rule.kind) && !stated.has(rule.kind));
    return policyOf([{ kind: 'orElse', errors, use: [...inherited, ...policy.rules], otherwise: this.rules }]);
  },
  scale(times) {
    resolveOptions('RetryPolicy.scale', { times }, { times: count({ min: 1 }) });
    return policyOf(scaled(this.rules, times));
  },
  explain() {
    return explain(this.rules);
  },
  simulate(errors, seed = 1) {
    return simulate(this, errors, seed);
  },
};

const frozen = (rules: readonly Rule[]): readonly Rule[] =>
  Object.freeze(
    rules.map((rule) =>
      Object.freeze(rule.kind === 'orElse' ? { ...rule, use: frozen(rule.use), otherwise: frozen(rule.otherwise) } : rule),
    ),
  );

const policyOf = (rules: readonly Rule[]): RetryPolicy => Object.freeze(Object.assign(Object.create(methods), { rules: frozen(rules) }));

const jitters: readonly Jitter[] = ['full', 'equal', 'none'];
const capMs = ms({ default: 60_000 });
const jitter = oneOf(jitters, 'full');

/** Retries at once and without end: the policy that asks for nothing, so every other one can be built on it. */
const immediately = (): RetryPolicy => policyOf([]);

/** Never retries: the first failure is the last. */
const never = (): RetryPolicy => policyOf([{ kind: 'never' }]);

/** The same wait every time. @param options.jitter @default 'none' */
const fixed = (options: { readonly delayMs: number; readonly jitter?: Jitter }): RetryPolicy =>
  policyOf([{ kind: 'fixed', ...resolveOptions('RetryPolicy.fixed', options, { delayMs: ms(), jitter: oneOf(jitters, 'none') }) }]);

/**
 * `baseMs`, then `stepMs` more each time, never over `capMs`.
 * @param options.stepMs @default baseMs
 * @param options.capMs @default 60_000
 * @param options.jitter drawn last, over the capped wait. @default 'full'
 */
const linear = (options: {
  readonly baseMs: number;
  readonly stepMs?: number;
  readonly capMs?: number;
  readonly jitter?: Jitter;
}): RetryPolicy => {
  const stepMs = ms({ default: options?.baseMs });
  return policyOf([{ kind: 'linear', ...resolveOptions('RetryPolicy.linear', options, { baseMs: ms(), stepMs, capMs, jitter }) }]);
};

/**
 * `baseMs`, then `factor` times as long each time, never over `capMs`: from 200 ms the sixth wait is at most 6.4 s.
 * @param options.capMs @default 60_000
 * @param options.factor 1 or more. @default 2
 * @param options.jitter drawn last, over the capped wait, so that those at the cap do not wake together. @default 'full'
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
const exponential = (options: {
  readonly baseMs: number;
  readonly capMs?: number;
  readonly factor?: number;
  readonly jitter?: Jitter;
}): RetryPolicy => {
  const spec = { baseMs: ms(), factor: number({ min: 1, default: 2 }), capMs, jitter };
  return policyOf([{ kind: 'exponential', ...resolveOptions('RetryPolicy.exponential', options, spec) }]);
};

/**
 * A random wait from `baseMs` to three times the wait before, never over `capMs`.
 * @param options.capMs @default 60_000
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
const decorrelated = (options: { readonly baseMs: number; readonly capMs?: number }): RetryPolicy =>
  policyOf([{ kind: 'decorrelated', ...resolveOptions('RetryPolicy.decorrelated', options, { baseMs: ms(), capMs }) }]);

/**
 * Makes retry policies. `RetryPolicy.default` tries 6 times with waits of up to 0.2, 0.4, 0.8, 1.6 and 3.2 s, and longer
 * where the other side asks for it.
 * @throws OrderfoldError `CONFIG` at construction, for an unknown option or a number out of range.
 * @example
 * const policy = RetryPolicy.exponential({ baseMs: 200, capMs: 60_000, jitter: 'full' })
 *   .maxAttempts(6)
 *   .orElse(['RATE_LIMITED'], RetryPolicy.fixed({ delayMs: 30_000 }));
 * console.log(policy.explain());
 */
export const RetryPolicy = /* @__PURE__ */ Object.freeze({
  immediately,
  fixed,
  linear,
  exponential,
  decorrelated,
  never,
  default: exponential({ baseMs: 200, capMs: 60_000, jitter: 'full' }).maxAttempts(6).honourRetryAfter(),
});
