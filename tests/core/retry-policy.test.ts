import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { isOrderfoldError } from '../../src/core/errors.ts';
import { permanent } from '../../src/core/permanent.ts';
import { rangeInWords } from '../../src/core/retry/in-words.ts';
import { type Failure, nextDelay, RetryPolicy } from '../../src/core/retry-policy.ts';

const coded = (code: string, properties: object = {}) => Object.assign(new Error(code), { code, ...properties });
const failure = (attempt: number, rest: Partial<Failure> = {}): Failure => ({
  attempt,
  elapsedMs: 0,
  previousDelayMs: 0,
  error: new Error('boom'),
  ...rest,
});
/** The wait in milliseconds, or the words of the rule that gave up. */
const decided = (policy: RetryPolicy, given: Failure, random = 0): number | string => {
  const next = nextDelay(policy, given, random);
  return E.isLeft(next) ? next.left.rule : next.right.delayMs;
};
const waits = (policy: RetryPolicy, attempts: readonly number[], random = 0) =>
  attempts.map((attempt) => decided(policy, failure(attempt), random));
const almostOne = 1 - 2 ** -53;

describe('RetryPolicy', () => {
  it('immediately waits for nothing and never ends; never never begins', () => {
    expect(waits(RetryPolicy.immediately(), [1, 1000])).toEqual([0, 0]);
    expect(waits(RetryPolicy.never(), [1])).toEqual(['never retried']);
  });

  it('fixed waits the same each time', () => {
    expect(waits(RetryPolicy.fixed({ delayMs: 250 }), [1, 2, 1000], 0.9)).toEqual([250, 250, 250]);
    expect(waits(RetryPolicy.fixed({ delayMs: 0 }), [1])).toEqual([0]);
  });

  it('linear grows by its step up to its cap', () => {
    expect(waits(RetryPolicy.linear({ baseMs: 100, capMs: 350, jitter: 'none' }), [1, 2, 3, 4, 5000])).toEqual([100, 200, 300, 350, 350]);
    expect(waits(RetryPolicy.linear({ baseMs: 100, stepMs: 10, jitter: 'none' }), [1, 2, 3])).toEqual([100, 110, 120]);
    expect(waits(RetryPolicy.linear({ baseMs: 100, stepMs: 0, jitter: 'none' }), [1, 9])).toEqual([100, 100]);
  });

  it('R7 exponential doubles up to its cap and bears attempt 5000', () => {
    const policy = RetryPolicy.exponential({ baseMs: 200, capMs: 60_000, jitter: 'none' });
    expect(waits(policy, [1, 2, 3, 6, 9, 10, 5000])).toEqual([200, 400, 800, 6400, 51_200, 60_000, 60_000]);
    const nothing = RetryPolicy.exponential({ baseMs: 0, factor: 1e300 });
    expect(nextDelay(nothing, failure(5000), 0)).toEqual(E.right({ delayMs: 0, rule: 'exponential backoff, 0 ms' }));
    expect(waits(RetryPolicy.exponential({ baseMs: 10, factor: 1.5, jitter: 'none' }), [1, 2, 3])).toEqual([10, 15, 22]);
    expect(waits(RetryPolicy.exponential({ baseMs: 500, capMs: 100, jitter: 'none' }), [1])).toEqual([100]);
  });

  it('R8 draws jitter last: full from 0, equal from half, over the capped wait', () => {
    const at = (jitter: 'full' | 'equal', random: number) =>
      waits(RetryPolicy.exponential({ baseMs: 200, capMs: 301, jitter }), [1, 5], random);
    expect([at('full', 0), at('full', 0.5), at('full', almostOne)]).toEqual([
      [0, 0],
      [100, 151],
      [200, 301],
    ]);
    expect([at('equal', 0), at('equal', almostOne)]).toEqual([
      [100, 151],
      [200, 301],
    ]);
  });

  it('R8 decorrelated draws between its base and three times the wait before', () => {
    const policy = RetryPolicy.decorrelated({ baseMs: 100, capMs: 1000 });
    const drawn = (previousDelayMs: number, random: number) => decided(policy, failure(2, { previousDelayMs }), random);
    expect([drawn(0, 0), drawn(0, almostOne)]).toEqual([100, 300]);
    expect([drawn(200, 0), drawn(200, almostOne)]).toEqual([100, 600]);
    expect([drawn(900, 0), drawn(900, almostOne)]).toEqual([100, 1000]);
    expect(decided(RetryPolicy.decorrelated({ baseMs: 500, capMs: 100 }), failure(1))).toBe(100);
  });

  it('R3 maxAttempts counts the first call: 1 means no retry, and the strictest counts', () => {
    expect(waits(RetryPolicy.immediately().maxAttempts(1), [1])).toEqual(['attempt 1 of at most 1']);
    expect(waits(RetryPolicy.immediately().maxAttempts(3), [1, 2, 3])).toEqual([0, 0, 'attempt 3 of at most 3']);
    expect(RetryPolicy.immediately().maxAttempts(3).maxAttempts(7).attempts).toBe(3);
    expect(RetryPolicy.immediately().maxAttempts(7).maxAttempts(3).attempts).toBe(3);
  });

  it('tells how many attempts there are at most', () => {
    const { immediately, never, fixed } = RetryPolicy;
    expect(RetryPolicy.default.attempts).toBe(6);
    expect(immediately().attempts).toBeUndefined();
    expect(never().attempts).toBe(1);
    expect(
      immediately()
        .maxAttempts(4)
        .both(fixed({ delayMs: 1 }).maxAttempts(9)).attempts,
    ).toBe(4);
    expect(immediately().maxAttempts(4).orElse(['A'], never()).attempts).toBe(4);
    expect(immediately().maxAttempts(4).orElse(['A'], immediately().maxAttempts(9)).attempts).toBe(9);
    expect(immediately().orElse(['A'], never()).attempts).toBeUndefined();
    expect(
      immediately()
        .maxAttempts(2)
        .both(immediately().orElse(['A'], never())).attempts,
    ).toBe(2);
  });

  it('maxElapsedMs gives up when the wait would end too late, whichever rule chose the wait', () => {
    const policy = RetryPolicy.fixed({ delayMs: 400 }).maxElapsedMs(1000);
    expect(decided(policy, failure(2, { elapsedMs: 600 }))).toBe(400);
    expect(decided(policy, failure(2, { elapsedMs: 601 }))).toBe('the next attempt would come 1.001 s after the first began, at most 1 s');
    const asked = { error: coded('BUSY', { retryAfterMs: 2000 }) };
    expect(decided(policy.honourRetryAfter(), failure(1, asked))).toContain('2 s after the first began');
    expect(
      decided(
        RetryPolicy.immediately()
          .maxElapsedMs(1000)
          .both(RetryPolicy.fixed({ delayMs: 2000 })),
        failure(1),
      ),
    ).toContain('at most 1 s');
    expect(decided(RetryPolicy.immediately().maxElapsedMs(0), failure(1))).toBe(0);
  });

  it('retryIf takes codes, of the error or of a cause, or a named predicate', () => {
    const byCode = RetryPolicy.immediately().retryIf(['BUSY', '503']);
    expect(decided(byCode, failure(1, { error: coded('BUSY') }))).toBe(0);
    expect(decided(byCode, failure(1, { error: Object.assign(new Error('x'), { code: 503 }) }))).toBe(0);
    expect(decided(byCode, failure(1, { error: new Error('outer', { cause: coded('BUSY') }) }))).toBe(0);
    expect(decided(byCode, failure(1))).toBe('retried only if code BUSY or 503');
    expect(decided(RetryPolicy.immediately().retryIf(['HANDLER']), failure(1))).toBe(0);
    expect(decided(RetryPolicy.immediately().retryIf([]), failure(1))).toBe('retried only if no code');
    const byName = RetryPolicy.immediately().retryIf('the gateway is away', (error) => error instanceof TypeError);
    expect(decided(byName, failure(1, { error: new TypeError('x') }))).toBe(0);
    expect(decided(byName, failure(1))).toBe('retried only if the gateway is away');
  });

  it('takes a predicate that throws for one that does not say yes', () => {
    const predicate = () => {
      throw new Error('in the predicate');
    };
    expect(decided(RetryPolicy.immediately().retryIf('odd', predicate), failure(1))).toBe('retried only if odd');
    expect(decided(RetryPolicy.immediately().orElse('odd', predicate, RetryPolicy.never()), failure(1))).toBe(0);
  });

  it('never undercuts a Retry-After, jitter or not, and gives up on one that is too long', () => {
    const policy = RetryPolicy.exponential({ baseMs: 100 }).honourRetryAfter({ maxMs: 60_000 });
    const asked = (retryAfterMs: number) => failure(1, { error: coded('BUSY', { retryAfterMs }) });
    expect(decided(policy, asked(5000), 0)).toBe(5000);
    expect(decided(policy, asked(0.5), 0)).toBe(1);
    expect(decided(policy, asked(50), almostOne)).toBe(100);
    expect(decided(policy, asked(60_000))).toBe(60_000);
    expect(decided(policy, asked(60_001))).toBe('Retry-After of 60.001 s is longer than 1 min');
    expect(decided(RetryPolicy.default, asked(86_400_001))).toContain('Retry-After');
    expect(decided(RetryPolicy.immediately().honourRetryAfter({ maxMs: 0 }), asked(1))).toContain('is longer than 0 ms');
    expect(decided(RetryPolicy.exponential({ baseMs: 100 }), asked(5000), 0)).toBe(0);
  });

  it('both is the stricter of two, and the first to stop has the word', () => {
    const { fixed, never, immediately } = RetryPolicy;
    expect(decided(fixed({ delayMs: 5 }).both(fixed({ delayMs: 9 })), failure(1))).toBe(9);
    expect(decided(never().both(immediately().maxAttempts(1)), failure(1))).toBe('never retried');
    expect(decided(immediately().maxAttempts(1).both(never()), failure(1))).toBe('attempt 1 of at most 1');
  });

  it('orElse judges some errors by another policy, which keeps the limits it does not state itself', () => {
    const policy = RetryPolicy.fixed({ delayMs: 10 })
      .maxAttempts(3)
      .maxElapsedMs(5000)
      .orElse(['BUSY'], RetryPolicy.fixed({ delayMs: 1000 }));
    const busy = coded('BUSY');
    expect(decided(policy, failure(1))).toBe(10);
    expect(decided(policy, failure(1, { error: busy }))).toBe(1000);
    expect(decided(policy, failure(3, { error: busy }))).toBe('attempt 3 of at most 3');
    expect(decided(policy, failure(1, { error: busy, elapsedMs: 4500 }))).toContain('at most 5 s');
    const patient = policy.orElse(['BUSY'], RetryPolicy.fixed({ delayMs: 1000 }).maxAttempts(9));
    expect(decided(patient, failure(3, { error: busy }))).toBe(1000);
    expect(decided(patient, failure(3))).toBe('attempt 3 of at most 3');
    expect(decided(patient.orElse(['OTHER'], RetryPolicy.immediately()), failure(3, { error: coded('OTHER') }))).toBe(
      'attempt 3 of at most 3',
    );
    expect(decided(patient.maxAttempts(2), failure(2, { error: busy }))).toBe('attempt 2 of at most 2');
  });

  it('orElse keeps the bound on a Retry-After as well, unless it states one', () => {
    const asked = { error: coded('BUSY', { retryAfterMs: 5_000 }) };
    const brief = RetryPolicy.immediately().honourRetryAfter({ maxMs: 1_000 });
    expect(decided(brief.orElse(['BUSY'], RetryPolicy.immediately()), failure(1, asked))).toContain('is longer than 1 s');
    expect(decided(brief.orElse(['BUSY'], RetryPolicy.immediately().honourRetryAfter()), failure(1, asked))).toBe(5_000);
  });

  it('names the first of the rules that ask for the same wait', () => {
    const same = RetryPolicy.fixed({ delayMs: 5 }).both(RetryPolicy.exponential({ baseMs: 5, jitter: 'none' }));
    expect(nextDelay(same, failure(1), 0)).toEqual(E.right({ delayMs: 5, rule: 'fixed backoff, 5 ms' }));
    expect(RetryPolicy.immediately().rules).toEqual([]);
  });

  it('orElse lets the last one named decide', () => {
    const policy = RetryPolicy.never()
      .orElse(['A'], RetryPolicy.fixed({ delayMs: 1 }))
      .orElse('code A or B', (error) => ['A', 'B'].includes((error as { code: string }).code), RetryPolicy.fixed({ delayMs: 2 }));
    expect(decided(policy, failure(1, { error: coded('A') }))).toBe(2);
    expect(decided(policy, failure(1, { error: coded('B') }))).toBe(2);
    expect(decided(policy, failure(1, { error: coded('C') }))).toBe('never retried');
  });

  it.each([RetryPolicy.immediately(), RetryPolicy.default, RetryPolicy.never(), RetryPolicy.immediately().retryIf(['A'])])(
    'R3 gives up on a permanent error whatever the policy, case %#',
    (policy) => {
      expect(decided(policy, failure(1, { error: new Error('outer', { cause: permanent('no such article') }) }))).toBe(
        'the error is permanent',
      );
    },
  );

  it('scale gives more attempts and more time and leaves the waits alone', () => {
    const policy = RetryPolicy.fixed({ delayMs: 10 })
      .maxAttempts(3)
      .maxElapsedMs(100)
      .orElse(['A'], RetryPolicy.fixed({ delayMs: 20 }).maxAttempts(5));
    const scaled = policy.scale(3);
    expect(scaled.attempts).toBe(15);
    expect(decided(scaled, failure(9))).toBe('attempt 9 of at most 9');
    expect(decided(scaled, failure(8, { elapsedMs: 290 }))).toBe(10);
    expect(decided(scaled, failure(15, { error: coded('A') }))).toBe('attempt 15 of at most 15');
    expect(RetryPolicy.immediately().scale(3)).toEqual(RetryPolicy.immediately());
    expect(policy.scale(1)).toEqual(policy);
  });

  it('is frozen plain data, equal by what it says, also after JSON', () => {
    const make = () => RetryPolicy.default.orElse(['A'], RetryPolicy.fixed({ delayMs: 5 })).retryIf('odd', () => true);
    expect(make()).toEqual(make());
    expect(make()).toStrictEqual(make());
    expect(make()).not.toEqual(make().maxAttempts(2));
    expect(JSON.stringify(RetryPolicy.fixed({ delayMs: 5 }).maxAttempts(2))).toBe(
      '{"rules":[{"kind":"fixed","delayMs":5,"jitter":"none"},{"kind":"maxAttempts","attempts":2}]}',
    );
    expect(JSON.parse(JSON.stringify(make())).rules).toContainEqual({ kind: 'retryIf', errors: { name: 'odd' } });
    const allFrozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(allFrozen));
    expect(allFrozen(make()) && allFrozen(make().scale(2)) && Object.isFrozen(RetryPolicy)).toBe(true);
  });

  it.each([
    [() => RetryPolicy.fixed({} as never), 'RetryPolicy.fixed: expected delayMs to be a number of milliseconds of at least 0'],
    [() => RetryPolicy.fixed(undefined as never), 'RetryPolicy.fixed: expected delayMs'],
    [() => RetryPolicy.linear(undefined as never), 'RetryPolicy.linear: expected baseMs'],
    [() => RetryPolicy.linear({ baseMs: Number.NaN }), 'RetryPolicy.linear: expected baseMs'],
    [
      () => RetryPolicy.exponential({ baseMs: 1, factor: 0.5 }),
      'RetryPolicy.exponential: expected factor to be a finite number of at least 1',
    ],
    [
      () => RetryPolicy.exponential({ baseMs: 1, cap: 5 } as never),
      'RetryPolicy.exponential: expected only the options baseMs, factor, capMs, jitter',
    ],
    [
      () => RetryPolicy.exponential({ baseMs: 1, jitter: 'some' as never }),
      'expected jitter to be one of "full", "equal", "none", got "some"',
    ],
    [() => RetryPolicy.decorrelated({ baseMs: -1 }), 'RetryPolicy.decorrelated: expected baseMs'],
    [
      () => RetryPolicy.immediately().maxAttempts(0),
      'RetryPolicy.maxAttempts: expected attempts to be a whole number of at least 1, got 0',
    ],
    [() => RetryPolicy.immediately().maxAttempts(1.5), 'RetryPolicy.maxAttempts: expected attempts'],
    [() => RetryPolicy.immediately().maxElapsedMs(Number.POSITIVE_INFINITY), 'RetryPolicy.maxElapsedMs: expected elapsedMs'],
    [() => RetryPolicy.immediately().honourRetryAfter({ maxMs: -1 }), 'RetryPolicy.honourRetryAfter: expected maxMs'],
    [() => RetryPolicy.immediately().retryIf([5 as never]), 'RetryPolicy.retryIf: expected codes'],
    [
      () => RetryPolicy.immediately().retryIf('x', undefined as never),
      'RetryPolicy.retryIf: expected predicate to be a function, got undefined',
    ],
    [() => RetryPolicy.immediately().both({} as never), 'RetryPolicy.both: expected other to be a RetryPolicy'],
    [() => RetryPolicy.immediately().orElse(['A'], undefined as never), 'RetryPolicy.orElse: expected policy to be a RetryPolicy'],
    [() => RetryPolicy.immediately().orElse([5 as never], RetryPolicy.never()), 'RetryPolicy.orElse: expected codes'],
    [() => RetryPolicy.immediately().retryIf(['x'.repeat(101)]), 'each item a text of 1 to 100 characters'],
    [() => RetryPolicy.immediately().retryIf('x'.repeat(101), () => true), 'expected name to be a text of 1 to 100 characters'],
    [() => RetryPolicy.immediately().scale(0), 'RetryPolicy.scale: expected times'],
  ])('refuses what it can not mean, case %#', (make, message) => {
    expect(make).toThrow(expect.toSatisfy((error) => isOrderfoldError(error, 'CONFIG') && error.message.includes(message)));
  });
});

describe('explain', () => {
  it.each([
    [
      RetryPolicy.default,
      'up to 6 attempts; waits 0–200 ms, 0–400 ms, 0–800 ms, 0–1.6 s, 0–3.2 s; no wait shorter than a Retry-After, gives up on one over 1 d',
    ],
    [RetryPolicy.immediately(), 'any number of attempts; retries at once'],
    [RetryPolicy.never(), 'one attempt, no retry'],
    [RetryPolicy.default.maxAttempts(1), 'one attempt, no retry'],
    [RetryPolicy.fixed({ delayMs: 90_000 }).maxAttempts(3), 'up to 3 attempts; waits 1.5 min each time'],
    [
      RetryPolicy.exponential({ baseMs: 700, capMs: 60_000, jitter: 'equal' }).maxElapsedMs(3_600_000),
      'any number of attempts; waits 350–700 ms, 700 ms–1.4 s, 1.4–2.8 s, 2.8–5.6 s, 5.6–11.2 s, … then at most 1 min; ' +
        'no attempt later than 1 h after the first began',
    ],
    [
      RetryPolicy.linear({ baseMs: 50, jitter: 'none' }).maxAttempts(4).retryIf(['BUSY']),
      'up to 4 attempts; waits 50 ms, 100 ms, 150 ms; retries only if code BUSY',
    ],
    [
      RetryPolicy.decorrelated({ baseMs: 50, capMs: 2000 })
        .both(RetryPolicy.fixed({ delayMs: 100 }))
        .maxAttempts(2),
      'up to 2 attempts; waits the longest of (50–150 ms, then up to 3 × the wait before, at most 2 s) and (100 ms each time)',
    ],
    [
      RetryPolicy.fixed({ delayMs: 10 })
        .maxAttempts(3)
        .orElse(['BUSY'], RetryPolicy.fixed({ delayMs: 1000 }))
        .maxElapsedMs(5000),
      'no attempt later than 5 s after the first began; ' +
        'if code BUSY: (up to 3 attempts; waits 1 s each time), else: (up to 3 attempts; waits 10 ms each time)',
    ],
    [
      RetryPolicy.fixed({ delayMs: 10 }).both(RetryPolicy.immediately().orElse(['A'], RetryPolicy.never())),
      'waits 10 ms each time; if code A: (one attempt, no retry), else: (any number of attempts; retries at once)',
    ],
  ])('says what the policy will do, case %#', (policy, words) => {
    expect(policy.explain()).toBe(words);
  });
});

describe('simulate', () => {
  it('shows the schedule with the rule behind every wait, up to giving up', () => {
    const policy = RetryPolicy.exponential({ baseMs: 200, jitter: 'none' }).maxAttempts(4).honourRetryAfter();
    expect(policy.simulate([new Error('a'), coded('BUSY', { retryAfterMs: 5000 }), 'c', 'd', 'e'])).toEqual([
      { attempt: 1, atMs: 0, delayMs: 200, rule: 'exponential backoff, 200 ms' },
      { attempt: 2, atMs: 200, delayMs: 5000, rule: 'Retry-After of 5 s' },
      { attempt: 3, atMs: 5200, delayMs: 800, rule: 'exponential backoff, 800 ms' },
      { attempt: 4, atMs: 6000, delayMs: null, rule: 'attempt 4 of at most 4' },
    ]);
  });

  it('hands each wait on to the next', () => {
    const schedule = RetryPolicy.decorrelated({ baseMs: 100, capMs: 100_000 }).simulate(['a', 'b', 'c', 'd']);
    const previous = schedule.map((_, index) => schedule[index - 1]?.delayMs ?? 100);
    expect(schedule.map(({ rule }) => rule)).toEqual(previous.map((ms) => `decorrelated backoff, ${rangeInWords(100, 3 * ms)}`));
  });

  it('names the rule even when jitter drew 0', () => {
    const next = nextDelay(RetryPolicy.default, failure(1), 0);
    expect(next).toEqual(E.right({ delayMs: 0, rule: 'exponential backoff, 0–200 ms' }));
    expect(nextDelay(RetryPolicy.immediately(), failure(1), 0)).toEqual(E.right({ delayMs: 0, rule: 'retried at once' }));
  });

  it('R8 is the same for the same seed and another for another', () => {
    const errors = Array.from({ length: 5 }, () => new Error('boom'));
    expect(RetryPolicy.default.simulate(errors, 7)).toEqual(RetryPolicy.default.simulate(errors, 7));
    expect(RetryPolicy.default.simulate(errors, 7)).not.toEqual(RetryPolicy.default.simulate(errors, 8));
  });
});
