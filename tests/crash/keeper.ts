import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, type ChildOptions, type Ending, startChild } from './child.ts';

/** A process that is started again at once whenever it is gone, as a good supervisor would. */
export interface Keeper {
  readonly name: string;
  readonly starts: number;
  /** What all its lives printed. */
  readonly log: readonly string[];
  /** Ends nobody asked for, and requested ones that were not in order. */
  readonly surprises: readonly string[];
  /** Its present life answers, or works. */
  readonly up: boolean;
  /** Resolves once it is up. */
  ready(withinMs?: number): Promise<void>;
  /** SIGKILL. False if it was not there to be killed. */
  kill(): Promise<boolean>;
  /** SIGTERM, and a new one once it has drained. False if it was not up. */
  restart(): Promise<boolean>;
  /** Two SIGTERMs so far apart. Resolves with how it ended and how long after the second; a new one is started. */
  terminateTwice(gapMs: number): Promise<{ readonly ending: Ending; readonly afterMs: number }>;
  /** Takes its processor away for a while. False if it was not up. */
  freeze(forMs: number): Promise<boolean>;
  /** SIGTERM, for good. */
  stop(): Promise<Ending>;
  /** Gone for good, whatever it does. */
  dispose(): Promise<void>;
}

type Expected = (ending: Ending) => boolean;

const drained: Expected = (ending) => ending === 0;

/** @param byItself endings of its own accord that are no surprise */
export const keep = (options: ChildOptions, upLine: RegExp, byItself: Expected = () => false): Keeper => {
  const logs: (readonly string[])[] = [];
  const surprises: string[] = [];
  let starts = 0;
  let up = false;
  let forGood = false;
  /** Set while it is told to end. */
  let asked: Expected | undefined;
  let child: Child;
  let born: Promise<void>;

  const launch = (): void => {
    starts += 1;
    up = false;
    asked = undefined;
    const own = startChild(options);
    child = own;
    logs.push(own.log);
    born = own.line(upLine, 60_000).then(
      () => {
        up = own.ending === undefined;
      },
      () => undefined,
    );
    void own.ended.then((ending) => {
      up = false;
      if (!(asked ?? byItself)(ending)) surprises.push(`${options.name} ended with ${ending} ${asked ? 'when told to end' : 'by itself'}`);
      if (!forGood) setImmediate(launch);
    });
  };
  launch();

  /** False if it is ending already. */
  const end = async (expected: Expected, act: (child: Child) => unknown): Promise<boolean> => {
    const own = child;
    if (asked !== undefined || forGood || own.ending !== undefined) return false;
    asked = expected;
    await act(own);
    await own.ended;
    return true;
  };

  const ready = async (withinMs = 30_000): Promise<void> => {
    const deadline = performance.now() + withinMs;
    while (!up) {
      if (performance.now() > deadline) throw new Error(`${options.name} is not up within ${withinMs} ms:\n${child.log.join('\n')}`);
      await Promise.race([born, sleep(50)]);
      if (!up) await sleep(10);
    }
  };

  return {
    name: options.name,
    get starts() {
      return starts;
    },
    get log() {
      return logs.flat();
    },
    surprises,
    get up() {
      return up;
    },
    ready,
    kill: () =>
      end(
        (ending) => ending === 'SIGKILL',
        ({ process }) => process.kill('SIGKILL'),
      ),
    restart: () => (up ? end(drained, ({ process }) => process.kill('SIGTERM')) : Promise.resolve(false)),
    async terminateTwice(gapMs) {
      await ready();
      const own = child;
      let second = 0;
      await end(
        () => true,
        async ({ process, ended }) => {
          process.kill('SIGTERM');
          await Promise.race([sleep(gapMs), ended]);
          second = performance.now();
          process.kill('SIGTERM');
        },
      );
      return { ending: await own.ended, afterMs: performance.now() - second };
    },
    async freeze(forMs) {
      const { process } = child;
      if (!up || asked !== undefined) return false;
      process.kill('SIGSTOP');
      await sleep(forMs);
      process.kill('SIGCONT');
      return true;
    },
    async stop() {
      if (forGood) return child.ended;
      if (asked !== undefined) await child.ended.then(() => sleep(5));
      await ready();
      forGood = true;
      asked = drained;
      child.process.kill('SIGTERM');
      return child.ended;
    },
    async dispose() {
      forGood = true;
      asked = () => true;
      child.process.kill('SIGKILL');
      await child.ended;
    },
  };
};
