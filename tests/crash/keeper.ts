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
  readonly pid: number;
  /** Its present life answers, or works. */
  readonly up: boolean;
  /** Resolves once it is up. */
  ready(withinMs?: number): Promise<void>;
  /** SIGKILL. False if it was not there to be killed. */
  kill(): Promise<boolean>;
  /** SIGTERM, and a new one once it has drained. False if it was not up. */
  restart(): Promise<boolean>;
  /** Takes its processor away for a while. False if it was not up. */
  freeze(forMs: number): Promise<boolean>;
  /** SIGTERM, for good. */
  stop(): Promise<Ending>;
}

/** @param expected endings of its own accord that are no surprise */
export const keep = (options: ChildOptions, upLine: RegExp, expected: (ending: Ending) => boolean = () => false): Keeper => {
  const logs: (readonly string[])[] = [];
  const surprises: string[] = [];
  let starts = 0;
  let up = false;
  let stopping = false;
  let asked: 'kill' | 'restart' | undefined;
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
      const inOrder = asked === 'kill' ? ending === 'SIGKILL' : asked === 'restart' || stopping ? ending === 0 : expected(ending);
      if (!inOrder)
        surprises.push(`${options.name} ended with ${ending}${asked || stopping ? ` when told to ${asked ?? 'stop'}` : ' by itself'}`);
      if (!stopping) setImmediate(launch);
    });
  };
  launch();

  const end = async (how: 'kill' | 'restart', signal: NodeJS.Signals): Promise<boolean> => {
    const { process, ended } = child;
    if (asked !== undefined || stopping || child.ending !== undefined) return false;
    asked = how;
    process.kill(signal);
    await ended;
    return true;
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
    get pid() {
      return child.process.pid ?? 0;
    },
    get up() {
      return up;
    },
    async ready(withinMs = 30_000) {
      const deadline = performance.now() + withinMs;
      while (!up) {
        if (performance.now() > deadline) throw new Error(`${options.name} is not up within ${withinMs} ms:\n${child.log.join('\n')}`);
        await Promise.race([born, sleep(50)]);
        if (!up) await sleep(10);
      }
    },
    kill: () => end('kill', 'SIGKILL'),
    restart: () => (up ? end('restart', 'SIGTERM') : Promise.resolve(false)),
    async freeze(forMs) {
      const { process } = child;
      if (!up || asked !== undefined) return false;
      process.kill('SIGSTOP');
      await sleep(forMs);
      process.kill('SIGCONT');
      return true;
    },
    async stop() {
      if (asked !== undefined) await child.ended.then(() => sleep(5));
      if (!stopping) await this.ready();
      stopping = true;
      child.process.kill('SIGTERM');
      return child.ended;
    },
  };
};
