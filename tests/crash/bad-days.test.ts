import { existsSync } from 'node:fs';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it, type TestContext } from 'vitest';
import { createSqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';
import { system } from '../../src/system.ts';
import { ask } from '../examples/processes.ts';
import { run } from '../package/process.ts';
import { startChild } from './child.ts';
import { beginDay, type Day, type DayOptions } from './day.ts';
import { reportOn } from './report.ts';
import { openWorkplace, until } from './workplace.ts';

type Context = Pick<TestContext, 'expect' | 'onTestFinished'>;

const begin = async ({ onTestFinished }: Context, options: Partial<DayOptions> = {}): Promise<Day> => {
  const day = await beginDay({ seed: 11, ordersPerSecond: 15, workers: 1, leaseMs: 1000, ...options });
  onTestFinished(day.forget);
  return day;
};

/** The audit of a day on which everybody was there all the time. */
const holds = async ({ expect }: Context, day: Day, restarts = 0): Promise<void> => {
  const evidence = await day.end();
  const { faults, text } = await reportOn(evidence);
  expect(faults, text).toEqual([]);
  expect(
    day.shop.all.reduce((sum, { starts }) => sum + starts - 1, 0),
    'processes that were started again',
  ).toBe(restarts);
};

/** Asks for a sign of life all the time; gives the longest it took. */
const pulse = (url: string) => {
  const stop = new AbortController();
  let slowestMs = 0;
  const asking = (async () => {
    while (!stop.signal.aborted) {
      const begun = performance.now();
      const { status } = await ask(url, 'GET', '/healthz');
      slowestMs = Math.max(slowestMs, status === 200 ? performance.now() - begun : Number.POSITIVE_INFINITY);
      await sleep(25);
    }
  })();
  return async (): Promise<number> => {
    stop.abort();
    await asking;
    return slowestMs;
  };
};

describe('a full disk', () => {
  const preload = ['tests/crash/broken/full-disk.ts'];

  it.concurrent('R28 is answered with 503 and Retry-After, loses nothing, and is forgotten when there is room again', {
    timeout: 90_000,
  }, async (context) => {
    const { folder } = await openWorkplace(context.onTestFinished);
    const full = path.join(folder, 'the disk is full');
    const day = await begin(context, { folder, env: { DISK_FULL: full }, preload, preloadApi: preload });
    const { client, url } = day.shop;
    await until('some orders are in', async () => day.load.accepted.size > 15);
    await writeFile(full, '');
    await until('the first is turned away', async () => client.unavailable > 0);
    const slowestMs = pulse(url);
    await sleep(2000);
    context.expect((await ask(url, 'GET', '/orders?limit=1')).status, 'what is there can still be read').toBe(200);
    context.expect(await slowestMs()).toBeLessThan(1000);
    const away = client.unavailable;
    const before = day.load.accepted.size;
    await rm(full);
    await until('orders are taken again', async () => day.load.accepted.size > before + 10, 10_000);
    context.expect(away).toBeGreaterThan(5);
    await holds(context, day);
  });

  const mountable = process.env.CRASH_MOUNT === '1';
  it.skipIf(!mountable)('R28 the same with a file system of 2 MB (CRASH_MOUNT=1, as root)', { timeout: 90_000 }, async (context) => {
    const { folder } = await openWorkplace(context.onTestFinished);
    const small = path.join(folder, 'small');
    await mkdir(small);
    const command = async (...args: readonly string[]): Promise<void> => {
      const { code, stderr } = await run(args.slice(1), { cwd: folder, node: args[0] ?? '' });
      context.expect(code, stderr).toBe(0);
    };
    await command('mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small);
    context.onTestFinished(() => command('umount', small));
    const day = await begin(context, { folder: small });
    const { client } = day.shop;
    await until('the disk is full', async () => client.unavailable > 0, 60_000);
    await sleep(2000);
    const before = day.load.accepted.size;
    await command('mount', '-o', 'remount,size=200m', small);
    await until('orders are taken again', async () => day.load.accepted.size > before + 10);
    await holds(context, day);
  });
});

describe('a file that somebody else has locked', () => {
  it.concurrent('R28 holds up nobody who does not need it, is answered with 503 in time, and loses nothing', {
    timeout: 90_000,
  }, async (context) => {
    const day = await begin(context, { workers: 2 });
    const { client, url, database } = day.shop;
    await until('some orders are in', async () => day.load.accepted.size > 15);
    const db = new DatabaseSync(database, { timeout: 5000 });
    db.exec('BEGIN IMMEDIATE');
    const slowestMs = pulse(url);
    await until('the first is turned away', async () => client.unavailable > 0, 15_000);
    await sleep(500);
    db.exec('ROLLBACK');
    db.close();
    context.expect(await slowestMs()).toBeLessThan(1000);
    const before = day.load.accepted.size;
    await until('orders are taken again', async () => day.load.accepted.size > before + 10, 10_000);
    await holds(context, day);
  });
});

describe('SIGTERM under load', () => {
  it.concurrent('R25 twice within a second is one wish, and a second one later is obeyed at once; nothing is lost by either', {
    timeout: 90_000,
  }, async (context) => {
    // Handlers that hang for longer than anybody waits between two signals.
    const day = await begin(context, { workers: 2, env: { SERVICE_TIMEOUT_MS: '3000', GRACE_MS: '6000', ORDER_DEADLINE_MS: '60000' } });
    const { api, workers } = day.shop;
    await until('some orders are in', async () => day.load.accepted.size > 15);
    const silence = day.services.misbehave({ silenceRate: 1 }, 3000);
    await sleep(800);
    const [patient, hurried, producer] = await Promise.all([
      workers[0]?.terminateTwice(300),
      workers[1]?.terminateTwice(1300),
      api.terminateTwice(300),
    ]);
    context.expect(patient?.ending).toBe(0);
    context.expect(producer.ending).toBe(0);
    context.expect(hurried?.ending).toBe(143);
    context.expect(hurried?.afterMs).toBeLessThan(1000);
    await silence;
    await holds(context, day, 3);
  });
});

describe('a database file that can not be used', () => {
  const make: Readonly<Record<string, (file: string) => Promise<void>>> = {
    'no database at all': (file) => writeFile(file, 'Dear diary, '.repeat(1000)),
    'of another program': async (file) => {
      const db = new DatabaseSync(file);
      db.exec('CREATE TABLE notes (text)');
      db.close();
    },
    'of a newer orderfold': async (file) => {
      const store = createSqliteStore({ path: file }, system);
      await store.open();
      await store.close();
      const db = new DatabaseSync(file);
      db.exec('PRAGMA user_version = 99');
      db.close();
    },
    damaged: async (file) => {
      const store = createSqliteStore({ path: file }, system);
      await store.open();
      await store.close();
      await copyFile(file, `${file}.whole`);
      const db = new DatabaseSync(file);
      const { page_size: size } = db.prepare('PRAGMA page_size').get() ?? {};
      db.close();
      const { open } = await import('node:fs/promises');
      const handle = await open(file, 'r+');
      await handle.write(Buffer.alloc(Number(size) - 200, 0x5a), 0, undefined, 150);
      await handle.close();
    },
  };

  it.concurrent.for([
    ['no database at all', /this is no SQLite file, so name another path/],
    ['of another program', /is the SQLite file of another program: name another path/],
    ['of a newer orderfold', /was written by a newer orderfold \(schema 99, this one knows \d+\): upgrade orderfold here/],
    ['damaged', /the file is damaged, so restore it from a backup/],
  ] as const)(
    'ends producer and worker with 1, and says which file and what to do: %s',
    { timeout: 30_000 },
    async ([what, remedy], { expect, onTestFinished }) => {
      const { database } = await openWorkplace(onTestFinished);
      await make[what]?.(database);
      for (const file of ['api.mjs', 'worker.mjs']) {
        const child = startChild({ name: file, file: `examples/${file}`, env: { DATABASE_URL: `sqlite:${database}`, PORT: '0' } });
        expect(await child.ended, child.log.join('\n')).toBe(1);
        expect(child.log).toHaveLength(1);
        expect(child.log[0]).toContain(`DATABASE_URL: ${database}`);
        expect(child.log[0]).toMatch(remedy);
      }
    },
  );
});

describe('a Node that is too old', () => {
  const old = ['/usr/bin/node', '/usr/local/bin/node'].find((node) => existsSync(node));

  it('is told so by producer, worker and start, with what to install', async ({ expect, skip }) => {
    const version = old === undefined ? undefined : (await run(['-p', 'process.versions.node'], { cwd: '/', node: old })).stdout.trim();
    if (old === undefined || version === undefined || Number(version.split('.')[0]) >= 22) return skip('there is no older Node here');
    for (const file of ['api.mjs', 'worker.mjs', 'start.mjs', 'demo.mjs']) {
      const child = startChild({
        name: file,
        file: `examples/${file}`,
        node: old,
        env: { DATABASE_URL: 'sqlite:/nowhere/orders.db', PORT: '0' },
      });
      expect(await child.ended, child.log.join('\n')).toBe(1);
      expect(child.log[0]).toContain(`This is Node ${version}.`);
      expect(child.log.join('\n')).toMatch(/need Node 22\.18, 24\.11, 26 or newer[^]*npm rebuild node/);
      expect(child.log).toHaveLength(2);
    }
  });
});
