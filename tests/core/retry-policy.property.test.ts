import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { type Failure, type Jitter, nextDelay, RetryPolicy } from '../../src/core/retry-policy.ts';
import { seeded } from '../../src/core/seeded.ts';

/** Policies and failures as data, so that a counterexample can be read. */
type BackoffData =
  | { readonly kind: 'immediately' | 'never' }
  | { readonly kind: 'fixed'; readonly delayMs: number; readonly jitter: Jitter }
  | { readonly kind: 'linear'; readonly baseMs: number; readonly stepMs: number; readonly capMs: number; readonly jitter: Jitter }
  | { readonly kind: 'exponential'; readonly baseMs: number; readonly factor: number; readonly capMs: number; readonly jitter: Jitter }
  | { readonly kind: 'decorrelated'; readonly baseMs: number; readonly capMs: number };
type LimitData =
  | { readonly kind: 'maxAttempts' | 'maxElapsedMs' | 'honourRetryAfter'; readonly value: number }
  | { readonly kind: 'retryIf'; readonly codes: readonly string[] };
interface SimpleData {
  readonly backoff: BackoffData;
  readonly limits: readonly LimitData[];
}
type StepData =
  | LimitData
  | { readonly kind: 'both'; readonly other: SimpleData }
  | { readonly kind: 'orElse'; readonly codes: readonly string[]; readonly other: SimpleData };
interface PolicyData {
  readonly backoff: BackoffData;
  readonly steps: readonly StepData[];
}
interface ErrorData {
  readonly code: string;
  readonly retryAfterMs: number | null;
}

const ms = fc.oneof(
  fc.constantFrom(0, 0.5, 1, 200, 60_000),
  fc.integer({ min: 0, max: 100_000 }),
  fc.double({ min: 0, max: 3_155_760_000_000, noNaN: true }),
);
const jitter = fc.constantFrom<Jitter>('full', 'equal', 'none');
const factor = fc.oneof(fc.constantFrom(1, 2, 1e300), fc.double({ min: 1, max: 10, noNaN: true }));
const codes = fc.uniqueArray(fc.constantFrom('A', 'B', 'C'), { maxLength: 2 });

const waiting: fc.Arbitrary<BackoffData> = fc.oneof(
  fc.record({ kind: fc.constant('fixed'), delayMs: ms, jitter }),
  fc.record({ kind: fc.constant('linear'), baseMs: ms, stepMs: ms, capMs: ms, jitter }),
  fc.record({ kind: fc.constant('exponential'), baseMs: ms, factor, capMs: ms, jitter }),
  fc.record({ kind: fc.constant('decorrelated'), baseMs: ms, capMs: ms }),
);
const backoff: fc.Arbitrary<BackoffData> = fc.oneof(
  { weight: 6, arbitrary: waiting },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('immediately', 'never') }) },
);
const limit: fc.Arbitrary<LimitData> = fc.oneof(
  fc.record({ kind: fc.constant('maxAttempts'), value: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constantFrom('maxElapsedMs', 'honourRetryAfter'), value: ms }),
  fc.record({ kind: fc.constant('retryIf'), codes }),
);
const simple: fc.Arbitrary<SimpleData> = fc.record({ backoff, limits: fc.array(limit, { maxLength: 3 }) });
const policy: fc.Arbitrary<PolicyData> = fc.record({
  backoff,
  steps: fc.array(
    fc.oneof(
      limit,
      fc.record({ kind: fc.constant('both'), other: simple }),
      fc.record({ kind: fc.constant('orElse'), codes, other: simple }),
    ),
    { maxLength: 4 },
  ),
});
const error: fc.Arbitrary<ErrorData> = fc.record({
  code: fc.constantFrom('A', 'B', 'C', 'D'),
  retryAfterMs: fc.option(fc.oneof(ms, fc.constant(1e300))),
});
const failure = fc.record({
  attempt: fc.oneof(fc.integer({ min: 1, max: 15 }), fc.constantFrom(5000, 1e9)),
  elapsedMs: ms,
  previousDelayMs: ms,
  error,
});
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const builtBackoff = (data: BackoffData): RetryPolicy => {
  switch (data.kind) {
    case 'immediately':
      return RetryPolicy.immediately();
    case 'never':
      return RetryPolicy.never();
    case 'fixed':
      return RetryPolicy.fixed({ delayMs: data.delayMs, jitter: data.jitter });
    case 'linear':
      return RetryPolicy.linear({ baseMs: data.baseMs, stepMs: data.stepMs, capMs: data.capMs, jitter: data.jitter });
    case 'exponential':
      return RetryPolicy.exponential({ baseMs: data.baseMs, factor: data.factor, capMs: data.capMs, jitter: data.jitter });
    case 'decorrelated':
      return RetryPolicy.decorrelated({ baseMs: data.baseMs, capMs: data.capMs });
  }
};
const withStep = (base: RetryPolicy, step: StepData): RetryPolicy => {
  switch (step.kind) {
    case 'maxAttempts':
      return base.maxAttempts(step.value);
    case 'maxElapsedMs':
      return base.maxElapsedMs(step.value);
    case 'honourRetryAfter':
      return base.honourRetryAfter({ maxMs: step.value });
    case 'retryIf':
      return base.retryIf(step.codes);
    case 'both':
      return base.both(builtSimple(step.other));
    case 'orElse':
      return base.orElse(step.codes, builtSimple(step.other));
  }
};
const builtSimple = ({ backoff, limits }: SimpleData): RetryPolicy => limits.reduce(withStep, builtBackoff(backoff));
const built = ({ backoff, steps }: PolicyData): RetryPolicy => steps.reduce(withStep, builtBackoff(backoff));
const thrown = ({ code, retryAfterMs }: ErrorData): unknown =>
  Object.assign(new Error(code), { code }, retryAfterMs === null ? {} : { retryAfterMs });
const failed = <F extends { readonly error: ErrorData }>(data: F) => ({ ...data, error: thrown(data.error) });

const waitOf = (of: RetryPolicy, given: Failure, drawn: number): number | null => {
  const next = nextDelay(of, given, drawn);
  return E.isLeft(next) ? null : next.right.delayMs;
};

describe('every retry policy', () => {
  it('R7 waits a finite whole number of milliseconds, never negative, or gives up in words', () => {
    fc.assert(
      fc.property(policy, failure, random, (data, given, drawn) => {
        const next = nextDelay(built(data), failed(given), drawn);
        const { rule } = E.isLeft(next) ? next.left : next.right;
        expect(rule).not.toBe('');
        expect(rule).not.toMatch(/NaN|Infinity|undefined/);
        if (E.isLeft(next)) return;
        expect(Number.isSafeInteger(next.right.delayMs) && next.right.delayMs >= 0 && !Object.is(next.right.delayMs, -0)).toBe(true);
      }),
      { numRuns: Number(process.env.ORDERFOLD_RUNS ?? 1000) },
    );
  });

  it('R7 never waits less than before, up to the cap, without jitter and Retry-After', () => {
    const plain = waiting.filter((data) => data.kind !== 'decorrelated').map((data) => ({ ...data, jitter: 'none' as const }));
    fc.assert(
      fc.property(plain, fc.integer({ min: 1, max: 1200 }), fc.integer({ min: 0, max: 5000 }), (data, attempt, later) => {
        const wait = (n: number) =>
          waitOf(
            builtBackoff(data),
            failed({ attempt: n, elapsedMs: 0, previousDelayMs: 0, error: { code: 'A', retryAfterMs: null } }),
            0,
          ) ?? -1;
        expect(wait(attempt + later)).toBeGreaterThanOrEqual(wait(attempt));
        expect(wait(attempt + later)).toBeLessThanOrEqual('capMs' in data ? data.capMs : data.kind === 'fixed' ? data.delayMs : 0);
      }),
    );
  });

  it('R7 is monotone for each class of errors on its own, however the classes are mixed', () => {
    fc.assert(
      fc.property(policy, fc.array(fc.constantFrom('A', 'B', 'D'), { maxLength: 20 }), (data, mixed) => {
        const steady = (part: BackoffData): BackoffData =>
          part.kind === 'decorrelated' ? { kind: 'immediately' } : 'jitter' in part ? { ...part, jitter: 'none' } : part;
        const steps = data.steps.map((step) =>
          'other' in step ? { ...step, other: { ...step.other, backoff: steady(step.other.backoff) } } : step,
        );
        const without = built({ backoff: steady(data.backoff), steps: steps.filter((step) => step.kind !== 'retryIf') });
        const last = new Map<string, number>();
        for (const { attempt, delayMs } of without.simulate(mixed.map((code) => thrown({ code, retryAfterMs: null })))) {
          const code = mixed[attempt - 1] ?? '';
          if (delayMs === null) continue;
          expect(delayMs).toBeGreaterThanOrEqual(last.get(code) ?? 0);
          last.set(code, delayMs);
        }
      }),
    );
  });

  it('R8 keeps jitter in its range: full from 0, equal from half, decorrelated from its base', () => {
    fc.assert(
      fc.property(waiting, failure, random, (data, given, drawn) => {
        const wait = waitOf(builtBackoff(data), failed(given), drawn) ?? -1;
        if (data.kind === 'decorrelated') {
          const mostMs = Math.min(data.capMs, 3 * Math.max(data.baseMs, given.previousDelayMs));
          expect(wait).toBeGreaterThanOrEqual(Math.floor(Math.min(data.baseMs, data.capMs)));
          expect(wait).toBeLessThanOrEqual(mostMs);
          return;
        }
        if (!('jitter' in data)) return;
        const whole = waitOf(builtBackoff({ ...data, jitter: 'none' }), failed(given), drawn) ?? -1;
        expect(wait).toBeGreaterThanOrEqual({ none: whole, equal: whole / 2, full: 0 }[data.jitter]);
        expect(wait).toBeLessThanOrEqual(whole);
      }),
    );
  });

  it('R8 uses the whole range of its jitter', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom<Jitter>('full', 'equal'), (delayMs, kind) => {
        const at = (drawn: number) =>
          waitOf(
            RetryPolicy.fixed({ delayMs, jitter: kind }),
            failed({ attempt: 1, elapsedMs: 0, previousDelayMs: 0, error: { code: 'A', retryAfterMs: null } }),
            drawn,
          );
        expect([at(0), at(1 - 2 ** -53)]).toEqual([kind === 'full' ? 0 : Math.ceil(delayMs / 2), delayMs]);
      }),
    );
  });

  it('R8 keeps the same schedule for the same seed', () => {
    fc.assert(
      fc.property(policy, fc.array(error, { maxLength: 10 }), fc.integer(), (data, errors, seed) => {
        const schedule = () => built(data).simulate(errors.map(thrown), seed);
        expect(schedule()).toEqual(schedule());
      }),
    );
  });

  it('R3 makes at most `attempts` attempts', () => {
    fc.assert(
      fc.property(policy, fc.array(error, { minLength: 30, maxLength: 30 }), fc.integer(), (data, errors, seed) => {
        const schedule = built(data).simulate(errors.map(thrown), seed);
        const limit = built(data).attempts ?? errors.length;
        expect(schedule.length).toBeLessThanOrEqual(limit);
        if (limit < errors.length) expect(schedule.at(-1)?.delayMs).toBeNull();
      }),
    );
  });

  it('R3 uses all its attempts when nothing else stops it', () => {
    fc.assert(
      fc.property(waiting, fc.integer({ min: 1, max: 40 }), fc.integer(), (data, attempts, seed) => {
        const errors = Array.from({ length: 50 }, () => new Error('boom'));
        expect(
          builtBackoff(data)
            .maxAttempts(attempts)
            .simulate(errors, seed)
            .map((step) => step.delayMs === null),
        ).toEqual(Array.from({ length: attempts }, (_, i) => i === attempts - 1));
      }),
    );
  });

  it('R6 never undercuts a Retry-After it honours, wherever that was said', () => {
    fc.assert(
      fc.property(policy, fc.nat(), failure, random, (data, where, given, drawn) => {
        const limits = data.steps.filter((step) => step.kind !== 'orElse');
        const at = where % (limits.length + 1);
        const steps: StepData[] = [...limits.slice(0, at), { kind: 'honourRetryAfter', value: 3_155_760_000_000 }, ...limits.slice(at)];
        const wait = waitOf(built({ ...data, steps }), failed(given), drawn);
        if (wait !== null) expect(wait).toBeGreaterThanOrEqual(given.error.retryAfterMs ?? 0);
      }),
    );
  });

  it('decides the same in whatever order its limits were said', () => {
    const shuffled = fc
      .array(limit, { maxLength: 5 })
      .chain((limits) => fc.tuple(fc.constant(limits), fc.shuffledSubarray(limits, { minLength: limits.length })));
    fc.assert(
      fc.property(backoff, shuffled, failure, random, (data, [limits, others], given, drawn) => {
        const one = waitOf(builtSimple({ backoff: data, limits }), failed(given), drawn);
        expect(waitOf(builtSimple({ backoff: data, limits: others }), failed(given), drawn)).toEqual(one);
      }),
      { numRuns: Number(process.env.ORDERFOLD_RUNS ?? 500) },
    );
  });

  it('is no more lenient for having one more limit', () => {
    fc.assert(
      fc.property(policy, limit, failure, random, (data, step, given, drawn) => {
        const before = waitOf(built(data), failed(given), drawn);
        const after = waitOf(withStep(built(data), step), failed(given), drawn);
        if (before === null) expect(after).toBeNull();
        if (before !== null && after !== null) expect(after).toBeGreaterThanOrEqual(before);
      }),
      { numRuns: Number(process.env.ORDERFOLD_RUNS ?? 500) },
    );
  });

  it('is plain data: what JSON keeps of it decides the same', () => {
    fc.assert(
      fc.property(policy, failure, random, (data, given, drawn) => {
        const copy = JSON.parse(JSON.stringify(built(data)));
        expect(nextDelay(copy, failed(given), drawn)).toEqual(nextDelay(built(data), failed(given), drawn));
        expect(built(data)).toStrictEqual(built(data));
      }),
    );
  });

  it('can be explained without a NaN or an Infinity in it', () => {
    fc.assert(
      fc.property(policy, (data) => {
        expect(built(data).explain()).not.toMatch(/NaN|Infinity|undefined|^$/);
      }),
    );
  });
});

describe('both is a Monoid', () => {
  it('with immediately() as its identity', () => {
    fc.assert(
      fc.property(policy, failure, random, (data, given, drawn) => {
        const alone = nextDelay(built(data), failed(given), drawn);
        expect(nextDelay(RetryPolicy.immediately().both(built(data)), failed(given), drawn)).toEqual(alone);
        expect(nextDelay(built(data).both(RetryPolicy.immediately()), failed(given), drawn)).toEqual(alone);
      }),
    );
  });

  it('that is associative, to the word', () => {
    fc.assert(
      fc.property(policy, policy, policy, failure, random, (first, second, third, given, drawn) => {
        const [a, b, c] = [built(first), built(second), built(third)];
        expect(nextDelay(a.both(b).both(c), failed(given), drawn)).toEqual(nextDelay(a.both(b.both(c)), failed(given), drawn));
      }),
    );
  });

  it('where a stop wins, else the longer wait', () => {
    fc.assert(
      fc.property(policy, policy, failure, random, (first, second, given, drawn) => {
        const [a, b] = [waitOf(built(first), failed(given), drawn), waitOf(built(second), failed(given), drawn)];
        const next = nextDelay(built(first).both(built(second)), failed(given), drawn);
        if (E.isRight(next)) expect(next.right.delayMs).toBe(Math.max(a ?? -1, b ?? -1));
        if (a === null || b === null) expect(E.isLeft(next)).toBe(true);
        else if (E.isLeft(next)) expect(next.left.rule).toContain('after the first began'); // one's wait against the other's time
      }),
      { numRuns: Number(process.env.ORDERFOLD_RUNS ?? 500) },
    );
  });
});

describe('seeded randomness', () => {
  const first = (seed: number, count: number) => {
    const next = seeded(seed);
    return Array.from({ length: count }, next);
  };

  it('R30 repeats for the same seed, differs for the next one, and stays in [0, 1)', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (seed) => {
        const drawn = first(seed, 20);
        expect(first(seed, 20)).toEqual(drawn);
        expect(first(seed + (seed > 0 ? -1 : 1), 20)).not.toEqual(drawn);
        expect(drawn.every((number) => number >= 0 && number < 1)).toBe(true);
      }),
    );
  });

  it('spreads evenly from the first number on', () => {
    for (const drawn of [first(1, 10_000), Array.from({ length: 10_000 }, (_, seed) => first(seed, 1)[0] ?? 0)]) {
      const tenths = Array.from({ length: 10 }, (_, tenth) => drawn.filter((number) => Math.floor(number * 10) === tenth).length);
      expect(Math.min(...tenths)).toBeGreaterThan(850);
      expect(Math.max(...tenths)).toBeLessThan(1150);
    }
  });
});
