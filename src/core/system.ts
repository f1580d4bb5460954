/** A pending timer; `cancel` is idempotent and safe after it fired. */
export interface Timer {
  cancel(): void;
}

/**
 * Everything uncertain the engine needs from its surroundings: time, timers, randomness and ids.
 * The engine never reaches for the real ones, so one seed can replay a whole run.
 */
export interface System {
  /** Wall clock in milliseconds since 1970 UTC. May be stepped by an operator; only shown to people, never used to wait. */
  now(): number;
  /** Milliseconds of a clock nobody steps, the same clock for all processes of a machine. */
  monotonic(): number;
  /** In [0, 1). */
  random(): number;
  /** A new globally unique id, URL-safe, at most 40 characters. */
  id(): string;
  /** Calls `fire` once after at least `delayMs`. Delays beyond 2^31−1 ms are waited for in several hops. */
  setTimer(delayMs: number, fire: () => void): Timer;
  /** Runs `task` as soon as the current turn's work is done, before timers. */
  soon(task: () => void): void;
}
