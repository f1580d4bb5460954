import { isOrderfoldError } from '../core/errors.ts';
import type { System } from '../core/system.ts';

const PAUSE_MS = 100;

/** Asks the store again and again while it is away and `goOn` says yes: for answers without which nothing can follow. */
export const patiently = async <T>(system: System, ask: () => Promise<T>, goOn: () => boolean = () => true): Promise<T> => {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isOrderfoldError(error, 'STORE') || !error.retryable || !goOn()) throw error;
    }
    await new Promise<void>((resolve) => void system.setTimer(PAUSE_MS, resolve));
  }
};
