import { describe, expect, it } from 'vitest';
import { isOrderfoldError } from '../../src/core/errors.ts';
import { type FlowOptions, flowChecks, NO_LIMITS, resolveFlow } from '../../src/core/flow.ts';
import { resolveOptions } from '../../src/core/options.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';

const flow = (given: FlowOptions) => resolveFlow('bus', resolveOptions('bus', given, flowChecks));

const refusal = (given: object): string => {
  try {
    flow(given as FlowOptions);
  } catch (error) {
    if (isOrderfoldError(error, 'CONFIG')) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('flow options', () => {
  it('set no limits where none are given', () => {
    expect(flow({})).toStrictEqual(NO_LIMITS);
    expect(NO_LIMITS).toStrictEqual({ concurrency: undefined, rateLimit: undefined, breaker: undefined });
  });

  it('keep what is given, up to their bounds', () => {
    const rateLimit = { count: 1_000_000, perMs: 1 };
    expect(flow({ concurrency: 10_000, rateLimit })).toStrictEqual({ concurrency: 10_000, rateLimit, breaker: undefined });
    expect(flow({ concurrency: 1, rateLimit: { count: 1, perMs: 60_000 } })).toMatchObject({ concurrency: 1, rateLimit: { count: 1 } });
  });

  it('open a breaker after five streams in a row, then pause for a second, doubled up to a minute, at least half of it', () => {
    const { breaker } = flow({ breaker: {} });
    expect(breaker?.trip).toBe(5);
    expect(breaker?.pause.rules).toEqual([{ kind: 'exponential', baseMs: 1_000, factor: 2, capMs: 60_000, jitter: 'equal' }]);
    const trip = () => ({ success: () => {}, failure: () => true });
    const pause = RetryPolicy.fixed({ delayMs: 5 });
    expect(flow({ breaker: { trip, pause } }).breaker).toStrictEqual({ trip, pause });
    expect(flow({ breaker: { trip: 1 } }).breaker?.trip).toBe(1);
  });

  it.each([
    [{ concurrency: 0 }, 'bus: expected concurrency to be a whole number of at least 1 and at most 10000, got 0'],
    [{ concurrency: 10_001 }, 'got 10001'],
    [{ rateLimit: 5 }, 'bus: expected rateLimit to be { count, perMs }, got 5'],
    [{ rateLimit: { count: 0, perMs: 1 } }, 'bus.rateLimit: expected count to be a whole number of at least 1 and at most 1000000, got 0'],
    [{ rateLimit: { count: 1_000_001, perMs: 1 } }, 'got 1000001'],
    [{ rateLimit: { count: 1, perMs: 0 } }, 'bus.rateLimit: expected perMs'],
    [{ rateLimit: { count: 1, perSecond: 1 } }, 'bus.rateLimit: expected only the options count, perMs, got "perSecond"'],
    [{ breaker: true }, 'bus: expected breaker to be { trip, pause }, got true'],
    [{ breaker: { trip: 0 } }, 'bus.breaker: expected trip to be a whole number of at least 1, or a function that makes a rule, got 0'],
    [{ breaker: { trip: 1.5 } }, 'got 1.5'],
    [{ breaker: { trip: {} } }, 'got an object'],
    [{ breaker: { pause: 1_000 } }, 'bus.breaker: expected pause to be a RetryPolicy'],
  ])('are refused with what was expected, case %#', (given, message) => {
    expect(refusal(given)).toContain(message);
  });
});
