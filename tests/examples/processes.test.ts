import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { startPaymentServer } from '../support/payment-server.ts';
import { allSettled, ask, book, eventually, openWorkshop, SMOOTH, settled } from './processes.ts';

const workshop = openWorkshop();
afterAll(() => workshop[Symbol.asyncDispose]());

const together = async (...parts: readonly Promise<unknown>[]) => void (await Promise.all(parts));
const place = async (url: string): Promise<string> => (await ask(url, 'POST', '/orders', book)).body.orderId;

describe.concurrent('npm start', () => {
  it('is up within 2 s, runs API and worker as two processes, and drains both on Ctrl-C with exit 0', async () => {
    const begun = performance.now();
    const started = workshop.start('start.mjs', { ...SMOOTH, DATABASE_URL: workshop.database('new/folder/start.db') });
    const url = await started.url();
    await started.line(/^worker ready$/m);
    // Several of these tests start at once on whatever machine this is; alone it takes a third of it.
    expect(performance.now() - begun).toBeLessThan(8000);
    expect(existsSync(path.join(workshop.folder, 'new/folder/start.db'))).toBe(true);
    const order = await settled(url, await place(url));
    expect(order.status).toBe('confirmed');
    await started.line(new RegExp(`^confirmed ${order.orderId}$`, 'm'));
    expect(started.output().match(/https?:/g)).toHaveLength(1);
    expect(started.output()).not.toMatch(/warning/i);
    expect(started.output()).not.toContain('\u001b');
    started.signalGroup('SIGINT');
    expect(await started.exit).toBe(0);
    await expect(ask(url, 'GET', '/healthz')).rejects.toThrow();
  });

  it('counts a signal to the group and the same one passed on as one', async () => {
    const server = await startPaymentServer({ delayMs: 1500 });
    const env = { ...SMOOTH, SERVICE_TIMEOUT_MS: '5000', SERVICES_URL: server.url, DATABASE_URL: workshop.database('twice.db') };
    const started = workshop.start('start.mjs', env);
    const url = await started.url();
    await started.line(/^worker ready$/m);
    await place(url);
    await eventually(
      async () => server.books.calls.length,
      (calls) => calls >= 2,
    );
    started.signalGroup('SIGINT');
    await sleep(200);
    started.signalGroup('SIGINT');
    expect(await started.exit).toBe(0);
    // What was on its way was waited for.
    expect(server.books.charges.size).toBe(1);
    await server.close();
  });

  it('exits at once on a second signal more than a second later, and leaves nobody behind', async () => {
    const server = await startPaymentServer({ delayMs: 20_000 });
    const env = { ...SMOOTH, SERVICE_TIMEOUT_MS: '30000', SERVICES_URL: server.url, DATABASE_URL: workshop.database('impatient.db') };
    const started = workshop.start('start.mjs', env);
    const url = await started.url();
    await started.line(/^worker ready$/m);
    await place(url);
    await eventually(
      async () => server.books.calls.length,
      (calls) => calls >= 2,
    );
    const begun = performance.now();
    started.process.kill('SIGTERM');
    await sleep(1300);
    started.process.kill('SIGTERM');
    expect(await started.exit).toBe(143);
    expect(performance.now() - begun).toBeLessThan(4000);
    await server.close();
  });

  it.skipIf(!existsSync('/proc/self/stat'))('starts again what was killed, an API where it was, and finishes all orders', async () => {
    const server = await startPaymentServer({ delayMs: 300 });
    const env = { ...SMOOTH, SERVICE_TIMEOUT_MS: '2000', SERVICES_URL: server.url, DATABASE_URL: workshop.database('killed.db') };
    const started = workshop.start('start.mjs', env);
    const url = await started.url();
    await started.line(/^worker ready$/m);
    const ids = await Promise.all(Array.from({ length: 10 }, () => place(url)));
    await eventually(
      async () => server.books.calls.length,
      (calls) => calls >= 2,
    );
    expect(killChild(started.process.pid, 'worker.mjs')).toBe(true);
    await started.line(/^the worker ended \(SIGKILL\); starting it again in 200 ms$/m);
    const orders = await allSettled(url, ids);
    expect(server.audit(orders)).toEqual([]);
    expect(orders.map(({ status }) => status)).toEqual(Array(10).fill('confirmed'));
    expect(killChild(started.process.pid, 'api.mjs')).toBe(true);
    const alive = () => ask(url, 'GET', '/healthz').catch(() => ({ status: 0 }));
    await eventually(alive, ({ status }) => status === 200);
    started.signalGroup('SIGTERM');
    expect(await started.exit).toBe(0);
    await server.close();
  });

  it('ends with its children when it is killed itself', async () => {
    const started = workshop.start('start.mjs', { ...SMOOTH, DATABASE_URL: workshop.database('orphans.db') });
    const url = await started.url();
    await started.line(/^worker ready$/m);
    started.process.kill('SIGKILL');
    // Its output closes when the last of them is gone.
    expect(await started.exit).toBe('SIGKILL');
    await expect(ask(url, 'GET', '/healthz')).rejects.toThrow();
  });

  it('runs both in one process with memory:', async () => {
    const started = workshop.start('start.mjs', { ...SMOOTH, DATABASE_URL: 'memory:' });
    const url = await started.url();
    await started.line(/^worker ready$/m);
    expect((await settled(url, await place(url))).status).toBe('confirmed');
    started.process.kill('SIGTERM');
    expect(await started.exit).toBe(0);
  });
});

/** Kills the child of `parent` that runs `file`, found in /proc. */
const killChild = (parent: number | undefined, file: string): boolean => {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const isChild = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(parent);
      if (!isChild || !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(file)) continue;
      process.kill(Number(pid), 'SIGKILL');
      return true;
    } catch {
      // Gone meanwhile.
    }
  }
  return false;
};

describe.concurrent('a worker', () => {
  it('ignores PORT and HOST, and prints nothing but that it is ready with LOG=quiet', async () => {
    const server = await startPaymentServer({
      script: ({ method, path, nth }) => (method === 'POST' && path === '/charges' && nth === 1 ? 'fail' : undefined),
    });
    const env = { ...SMOOTH, SERVICES_URL: server.url, DATABASE_URL: workshop.database('quiet.db'), SERVICE_TIMEOUT_MS: '5000' };
    const api = workshop.start('api.mjs', env);
    const quiet = workshop.start('worker.mjs', { ...env, LOG: 'quiet', PORT: 'none', HOST: '%' });
    const url = await api.url();
    await quiet.line(/^worker ready$/m);
    expect((await settled(url, await place(url))).status).toBe('confirmed');
    quiet.signalGroup('SIGTERM');
    expect(await quiet.exit).toBe(0);
    expect(quiet.output()).toBe('worker ready\n');
    await server.close();
  });

  it('is one of any number: two share the work and either finishes what the other left', async () => {
    const server = await startPaymentServer({ delayMs: 20 });
    const env = {
      ...SMOOTH,
      SERVICES_URL: server.url,
      DATABASE_URL: workshop.database('two.db'),
      CONCURRENCY: '4',
      SERVICE_TIMEOUT_MS: '10000',
    };
    const api = workshop.start('api.mjs', env);
    const [one, two] = [workshop.start('worker.mjs', env), workshop.start('worker.mjs', env)];
    const url = await api.url();
    await together(one.line(/^worker ready$/m), two.line(/^worker ready$/m));
    await sleep(1500);
    const first = await Promise.all(Array.from({ length: 40 }, () => place(url)));
    await allSettled(url, first);
    expect(one.output()).toMatch(/^confirmed/m);
    expect(two.output()).toMatch(/^confirmed/m);
    const second = await Promise.all(Array.from({ length: 40 }, () => place(url)));
    one.signalGroup('SIGTERM');
    expect(await one.exit).toBe(0);
    const orders = await allSettled(url, [...first, ...second]);
    expect(server.audit(orders)).toEqual([]);
    await server.close();
  });

  it('holds the money together when services fail, limit, decline, keep silent and lose replies', async () => {
    const server = await startPaymentServer({
      failureRate: 0.2,
      declineRate: 0.1,
      rejectRate: 0.1,
      lostReplyRate: 0.1,
      silenceRate: 0.03,
      limitRate: 0.02,
      retryAfterS: 0,
    });
    const env = { ...SMOOTH, RETRY_MAX_ATTEMPTS: '12', SERVICES_URL: server.url, DATABASE_URL: workshop.database('faults.db') };
    const api = workshop.start('api.mjs', env);
    const worker = workshop.start('worker.mjs', env);
    const url = await api.url();
    await worker.line(/^worker ready$/m);
    const ids = await Promise.all(Array.from({ length: 100 }, () => place(url)));
    const orders = await allSettled(url, ids);
    expect(server.audit(orders)).toEqual([]);
    expect(server.books.lost).toBeGreaterThan(0);
    expect(new Set(orders.map(({ status }) => status))).toEqual(new Set(['confirmed', 'cancelled']));
  });
});

describe.concurrent('an API', () => {
  it('answers what it was asked before it stops', async () => {
    const api = workshop.start('api.mjs', { ...SMOOTH, DATABASE_URL: workshop.database('stopping.db') });
    const url = await api.url();
    await ask(url, 'GET', '/readyz');
    const answers = Promise.allSettled(Array.from({ length: 20 }, () => ask(url, 'POST', '/orders', book)));
    const begun = performance.now();
    api.signalGroup('SIGINT');
    for (const answer of await answers) if (answer.status === 'fulfilled') expect([202, 503]).toContain(answer.value.status);
    expect(await api.exit).toBe(0);
    expect(performance.now() - begun).toBeLessThan(3000);
  });

  it.skipIf(process.platform === 'win32')('prints its URL with an IPv6 host in brackets', async () => {
    const api = workshop.start('api.mjs', { ...SMOOTH, DATABASE_URL: workshop.database('six.db'), HOST: '::1' });
    const url = await api.url();
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await ask(url, 'GET', '/dead-letters')).status).toBe(200);
  });
});

describe.concurrent('a setting that can not be read', () => {
  it.each([
    ['api.mjs', 'PORT', '99999'],
    ['api.mjs', 'PORT', 'http'],
    ['api.mjs', 'HOST', 'no.such.host.invalid'],
    ['api.mjs', 'DATABASE_URL', 'postgres://user:hunter2@localhost/orders'],
    ['api.mjs', 'DATABASE_URL', 'memory:'],
    ['worker.mjs', 'DATABASE_URL', 'memory:'],
    ['worker.mjs', 'DATABASE_URL', 'orders.db'],
    ['worker.mjs', 'DATABASE_URL', 'sqlite:'],
    ['worker.mjs', 'DATABASE_URL', 'sqlite::memory:'],
    ['worker.mjs', 'DATABASE_URL', 'sqlite:/dev/null/orders.db'],
    ['start.mjs', 'DATABASE_URL', 'sqlite:package.json'],
    ['start.mjs', 'TRANSPORT_URL', 'amqp://guest:hunter2@localhost?topic=a/b'],
    ['start.mjs', 'TRANSPORT_URL', 'kafka://localhost'],
    ['start.mjs', 'TRANSPORT_URL', 'nats://localhost'],
    ['start.mjs', 'TRANSPORT_URL', 'redis://:hunter2@localhost'],
    ['start.mjs', 'SERVICES_URL', 'ftp://localhost'],
    ['start.mjs', 'SERVICES_URL', 'localhost:8080'],
    ['start.mjs', 'CONCURRENCY', '0'],
    ['start.mjs', 'LEASE_MS', '10s'],
    ['start.mjs', 'RETRY_BASE_MS', '-1'],
    ['start.mjs', 'RETRY_MAX_ATTEMPTS', '0'],
    ['start.mjs', 'RETRY_MAX_MS', '1e3'],
    ['start.mjs', 'SERVICE_TIMEOUT_MS', 'NaN'],
    ['start.mjs', 'ORDER_DEADLINE_MS', 'Infinity'],
    ['start.mjs', 'GRACE_MS', '0x10'],
    ['start.mjs', 'ADMIN_TOKEN', ''],
    ['start.mjs', 'SEED', '1.5'],
    ['start.mjs', 'PAYMENT_FAILURE_RATE', '1.1'],
    ['start.mjs', 'PAYMENT_DECLINE_RATE', '20%'],
    ['start.mjs', 'SERVICE_LATENCY_MS', ' '],
    ['start.mjs', 'LOG', 'loud'],
  ])('is refused by %s at once, by name, on stderr: %s=%j', async (file, name, value) => {
    const database = { DATABASE_URL: workshop.database(`refused-${name}.db`) };
    const started = workshop.start(file, { ...SMOOTH, ...database, [name]: value });
    expect(await started.exit).toBe(1);
    expect(started.output()).toMatch(new RegExp(`^refused to start: ${name}: `, 'm'));
    expect(started.output()).not.toContain('hunter2');
    expect(started.output()).not.toContain('listening');
  });

  it('is named with all others, and the taken port is a setting too', async () => {
    const api = workshop.start('api.mjs', { ...SMOOTH, DATABASE_URL: workshop.database('port.db') });
    const { port } = new URL(await api.url());
    const second = workshop.start('start.mjs', { ...SMOOTH, DATABASE_URL: workshop.database('port.db'), PORT: port });
    expect(await second.exit).toBe(1);
    expect(second.output()).toMatch(/^refused to start: PORT: .*EADDRINUSE/m);
    const many = workshop.start('start.mjs', { CONCURRENCY: 'x', LEASE_MS: 'y' });
    expect(await many.exit).toBe(1);
    expect(many.output()).toBe(
      'refused to start: CONCURRENCY: expected a whole number from 1 to 10000, got "x"\n' +
        'refused to start: LEASE_MS: expected a whole number from 50 to 3600000, got "y"\n',
    );
  });
});
