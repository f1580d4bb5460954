import { describe, expect, it } from 'vitest';
import { isOrderfoldError } from '../../src/core/errors.ts';
import { permanent } from '../../src/core/permanent.ts';
import { createRetry, type RetryCall } from '../../src/core/retry.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

const policy = RetryPolicy.exponential({ baseMs: 100, jitter: 'none' }).maxAttempts(4);

/** A call that fails `failures` times and then works, and remembers when it was made. */
const flaky = (failures: number, system = virtualSystem()) => {
  const retry = createRetry(system);
  const calls: (RetryCall & { readonly atMs: number })[] = [];
  const call = async (context: RetryCall) => {
    calls.push({ ...context, atMs: system.monotonic() });
    if (calls.length <= failures) throw new Error(`failure ${calls.length}`);
    return 'done';
  };
  return { system, retry, call, calls };
};

/** A signal that counts who listens to it. */
const watched = () => {
  const controller = new AbortController();
  const listeners = new Set<unknown>();
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  Object.assign(signal, {
    addEventListener: (type: 'abort', listener: () => void, options: AddEventListenerOptions) => {
      listeners.add(listener);
      add(type, listener, options);
    },
    removeEventListener: (type: 'abort', listener: () => void) => {
      if (type === 'abort') listeners.delete(listener);
      remove(type, listener);
    },
  });
  return { controller, signal, listeners };
};

describe('retry', () => {
  it('gives the first result and waits for nothing when the first call works', async () => {
    const { system, retry, call, calls } = flaky(0);
    expect(await retry(policy, call)).toBe('done');
    expect(calls).toMatchObject([{ attempt: 1, maxAttempts: 4, atMs: 0 }]);
    expect(system.pending).toBe(0);
  });

  it('R6 R9 waits as the policy says and counts the attempts up', async () => {
    const { system, retry, call, calls } = flaky(3);
    expect(await system.run(retry(policy, call))).toBe('done');
    expect(calls.map(({ attempt, atMs }) => [attempt, atMs])).toEqual([
      [1, 0],
      [2, 100],
      [3, 300],
      [4, 700],
    ]);
    expect(system.pending).toBe(0);
  });

  it('R3 rethrows the last error as it is when the policy gives up', async () => {
    const { system, retry } = flaky(0);
    const errors = ['a', 'b', 'c', 'd', 'e'].map((name) => new Error(name));
    let calls = 0;
    const outcome = retry(policy, async () => {
      calls += 1;
      throw errors[calls - 1];
    });
    await expect(system.run(outcome)).rejects.toBe(errors[3]);
    expect(calls).toBe(4);
  });

  it('R3 calls once for maxAttempts(1), never() and a permanent error', async () => {
    const gone = permanent('gone');
    for (const once of [policy.maxAttempts(1), RetryPolicy.never()]) {
      const { retry, call, calls } = flaky(9);
      await expect(retry(once, call)).rejects.toThrow('failure 1');
      expect(calls).toHaveLength(1);
    }
    await expect(createRetry(virtualSystem())(policy, () => Promise.reject(gone))).rejects.toBe(gone);
  });

  it('passes on whatever was thrown, also when nothing was, and when it was thrown before a promise was made', async () => {
    const retry = createRetry(virtualSystem());
    await expect(retry(RetryPolicy.never(), () => Promise.reject(undefined))).rejects.toBeUndefined();
    await expect(
      retry(RetryPolicy.never(), () => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
  });

  it('measures the elapsed time by the clock nobody steps', async () => {
    const { system, retry } = flaky(0);
    const outcome = retry(RetryPolicy.fixed({ delayMs: 100 }).maxElapsedMs(250), async () => {
      system.stepWallClock(3_600_000);
      throw new Error('boom');
    });
    await expect(system.run(outcome)).rejects.toThrow('boom');
    expect(system.monotonic()).toBe(200);
  });

  it('tells a call without a limit so', async () => {
    const { system, retry, call, calls } = flaky(1);
    await system.run(retry(RetryPolicy.immediately(), call));
    expect(calls[0]?.maxAttempts).toBeUndefined();
  });

  it('lets others run between the calls even when there is no wait', async () => {
    const { system, retry } = flaky(0);
    const controller = new AbortController();
    const outcome = retry(RetryPolicy.immediately(), () => Promise.reject(new Error('boom')), { signal: controller.signal });
    await system.settle();
    controller.abort('enough');
    await expect(outcome).rejects.toBe('enough');
  });

  it('ends a wait at once when the signal aborts, with its reason untouched, and leaves no timer and no listener', async () => {
    const { system, retry, call, calls } = flaky(9);
    const { controller, signal, listeners } = watched();
    const outcome = retry(policy, call, { signal });
    await system.advance(150);
    expect(calls).toHaveLength(2);
    expect([system.pending, listeners.size]).toEqual([1, 1]);
    const reason = { why: 'shutting down' };
    controller.abort(reason);
    await expect(outcome).rejects.toBe(reason);
    expect(system.monotonic()).toBe(150);
    expect(system.pending).toBe(0);
    await system.advance(10_000);
    expect(calls).toHaveLength(2);
  });

  it('leaves no listener behind after a wait that ended by itself', async () => {
    const { system, retry, call } = flaky(3);
    const { signal, listeners } = watched();
    await system.run(retry(policy, call, { signal }));
    expect([system.pending, listeners.size]).toEqual([0, 0]);
  });

  it('does not call at all when the signal has aborted before', async () => {
    const { retry, call, calls } = flaky(0);
    await expect(retry(policy, call, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(calls).toHaveLength(0);
  });

  it('tells a call in progress of the abort, waits for it, and keeps its result if it has one', async () => {
    for (const [works, ending] of [
      [true, policy],
      [false, policy],
      [false, RetryPolicy.never()],
    ] as const) {
      const { system, retry } = flaky(0);
      const controller = new AbortController();
      const outcome = retry(
        ending,
        ({ signal }) =>
          new Promise<string>((resolve, reject) => {
            signal.addEventListener('abort', () => system.setTimer(50, () => (works ? resolve('charged') : reject(new Error('cut off')))));
          }),
        { signal: controller.signal },
      );
      await system.settle();
      controller.abort('stop');
      const settled = system.run(outcome);
      await (works ? expect(settled).resolves.toBe('charged') : expect(settled).rejects.toBe('stop'));
      expect([system.monotonic(), system.pending]).toEqual([50, 0]);
    }
  });

  it('waits for nothing when the policy itself made the signal abort', async () => {
    const { system, retry, call } = flaky(9);
    const controller = new AbortController();
    const judging = RetryPolicy.fixed({ delayMs: 500 }).retryIf('any', () => {
      controller.abort('judged');
      return true;
    });
    await expect(retry(judging, call, { signal: controller.signal })).rejects.toBe('judged');
    expect([system.monotonic(), system.pending]).toEqual([0, 0]);
  });

  it('counts the elapsed time from its own first call', async () => {
    const { system, retry, call, calls } = flaky(2);
    await system.advance(60_000);
    await system.run(retry(RetryPolicy.fixed({ delayMs: 100 }).maxElapsedMs(200), call));
    expect(calls.map(({ atMs }) => atMs)).toEqual([60_000, 60_100, 60_200]);
  });

  it('refuses a signal that is none', async () => {
    const { retry, call } = flaky(0);
    for (const signal of [{}, 'stop', { aborted: false, addEventListener: () => undefined }]) {
      await expect(retry(policy, call, { signal: signal as never })).rejects.toThrow(
        'retry: expected signal to be an AbortSignal (an object with throwIfAborted, addEventListener, removeEventListener)',
      );
    }
  });

  it('refuses options it does not know', async () => {
    const { retry, call, calls } = flaky(0);
    const refused = retry(policy, call, { sginal: AbortSignal.abort() } as never);
    await expect(refused).rejects.toSatisfy((error) => isOrderfoldError(error, 'CONFIG') && error.message.includes('"sginal"'));
    expect(calls).toHaveLength(0);
  });
});

describe('the virtual system', () => {
  it('fires timers in order of due time, then of arming, each at its time, and settles in between', async () => {
    const system = virtualSystem();
    const log: string[] = [];
    const note = (name: string) => () => {
      log.push(`${name} at ${system.monotonic()}`);
      system.soon(() => log.push(`${name} soon`));
      Promise.resolve()
        .then(() => undefined)
        .then(() => system.setTimer(5, () => log.push(`${name} again at ${system.monotonic()}`)));
    };
    system.setTimer(20, note('c'));
    system.setTimer(10, note('a'));
    system.setTimer(10, note('b'));
    await system.advance(19);
    expect(log).toEqual(['a at 10', 'a soon', 'b at 10', 'b soon', 'a again at 15', 'b again at 15']);
    expect([system.pending, system.monotonic()]).toEqual([1, 19]);
  });

  it('follows a chain of promises of any length without time passing', async () => {
    const system = virtualSystem();
    let settled = false;
    const chain = async () => {
      for (let i = 0; i < 10_000; i += 1) await null;
      settled = true;
    };
    void chain();
    await system.settle();
    expect(settled).toBe(true);
  });

  it('says that it is stuck when no timer can settle a promise', async () => {
    const system = virtualSystem();
    await expect(system.run(new Promise(() => undefined))).rejects.toThrow('stuck: 0 timers pending');
    system.setTimer(5000, () => undefined);
    await expect(system.run(new Promise(() => undefined), 1000)).rejects.toThrow('stuck: 1 timers pending, none due within 1000 ms');
  });

  it('refuses a wait that is no number, cancels more than once, and counts ids', async () => {
    const system = virtualSystem();
    expect(() => system.setTimer(Number.NaN, () => undefined)).toThrow('got NaN');
    expect(() => system.setTimer(-1, () => undefined)).toThrow('got -1');
    const timer = system.setTimer(1, () => undefined);
    timer.cancel();
    timer.cancel();
    expect(system.pending).toBe(0);
    expect([system.id(), system.id()]).toEqual(['id-1', 'id-2']);
    const another = virtualSystem();
    expect([system.random(), system.random()]).toEqual([another.random(), another.random()]);
  });

  it('moves both clocks together unless an operator steps the one on the wall', async () => {
    const system = virtualSystem({ startMs: 1000 });
    await system.advance(50);
    system.stepWallClock(-500);
    await system.advance(50);
    expect([system.now(), system.monotonic()]).toEqual([600, 100]);
  });
});
