import { OrderfoldError } from '../core/errors.ts';
import type { System } from '../core/system.ts';
import type { Holding, Lane } from './holding.ts';
import type { Timed, Timeouts } from './timeouts.ts';

/** How a call of a handler ended; `interrupted`: by the worker, not by its own doing. */
export type Ended = 'returned' | 'threw' | 'interrupted';

/** One handler at work. What it does after it has ended is nobody's business. */
export interface Call extends Timed {
  /** Monotonic. */
  readonly began: number;
  /** Made when it is asked for. */
  readonly signal: AbortSignal;
  interrupt(reason: unknown): void;
}

/** Hears with what the handler returned or threw, and never before `call` has returned. */
export type Tell = (how: Ended, what: unknown, call: Call) => void;

export interface Calls {
  /** Calls the handler of a lane; that ends when the handler does, when its time is up, or when it is interrupted. */
  call(lane: Lane, timeoutMs: number, handle: (call: Call) => unknown, tell: Tell): void;
  /** Interrupts what runs under these leases. */
  interrupt(holdings: Iterable<Holding>, reason: unknown): void;
}

class Running implements Call {
  readonly deadline: number;
  ended = false;
  readonly #lane: Lane;
  readonly #timeoutMs: number;
  readonly #tell: Tell;
  #controller: AbortController | null = null;
  #aborted: { readonly reason: unknown } | null = null;

  constructor(lane: Lane, timeoutMs: number, tell: Tell, system: System) {
    this.deadline = system.monotonic() + timeoutMs;
    this.#lane = lane;
    this.#timeoutMs = timeoutMs;
    this.#tell = tell;
  }

  get began(): number {
    return this.deadline - this.#timeoutMs;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted !== null) this.#controller.abort(this.#aborted.reason);
    return this.#controller.signal;
  }

  end(how: Ended, what: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.#lane.call = null;
    this.#tell(how, what, this);
  }

  interrupt(reason: unknown): void {
    this.#abort(reason);
    this.end('interrupted', undefined);
  }

  timeOut(): void {
    const error = new OrderfoldError('HANDLER_TIMEOUT', `no outcome within ${this.#timeoutMs} ms`);
    this.#abort(error);
    this.end('threw', error);
  }

  #abort(reason: unknown): void {
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }
}

/** The handlers running in this process, one for each lane. */
export const createCalls = (system: System, timeouts: Timeouts): Calls => ({
  call(lane, timeoutMs, handle, tell) {
    const call = new Running(lane, timeoutMs, tell, system);
    lane.call = call;
    lane.called = true;
    timeouts.watch(call, timeoutMs);
    const returned = (value: unknown): void => call.end('returned', value);
    const threw = (error: unknown): void => call.end('threw', error);
    try {
      const value = handle(call);
      if (value instanceof Promise) value.then(returned, threw);
      else Promise.resolve(value).then(returned, threw);
    } catch (error) {
      Promise.reject(error).catch(threw);
    }
  },
  interrupt(holdings, reason) {
    for (const { lanes } of [...holdings]) for (const { call } of [...lanes.values()]) call?.interrupt(reason);
  },
});
