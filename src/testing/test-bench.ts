import type { Store } from '../core/store.ts';
import { createMemoryStore } from '../stores/memory/memory-store.ts';
import { isMoving, type Left, leftIn } from './left.ts';
import { recordRun } from './record-run.ts';
import type { RecordedRun } from './recorded-run.ts';
import { type VirtualSystem, virtualSystem } from './virtual-system.ts';

export interface TestOptions {
  /** The same seed gives the same ids, jitter and order of events. @default 1 */
  readonly seed?: number | undefined;
  /** When it begins, milliseconds since 1970 UTC. @default 2026-01-01T00:00:00Z */
  readonly startMs?: number | undefined;
}

/** Time, and what it does to what is tested. */
export interface TestBench extends AsyncDisposable {
  readonly clock: {
    /** Lets so much time pass, and all that falls due in it happen. */
    advance(durationMs: number): Promise<void>;
    /** Milliseconds since 1970 UTC. */
    now(): number;
  };
  /**
   * Moves time over retries and timeouts until nothing is left that would happen by itself, and gives what waits for something else: dead
   * letters and what they hold up, what is paused, deadlines and what was scheduled. `[]`: all is over.
   * What is still moving after `withinMs` is given too, such as a retry without end. @param options.withinMs @default 2_592_000_000 (30 days)
   */
  settle(options?: { readonly withinMs?: number }): Promise<readonly Left[]>;
  /** Everything so far, for `audit`: `settled` if nothing is left, `quiet` if nothing moves, else `running`. */
  record(options?: Pick<Partial<RecordedRun>, 'effects'>): Promise<RecordedRun>;
  /** Ends everything; time stands still after that. */
  close(): Promise<void>;
  readonly store: Store;
}

/** Where nothing says when it goes on, time moves in steps that double up to this. */
const LONGEST_STEP_MS = 1_000;

const nextStepMs = (left: readonly Left[], now: number, doubledMs: number): number => {
  const due = left.find(({ state }) => state === 'retry')?.dueAt;
  const isBusy = left.some(({ state }) => state === 'running' || state === 'unread');
  if (isBusy || due === undefined || due === null) return doubledMs;
  return Math.max(doubledMs, Date.parse(due) - now);
};

const settling =
  (system: VirtualSystem, store: Store): TestBench['settle'] =>
  async ({ withinMs = 2_592_000_000 } = {}) => {
    const untilMs = system.monotonic() + withinMs;
    let stepMs = 1;
    for (;;) {
      await system.settle();
      const left = await leftIn(store);
      const leftMs = untilMs - system.monotonic();
      if (!left.some(isMoving) || leftMs <= 0) return left;
      const nextMs = nextStepMs(left, system.now(), stepMs);
      // Something happened that was waited for: what follows from it is near again.
      stepMs = nextMs > stepMs ? 1 : Math.min(LONGEST_STEP_MS, 2 * stepMs);
      await system.advance(Math.min(nextMs, leftMs));
    }
  };

/** A memory store and a virtual clock, and what is done with them in every test. */
export const testBench = ({ seed = 1, startMs }: TestOptions) => {
  const system = virtualSystem({ seed, ...(startMs !== undefined && { startMs }) });
  const store = createMemoryStore(system, 1);
  const settle = settling(system, store);
  const bench = (close: () => Promise<void>): TestBench => {
    const closing = () => system.run(close());
    return {
      clock: { advance: system.advance, now: system.now },
      settle,
      async record(options = {}) {
        const left = await leftIn(store);
        const stage = left.some(isMoving) ? 'running' : left.every(({ state }) => state === 'timer') ? 'settled' : 'quiet';
        return recordRun(store, { ...options, stage });
      },
      close: closing,
      [Symbol.asyncDispose]: closing,
      store,
    };
  };
  return { system, store, bench };
};

/** Nobody dies in a test: with leases this long, hours pass in a few ticks. */
export const LEASE_MS = 3_600_000;
