import { setImmediate as turn } from 'node:timers/promises';
import { seeded } from '../../src/core/seeded.ts';
import type { System } from '../../src/core/system.ts';

/** A `System` whose time stands still until a test moves it. The same seed gives the same run. */
export interface VirtualSystem extends System {
  /** Timers armed and neither fired nor cancelled. */
  readonly pending: number;
  /** Lets every promise that can settle without time passing do so. */
  settle(): Promise<void>;
  /** Moves time on by `durationMs`, firing what falls due in order of due time, then of arming, and settling after each. */
  advance(durationMs: number): Promise<void>;
  /** Moves time on from timer to timer until `promise` settles, and gives its result. Fails when no timer is left that could settle it. */
  run<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
  /** An operator sets the wall clock: `now()` jumps, `monotonic()` and timers do not notice. */
  stepWallClock(byMs: number): void;
}

interface Armed {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/** @param startMs what `now()` says at first. @default 2026-01-01T00:00:00Z */
export const virtualSystem = ({ seed = 1, startMs = Date.UTC(2026, 0, 1) } = {}): VirtualSystem => {
  const armed = new Set<Armed>();
  const random = seeded(seed);
  let elapsedMs = 0;
  let wallMs = startMs;
  let orders = 0;
  let ids = 0;

  const first = (): Armed | undefined => {
    let best: Armed | undefined;
    for (const timer of armed) {
      if (best === undefined || timer.dueMs < best.dueMs || (timer.dueMs === best.dueMs && timer.order < best.order)) best = timer;
    }
    return best;
  };
  const moveTo = (ms: number) => {
    wallMs += Math.max(0, ms - elapsedMs);
    elapsedMs = Math.max(elapsedMs, ms);
  };
  // A macrotask runs only when no microtask is left, however long the chain of promises was.
  const settle = async () => {
    await turn();
  };
  /** Fires the next timer if it falls due by `untilMs`. */
  const step = async (untilMs: number): Promise<boolean> => {
    const timer = first();
    if (timer === undefined || timer.dueMs > untilMs) return false;
    armed.delete(timer);
    moveTo(timer.dueMs);
    timer.fire();
    await settle();
    return true;
  };

  return {
    now: () => wallMs,
    monotonic: () => elapsedMs,
    random,
    id: () => `id-${++ids}`,
    setTimer(delayMs, fire) {
      if (!(delayMs >= 0 && delayMs < Infinity))
        throw new RangeError(`expected a timer's delay to be finite and not negative, got ${delayMs}`);
      const timer: Armed = { dueMs: elapsedMs + delayMs, order: ++orders, fire };
      armed.add(timer);
      return { cancel: () => void armed.delete(timer) };
    },
    soon: (task) => queueMicrotask(task),
    get pending() {
      return armed.size;
    },
    settle,
    async advance(durationMs) {
      const untilMs = elapsedMs + durationMs;
      await settle();
      while (await step(untilMs));
      moveTo(untilMs);
    },
    async run(promise, limitMs = 86_400_000) {
      const untilMs = elapsedMs + limitMs;
      let settled = false;
      const done = () => {
        settled = true;
      };
      promise.then(done, done);
      await settle();
      while (!settled) {
        if (!(await step(untilMs))) throw new Error(`stuck: ${armed.size} timers pending, none due within ${limitMs} ms`);
      }
      return promise;
    },
    stepWallClock(byMs) {
      wallMs += byMs;
    },
  };
};
