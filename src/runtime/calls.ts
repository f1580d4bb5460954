import { OrderfoldError } from '../core/errors.ts';
import type { Holding } from './holding.ts';
import type { Timeouts } from './timeouts.ts';

/** How a call of a handler ended; `interrupted`: by the worker, not by its own doing. */
export type Ended<Value = unknown> =
  | { readonly kind: 'returned'; readonly value: Value }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'interrupted' };

/** A handler, and how long a call may take. */
interface Callable<Given, Value> {
  readonly handle: (given: Given & { readonly signal: AbortSignal }) => Value | Promise<Value>;
  readonly timeoutMs: number;
}

export interface Calls {
  /** Calls the handler; ends when it does, when its time is up, or when it is aborted. What it does later is nobody's business. */
  call<Given extends object, Value>(holding: Holding, route: Callable<Given, Value>, given: Given): Promise<Ended<Value>>;
  /** Interrupts what runs under this lease, or everything. */
  abort(holding: Holding | null, reason: unknown): void;
}

/** The handlers running in this process, each with a signal that is only made if the handler asks for it. */
export const createCalls = (timeouts: Timeouts): Calls => {
  const running = new Map<Holding, Set<(reason: unknown) => void>>();

  const call = <Given extends object, Value>(
    holding: Holding,
    { handle, timeoutMs }: Callable<Given, Value>,
    given: Given,
  ): Promise<Ended<Value>> =>
    new Promise((resolve) => {
      let controller: AbortController | null = null;
      let aborted: { readonly reason: unknown } | null = null;
      const aborts = running.get(holding) ?? new Set();
      running.set(holding, aborts);
      const end = (ended: Ended<Value>): void => {
        if (!aborts.delete(abort)) return; // it had ended already
        cancelTimeout();
        if (aborts.size === 0) running.delete(holding);
        resolve(ended);
      };
      const fire = (reason: unknown): void => {
        aborted = { reason };
        controller?.abort(reason);
      };
      const abort = (reason: unknown): void => {
        fire(reason);
        end({ kind: 'interrupted' });
      };
      aborts.add(abort);
      const cancelTimeout = timeouts.start(timeoutMs, () => {
        const error = new OrderfoldError('HANDLER_TIMEOUT', `no outcome within ${timeoutMs} ms`);
        fire(error);
        end({ kind: 'threw', error });
      });
      const seen = {
        ...given,
        get signal(): AbortSignal {
          controller ??= new AbortController();
          if (aborted !== null) controller.abort(aborted.reason);
          return controller.signal;
        },
      };
      const failed = (error: unknown): void => end({ kind: 'threw', error });
      try {
        const value = handle(seen);
        if (value instanceof Promise) value.then((returned) => end({ kind: 'returned', value: returned }), failed);
        else Promise.resolve(value).then((returned) => end({ kind: 'returned', value: returned }), failed);
      } catch (error) {
        failed(error);
      }
    });

  return {
    call,
    abort(holding, reason) {
      for (const [of, aborts] of [...running]) if (holding === null || of === holding) for (const abort of [...aborts]) abort(reason);
    },
  };
};
