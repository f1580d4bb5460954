import { OrderfoldError } from '../core/errors.ts';
import type { Holding } from './holding.ts';
import type { Delivery, Route } from './subscription.ts';
import type { Timeouts } from './timeouts.ts';

/** How a call of a handler ended; `interrupted`: by the worker, not by its own doing. */
export type Ended =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'interrupted' };

export interface Calls {
  /** Calls the handler; ends when it does, when its time is up, or when it is aborted. What it does later is nobody's business. */
  call(holding: Holding, route: Route, delivery: Omit<Delivery, 'signal'>): Promise<Ended>;
  /** Interrupts what runs under this lease, or everything. */
  abort(holding: Holding | null, reason: unknown): void;
}

/** The handlers running in this process, each with a signal that is only made if the handler asks for it. */
export const createCalls = (timeouts: Timeouts): Calls => {
  const running = new Map<Holding, Set<(reason: unknown) => void>>();

  const call = (holding: Holding, route: Route, delivery: Omit<Delivery, 'signal'>): Promise<Ended> =>
    new Promise((resolve) => {
      let controller: AbortController | null = null;
      let aborted: { readonly reason: unknown } | null = null;
      const aborts = running.get(holding) ?? new Set();
      running.set(holding, aborts);
      const end = (ended: Ended): void => {
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
      const cancelTimeout = timeouts.start(route.timeoutMs, () => {
        const error = new OrderfoldError('HANDLER_TIMEOUT', `no outcome within ${route.timeoutMs} ms`);
        fire(error);
        end({ kind: 'threw', error });
      });
      const seen = {
        ...delivery,
        get signal(): AbortSignal {
          controller ??= new AbortController();
          if (aborted !== null) controller.abort(aborted.reason);
          return controller.signal;
        },
      } as Delivery;
      const failed = (error: unknown): void => end({ kind: 'threw', error });
      try {
        const value = route.handle(seen);
        if (value instanceof Promise) value.then((returned: unknown) => end({ kind: 'returned', value: returned }), failed);
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
