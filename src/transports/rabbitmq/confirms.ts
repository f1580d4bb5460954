import type { System } from '../../core/system.ts';

/** Some messages on their way, until the broker has confirmed the last of them or they have failed. */
export interface Confirms {
  /** Resolves with whether any of the messages may have come to no queue at all. */
  readonly all: Promise<{ readonly isUnroutable: boolean }>;
  /** One more is confirmed. */
  confirm(): void;
  /** One may have come to no queue. */
  unroutable(): void;
  fail(error: unknown): void;
}

/**
 * @param silent is called when not one was confirmed for `timeoutMs`
 * @param settled is called when `all` is settled
 */
export const createConfirms = (
  count: number,
  { system, timeoutMs }: { readonly system: System; readonly timeoutMs: number },
  silent: () => void,
  settled: (mine: Confirms) => void,
): Confirms => {
  let left = count;
  let leftBefore = count;
  let isUnroutable = false;
  let resolve = (_: { readonly isUnroutable: boolean }): void => {};
  let reject = (_: unknown): void => {};
  const all = new Promise<{ readonly isUnroutable: boolean }>((...settlers) => {
    [resolve, reject] = settlers;
  });
  const look = (): void => {
    if (left === leftBefore) silent();
    else timer = system.setTimer(timeoutMs, look);
    leftBefore = left;
  };
  let timer = system.setTimer(timeoutMs, look);
  const settle = (): void => {
    timer.cancel();
    settled(mine);
  };
  const mine: Confirms = {
    all,
    confirm() {
      left -= 1;
      if (left > 0) return;
      settle();
      resolve({ isUnroutable });
    },
    unroutable() {
      isUnroutable = true;
    },
    fail(error) {
      settle();
      reject(error);
    },
  };
  return mine;
};
