import type { System } from '../../core/system.ts';

/** Calls `late` if `promise` has not settled in time, and settles as it does: what is waited for is then made to fail. */
export const withDeadline = async <T>(system: System, timeoutMs: number, promise: Promise<T>, late: () => void): Promise<T> => {
  const timer = system.setTimer(timeoutMs, late);
  try {
    return await promise;
  } finally {
    timer.cancel();
  }
};

/** Waits for `promise` to settle in any way, but no longer than that. Never rejects. */
export const forAWhile = (system: System, timeoutMs: number, promise: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const timer = system.setTimer(timeoutMs, resolve);
    const settled = (): void => {
      timer.cancel();
      resolve();
    };
    promise.then(settled, settled);
  });
