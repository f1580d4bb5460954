import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, type ChildOptions, type Ending, startChild } from './child.ts';
import type { Harm, HarmMessage } from './harm/harm.ts';

/** A process that is started again at once whenever it is gone, as a good supervisor would. */
export interface Keeper {
  readonly name: string;
  readonly starts: number;
  /** Of its present life. */
  readonly pid: number | undefined;
  /** What all its lives printed. */
  readonly log: readonly string[];
  /** Ends nobody asked for, and requested ones that were not in order. */
  readonly surprises: readonly string[];
  /** Its present life answers, or works, and has not been told to end. */
  readonly up: boolean;
  /** Resolves once it is up. */
  ready(withinMs?: number): Promise<void>;
  /** SIGKILL. False if it was not there to be killed. */
  kill(): Promise<boolean>;
  /** Tells it to come to harm, if it was started with `harm/preload.ts`. False if it was not up. */
  harm(harm: Extract<Harm, { readonly kind: 'disk full' | 'read-only' | 'clock' }>): boolean;
  /** Has it kill itself at a moment of its work. False if that moment did not come, and it was spared. */
  aim(harm: Extract<Harm, { readonly kind: 'kill' }>, withinMs: number): Promise<boolean>;
  /** Has its next call held up. False if there was none. */
  stun(harm: Extract<Harm, { readonly kind: 'block' | 'hang' }>, withinMs: number): Promise<boolean>;
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

/** However long it is frozen or blocked just then. */
const SPARED_WITHIN_MS = 60_000;

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

  const tell = (own: Child, harm: Harm): void => void own.process.send?.({ harm } satisfies HarmMessage, () => undefined);
  /** Tells it, and resolves with whether it said this word in time. */
  const answers = async (own: Child, harm: Harm, word: string, withinMs: number): Promise<boolean> => {
    const hearing = new AbortController();
    const said = new Promise<boolean>((resolve) => {
      const hear = (message: unknown): void => void (message === word && resolve(true));
      own.process.on('message', hear);
      hearing.signal.addEventListener('abort', () => own.process.off('message', hear));
    });
    tell(own, harm);
    const heard = await Promise.race([said, own.ended.then(() => false), sleep(withinMs, false)]);
    hearing.abort();
    return heard;
  };

  return {
    name: options.name,
    get starts() {
      return starts;
    },
    get pid() {
      return child.process.pid;
    },
    get log() {
      return logs.flat();
    },
    surprises,
    get up() {
      return up && asked === undefined;
    },
    ready,
    kill: () =>
      end(
        (ending) => ending === 'SIGKILL',
        ({ process }) => process.kill('SIGKILL'),
      ),
    harm(harm) {
      if (!up || asked !== undefined) return false;
      tell(child, harm);
      return true;
    },
    async aim(harm, withinMs) {
      const own = child;
      if (!up || asked !== undefined) return false;
      asked = (ending) => ending === 'SIGKILL';
      tell(own, harm);
      await Promise.race([own.ended, sleep(withinMs)]);
      if (own.ending !== undefined || !(await answers(own, { kind: 'spare' }, 'spared', SPARED_WITHIN_MS)))
        return own.ended.then(() => true);
      asked = undefined;
      return false;
    },
    async stun(harm, withinMs) {
      return up && asked === undefined ? answers(child, harm, 'struck', withinMs) : false;
    },
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
