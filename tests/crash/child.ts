import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Exit code, or the signal it died of. */
export type Ending = number | NodeJS.Signals;

export interface ChildOptions {
  readonly name: string;
  /** Below the working tree. */
  readonly file: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Modules to load first, below the working tree: how a process is broken on purpose. */
  readonly preload?: readonly string[];
  /** @default this one */
  readonly node?: string;
}

/** A process under test and everything it printed, both streams. */
export interface Child {
  readonly name: string;
  readonly process: ChildProcess;
  readonly log: readonly string[];
  /** The first line that matches; rejects when it ends without one, or in time. */
  line(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
  /** Undefined while it lives. */
  readonly ending: Ending | undefined;
  readonly ended: Promise<Ending>;
}

const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** Nothing of what configures orderfold here leaks in. */
const surroundings = (): Record<string, string> =>
  Object.fromEntries(
    ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot'].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );

/** Starts it with a channel to this process, so that none of them outlives it: one whose parent is gone stops. */
export const startChild = ({ name, file, env = {}, preload = [], node = process.execPath }: ChildOptions): Child => {
  const imports = preload.map((module) => `--import=${new URL(module, `file://${root}`).href}`);
  const flags = node === process.execPath ? ['--conditions=orderfold-source', ...imports] : [];
  const child = spawn(node, [...flags, path.join(root, file)], {
    cwd: root,
    env: { ...surroundings(), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  living.add(child);
  const log: string[] = [];
  const listeners = new Set<() => void>();
  const told = (): void => {
    for (const listener of [...listeners]) listener();
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      log.push(line);
      told();
    });
  }
  let ending: Ending | undefined;
  const ended = new Promise<Ending>((resolve) => {
    const end = (how: Ending): void => {
      living.delete(child);
      ending ??= how;
      resolve(ending);
      told();
    };
    child.once('error', (error) => {
      log.push(error.message);
      end(1);
    });
    child.once('close', (code, signal) => end(signal ?? code ?? 1));
  });
  return {
    name,
    process: child,
    log,
    line: (pattern, withinMs = 20_000) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void): void => {
          listeners.delete(look);
          clearTimeout(timer);
          act();
        };
        const fail = (why: string): void => settle(() => reject(new Error(`${name} ${why} ${pattern}:\n${log.join('\n')}`)));
        const look = (): void => {
          const found = log.map((line) => pattern.exec(line)).find((match) => match !== null);
          if (found) settle(() => resolve(found));
          else if (ending !== undefined) fail(`ended (${ending}) without`);
        };
        const timer = setTimeout(() => fail(`did not print within ${withinMs} ms`), withinMs);
        listeners.add(look);
        look();
      }),
    get ending() {
      return ending;
    },
    ended,
  };
};
