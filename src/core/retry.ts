import * as E from 'fp-ts/lib/Either.js';
import { optional, port, resolveOptions } from './options.ts';
import { nextDelay, type RetryPolicy } from './retry-policy.ts';
import type { System } from './system.ts';

/** One call of the function that is retried. */
export interface RetryCall {
  /** 1-based. */
  readonly attempt: number;
  /** `undefined` when the policy sets no limit. */
  readonly maxAttempts: number | undefined;
  /** Aborted when the caller's is; pass it on. */
  readonly signal: AbortSignal;
}

/** See `createRetry`. */
export type Retry = <T>(
  policy: RetryPolicy,
  call: (context: RetryCall) => Promise<T>,
  options?: { readonly signal?: AbortSignal | undefined },
) => Promise<T>;

const abortSignal = port<AbortSignal>('an AbortSignal', ['throwIfAborted', 'addEventListener', 'removeEventListener']);

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it aborts. Leaves neither timer nor listener. */
const wait = (system: System, delayMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = system.setTimer(delayMs, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
  });

/**
 * Makes `retry(policy, call, { signal })`: it calls until it succeeds or the policy gives up, and waits in between as
 * the policy says. Giving up rethrows the last error as it is. An abort starts no further call, cuts a wait short and
 * rejects with the signal's reason as it is; a call in progress is told by its own `signal` and is waited for.
 * @example
 * const retry = createRetry(system);
 * const rate = await retry(RetryPolicy.default, ({ signal }) => fetchRate('EUR', signal));
 */
export const createRetry =
  (system: System): Retry =>
  async (policy, call, options) => {
    const { signal = new AbortController().signal } = resolveOptions('retry', options, { signal: optional(abortSignal) });
    const startedMs = system.monotonic();
    const maxAttempts = policy.attempts;
    let previousDelayMs = 0;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await call({ attempt, maxAttempts, signal });
      } catch (error) {
        signal.throwIfAborted();
        const elapsedMs = system.monotonic() - startedMs;
        const next = nextDelay(policy, { attempt, elapsedMs, previousDelayMs, error }, system.random());
        if (E.isLeft(next)) throw error;
        previousDelayMs = next.right.delayMs;
      }
      await wait(system, previousDelayMs, signal);
    }
  };
