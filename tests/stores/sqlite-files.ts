import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import type { System } from '../../src/core/system.ts';
import { createSqliteStore, type SqliteStoreOptions } from '../../src/stores/sqlite/sqlite-store.ts';
import { system as realSystem } from '../../src/system.ts';

/** A path of its own for one test, gone after it. */
export const temporaryFile = async (name = 'orders.db'): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'orderfold-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, name);
};

export const openStore = async (
  path: string,
  more: Partial<SqliteStoreOptions> & { readonly system?: System; readonly version?: string } = {},
): Promise<Store> => {
  const { system = realSystem, version, ...options } = more;
  const store = createSqliteStore({ path, ...options }, system, version);
  onTestFinished(() => store.close());
  await store.open();
  return store;
};

/** The file as anyone may open it, past the store. */
export const rawDatabase = (path: string): DatabaseSync => {
  const db = new DatabaseSync(path);
  onTestFinished(() => {
    if (db.isOpen) db.close();
  });
  return db;
};

export interface Child {
  readonly process: ChildProcess;
  /** Everything it has printed so far. */
  readonly lines: string[];
  /** Resolves when it prints that line. */
  line(wanted: string): Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Runs one of the roles of `sqlite-child.ts` as a process of its own. */
export const startChild = (...args: readonly string[]): Child => {
  const script = fileURLToPath(new URL('sqlite-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--no-warnings', script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  const waiting = new Map<string, () => void>();
  let complaint = '';
  child.stderr.on('data', (some) => {
    complaint += some;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    waiting.get(line)?.();
  });
  const ended = once(child, 'close').then(([code, signal]) => (signal ?? code) as number | string);
  const line = (wanted: string) =>
    lines.includes(wanted)
      ? Promise.resolve()
      : Promise.race([
          new Promise<void>((resolve) => void waiting.set(wanted, resolve)),
          ended.then((how) => Promise.reject(new Error(`ended with ${how} before it said ${wanted}: ${complaint}`))),
        ]);
  return { process: child, lines, line, ended };
};
