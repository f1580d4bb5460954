import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A folder for one test, gone after it, with a database and a file of marks that outlive the processes of the test. */
export interface Workplace {
  readonly folder: string;
  readonly database: string;
  readonly env: Readonly<Record<string, string>>;
  /** What processes have left so far. */
  marks<Mark>(): Promise<readonly (Mark & { readonly pid: number })[]>;
}

/** @param atEnd takes what is to be done after the test, as vitest's `onTestFinished` does */
export const openWorkplace = async (atEnd: (cleanUp: () => Promise<void>) => void): Promise<Workplace> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'orderfold-crash-'));
  atEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const database = path.join(folder, 'orders.db');
  const marks = path.join(folder, 'marks');
  return {
    folder,
    database,
    env: { DATABASE: database, MARKS: marks },
    async marks<Mark>() {
      const text = await readFile(marks, 'utf8').catch(() => '');
      return text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Mark & { readonly pid: number });
    },
  };
};

/** Waits until it is so. */
export const until = async <T>(what: string, look: () => Promise<T | undefined | false>, withinMs = 30_000): Promise<T> => {
  for (const end = performance.now() + withinMs; ; ) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) throw new Error(`${what}: not within ${withinMs} ms`);
    await sleep(30);
  }
};
