import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it, type TestContext } from 'vitest';
import { ask } from '../examples/processes.ts';
import { run } from '../package/process.ts';
import { beginDay, type Day, type DayOptions } from './day.ts';
import { reportOn } from './report.ts';
import { openWorkplace, until } from './workplace.ts';

type Context = Pick<TestContext, 'expect' | 'onTestFinished'>;

/** A day that begins well. */
const begin = async ({ onTestFinished }: Context, options: Partial<DayOptions> = {}): Promise<Day> => {
  const day = await beginDay({ seed: 11, ordersPerSecond: 15, workers: 1, leaseMs: 1000, ...options });
  onTestFinished(day.forget);
  await until('some orders are in', async () => day.load.accepted.size > 15);
  return day;
};

/** The audit of a day on which orders were turned away, or processes were started again, so many times. */
const holds = async ({ expect }: Context, day: Day, restarts = 0): Promise<void> => {
  const evidence = await day.end({ struck: {}, hadToStrike: restarts === 0 ? ['answers 503'] : [] });
  const { faults, text } = await reportOn(evidence);
  expect(faults, text).toEqual([]);
  expect(
    day.shop.all.reduce((sum, { starts }) => sum + starts - 1, 0),
    'processes that were started again',
  ).toBe(restarts);
};

const takesOrdersAgain = async ({ load }: Day): Promise<void> => {
  const before = load.accepted.size;
  await until('orders are taken again', async () => load.accepted.size > before + 10, 15_000);
};

/** Asks for a sign of life all the time; tells the longest it took. */
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

const TIMEOUT = { timeout: 90_000 } as const;
const SIGN_OF_LIFE_MS = 1500;

describe.concurrent('on a bad day nothing is lost, and all goes on by itself', () => {
  it('R28 a full disk is answered with 503 and Retry-After, and forgotten when there is room again', TIMEOUT, async (context) => {
    const day = await begin(context);
    const { client, url, all } = day.shop;
    for (const one of all) one.harm({ kind: 'disk full', forMs: 3000 });
    await until('the first is turned away', async () => client.unavailable > 0);
    const slowestMs = pulse(url);
    await sleep(1500);
    context.expect((await ask(url, 'GET', '/orders?limit=1')).status, 'what is there can still be read').toBe(200);
    context.expect(await slowestMs()).toBeLessThan(SIGN_OF_LIFE_MS);
    context.expect(client.unavailable).toBeGreaterThan(5);
    await takesOrdersAgain(day);
    await holds(context, day);
  });

  it('R28 a file that somebody else has locked holds up nobody who does not need it, and 503 comes in time', TIMEOUT, async (context) => {
    const day = await begin(context, { workers: 2 });
    const { client, url, database } = day.shop;
    const db = new DatabaseSync(database, { timeout: 5000 });
    db.exec('BEGIN IMMEDIATE');
    const slowestMs = pulse(url);
    await until('the first is turned away', async () => client.unavailable > 0, 15_000);
    await sleep(300);
    db.exec('ROLLBACK');
    db.close();
    context.expect(await slowestMs()).toBeLessThan(SIGN_OF_LIFE_MS);
    await takesOrdersAgain(day);
    await holds(context, day);
  });

  it('R25 SIGTERM under load: twice within a second is one wish, a second one later is obeyed at once', TIMEOUT, async (context) => {
    // Handlers that hang for longer than anybody waits between two signals.
    const env = { SERVICE_TIMEOUT_MS: '5000', GRACE_MS: '9000', ORDER_DEADLINE_MS: '60000' };
    const day = await begin(context, { env });
    const { api, workers } = day.shop;
    day.services.behave({ silenceRate: 1 });
    const callsHang = async (): Promise<void> => {
      const before = day.services.books.lost;
      await until('some calls hang', async () => day.services.books.lost > before + 5);
    };
    await callsHang();
    const hurried = await workers[0]?.terminateTwice(1300);
    context.expect(hurried?.ending).toBe(143);
    context.expect(hurried?.afterMs).toBeLessThan(1000);

    await callsHang();
    const [patient, producer] = await Promise.all([workers[0]?.terminateTwice(300), api.terminateTwice(300)]);
    context.expect(patient?.ending).toBe(0);
    context.expect(patient?.afterMs, 'its calls were waited for').toBeGreaterThan(1000);
    context.expect(producer.ending).toBe(0);
    await holds(context, day, 3);
  });
});

describe('a file system of 2 MB', () => {
  it.skipIf(process.env.CRASH_MOUNT !== '1')(
    'R28 is full soon, and takes orders again once it is larger (CRASH_MOUNT=1, as root)',
    TIMEOUT,
    async (context) => {
      const { folder } = await openWorkplace(context.onTestFinished);
      const small = path.join(folder, 'small');
      await mkdir(small);
      const command = async (node: string, ...args: readonly string[]): Promise<void> => {
        const { code, stderr } = await run(args, { cwd: '/', node });
        context.expect(code, stderr).toBe(0);
      };
      await command('mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small);
      context.onTestFinished(() => command('umount', small));
      const day = await beginDay({ seed: 11, ordersPerSecond: 40, workers: 1, leaseMs: 1000, folder: small });
      try {
        await until('the disk is full', async () => day.shop.client.unavailable > 20, 60_000);
        await sleep(2000);
        await command('mount', '-o', 'remount,size=200m', small);
        await takesOrdersAgain(day);
        await holds(context, day);
      } finally {
        await day.close();
      }
    },
  );
});
