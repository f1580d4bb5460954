import { seeded } from '../core/seeded.ts';
import type { System } from '../core/system.ts';

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
  /** Among those due in the same moment, the lowest goes first. */
  readonly turn: number;
  readonly fire: () => void;
  live: boolean;
}

export interface VirtualSystemOptions {
  /** @default 1 */
  readonly seed?: number;
  /** What `now()` says at first, milliseconds since 1970 UTC. @default 2026-01-01T00:00:00Z */
  readonly startMs?: number;
  /** What goes first of what is due in the same moment: what was armed first, or what the seed says. @default 'armed' */
  readonly ties?: 'armed' | 'seeded';
}

const isBefore = (a: Armed, b: Armed): boolean => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.turn < b.turn);

/**
 * A tick that is asked for while promises settle comes when none is left that can, however long their chain was, and costs
 * a tenth of a turn of the event loop. Outside Node a turn has to do.
 */
const afterPromises: (then: () => void) => void =
  typeof process === 'object' && typeof process.nextTick === 'function' ? process.nextTick : (then) => void setTimeout(then);

/** Nothing happens in it but what a test lets happen: no clock, no event loop. */
export const virtualSystem = ({ seed = 1, startMs = Date.UTC(2026, 0, 1), ties = 'armed' }: VirtualSystemOptions = {}): VirtualSystem => {
  /** The latest first, so that the next is at the end. */
  const queue: Armed[] = [];
  let live = 0;
  const random = seeded(seed);
  let elapsedMs = 0;
  let wallMs = startMs;
  let orders = 0;
  let ids = 0;

  const arm = (timer: Armed): void => {
    let from = 0;
    let to = queue.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (isBefore(timer, queue[middle] as Armed)) from = middle + 1;
      else to = middle;
    }
    queue.splice(from, 0, timer);
    live += 1;
  };
  const disarm = (timer: Armed): void => {
    if (timer.live) live -= 1;
    timer.live = false;
  };
  const first = (): Armed | undefined => {
    while (queue.at(-1)?.live === false) queue.pop();
    return queue.at(-1);
  };
  const moveTo = (ms: number) => {
    wallMs += Math.max(0, ms - elapsedMs);
    elapsedMs = Math.max(elapsedMs, ms);
  };
  const settle = (): Promise<void> => new Promise((resolve) => void Promise.resolve().then(() => afterPromises(resolve)));
  /** Fires the next timer if it falls due by `untilMs`. */
  const step = async (untilMs: number): Promise<boolean> => {
    const timer = first();
    if (timer === undefined || timer.dueMs > untilMs) return false;
    disarm(timer);
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
      orders += 1;
      const timer: Armed = { dueMs: elapsedMs + delayMs, turn: ties === 'armed' ? orders : random(), fire, live: true };
      arm(timer);
      return { cancel: () => disarm(timer) };
    },
    soon: (task) => queueMicrotask(task),
    get pending() {
      return live;
    },
    settle,
    async advance(durationMs) {
      if (!(durationMs >= 0 && durationMs < Infinity))
        throw new RangeError(`expected time to move on by a finite number of milliseconds that is not negative, got ${durationMs}`);
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
        if (!(await step(untilMs))) throw new Error(`stuck: ${live} timers pending, none due within ${limitMs} ms`);
      }
      return promise;
    },
    stepWallClock(byMs) {
      wallMs += byMs;
    },
  };
};
