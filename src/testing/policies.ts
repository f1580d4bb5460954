import type { Arbitrary } from 'fast-check';
import { RetryPolicy } from '../core/retry-policy.ts';
import type { FastCheck } from './arbitraries.ts';

type Step = (policy: RetryPolicy) => RetryPolicy;

const backoffs = (fc: FastCheck): Arbitrary<RetryPolicy> => {
  const ms = fc.oneof(fc.constantFrom(0, 1, 200, 60_000), fc.integer({ min: 0, max: 100_000 }));
  const jitter = fc.constantFrom('full' as const, 'equal' as const, 'none' as const);
  const factor = fc.oneof(fc.constantFrom(1, 2), fc.double({ min: 1, max: 10, noNaN: true }));
  return fc.oneof(
    fc.record({ delayMs: ms, jitter }).map((options) => RetryPolicy.fixed(options)),
    fc.record({ baseMs: ms, stepMs: ms, capMs: ms, jitter }).map((options) => RetryPolicy.linear(options)),
    fc.record({ baseMs: ms, factor, capMs: ms, jitter }).map((options) => RetryPolicy.exponential(options)),
    fc.record({ baseMs: ms, capMs: ms }).map((options) => RetryPolicy.decorrelated(options)),
    fc.constantFrom(RetryPolicy.default, RetryPolicy.immediately(), RetryPolicy.never()),
  );
};

const limits = (fc: FastCheck): Arbitrary<Step> => {
  const ms = fc.integer({ min: 0, max: 3_600_000 });
  const codes = fc.uniqueArray(fc.constantFrom('TIMEOUT', 'ECONNRESET', 'HANDLER'), { minLength: 1, maxLength: 2 });
  return fc.oneof(
    fc.integer({ min: 1, max: 12 }).map(
      (attempts): Step =>
        (policy) =>
          policy.maxAttempts(attempts),
    ),
    ms.map(
      (elapsedMs): Step =>
        (policy) =>
          policy.maxElapsedMs(elapsedMs),
    ),
    ms.map(
      (maxMs): Step =>
        (policy) =>
          policy.honourRetryAfter({ maxMs }),
    ),
    codes.map(
      (of): Step =>
        (policy) =>
          policy.retryIf(of),
    ),
    fc.integer({ min: 1, max: 4 }).map(
      (times): Step =>
        (policy) =>
          policy.scale(times),
    ),
  );
};

/** Policies of every constructor, under up to four combinators; never more than 50 attempts, so that what is tried under one ends. */
export const policiesOf = (fc: FastCheck): Arbitrary<RetryPolicy> => {
  const backoff = backoffs(fc);
  const codes = fc.constantFrom(['TIMEOUT'], ['ECONNRESET', 'HANDLER']);
  const step = fc.oneof(
    { weight: 3, arbitrary: limits(fc) },
    {
      weight: 1,
      arbitrary: backoff.map(
        (other): Step =>
          (policy) =>
            policy.both(other),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(codes, backoff).map(
        ([of, other]): Step =>
          (policy) =>
            policy.orElse(of, other),
      ),
    },
  );
  return fc
    .tuple(backoff, fc.array(step, { maxLength: 4 }))
    .map(([policy, steps]) => steps.reduce((built, add) => add(built), policy).maxAttempts(50));
};
