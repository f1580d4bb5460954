import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

type Env = Readonly<Record<string, string>>;

/** Services that never fail and patience for tests. */
export const SMOOTH: Env = {
  PAYMENT_FAILURE_RATE: '0',
  PAYMENT_DECLINE_RATE: '0',
  PAYMENT_LOST_REPLY_RATE: '0',
  INVENTORY_REJECT_RATE: '0',
  SERVICE_LATENCY_MS: '0',
  SERVICE_TIMEOUT_MS: '300',
  RETRY_BASE_MS: '5',
  RETRY_MAX_MS: '20',
  RETRY_MAX_ATTEMPTS: '3',
  LEASE_MS: '1000',
};

/** A started example, in a process group of its own. */
export interface Started {
  readonly process: ChildProcess;
  /** What it printed, both streams. */
  output(): string;
  /** Resolves with the first line that matches; rejects when it ends without one, or after 10 s. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** The URL it listens on. */
  url(): Promise<string>;
  /** Signals every process of the group, as a terminal does. */
  signalGroup(signal: NodeJS.Signals): void;
  /** The exit code, or the signal it died of. */
  readonly exit: Promise<number | NodeJS.Signals>;
}

export interface Workshop extends AsyncDisposable {
  /** A folder that goes with the workshop. */
  readonly folder: string;
  /** `sqlite:` and a file of this name in it. */
  database(name?: string): string;
  start(file: string, env?: Env, args?: readonly string[]): Started;
}

const groups = process.platform !== 'win32';

/** Starts examples and leaves none of them behind. */
export const openWorkshop = (): Workshop => {
  const folder = mkdtempSync(path.join(tmpdir(), 'orderfold-examples-'));
  const started = new Set<Started>();

  const start = (file: string, env: Env = {}, args: readonly string[] = []): Started => {
    const child = spawn(process.execPath, [path.join('examples', file), ...args], {
      cwd: root,
      env: { PATH: process.env.PATH, NODE_ENV: 'test', PORT: '0', ...env },
      detached: groups,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    let ended: number | NodeJS.Signals | undefined;
    const listeners = new Set<() => void>();
    const changed = (): void => {
      for (const listener of [...listeners]) listener();
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        changed();
      });
    }
    const exit = new Promise<number | NodeJS.Signals>((resolve) => {
      child.once('close', (code, signal) => {
        ended = code ?? signal ?? 1;
        resolve(ended);
        changed();
      });
    });
    const line = (pattern: RegExp): Promise<RegExpExecArray> =>
      new Promise((resolve, reject) => {
        const give = (settle: () => void): void => {
          listeners.delete(look);
          clearTimeout(timer);
          settle();
        };
        const look = (): void => {
          const found = pattern.exec(text);
          if (found !== null) give(() => resolve(found));
          else if (ended !== undefined) give(() => reject(new Error(`${file} ended (${ended}) without ${pattern}:\n${text}`)));
        };
        const timer = setTimeout(() => give(() => reject(new Error(`${file} printed no ${pattern} within 10 s:\n${text}`))), 10_000);
        listeners.add(look);
        look();
      });
    const one: Started = {
      process: child,
      output: () => text,
      line,
      url: async () => (await line(/^listening on (http:\/\/\S+)$/m))[1] ?? '',
      signalGroup(signal) {
        if (groups && child.pid !== undefined) process.kill(-child.pid, signal);
        else child.kill(signal);
      },
      exit,
    };
    started.add(one);
    return one;
  };

  return {
    folder,
    database: (name = 'orders.db') => `sqlite:${path.join(folder, name)}`,
    start,
    async [Symbol.asyncDispose]() {
      for (const one of started) {
        try {
          one.signalGroup('SIGKILL');
        } catch {
          // Gone already.
        }
      }
      await Promise.all([...started].map(({ exit }) => exit));
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer is what it asserts
  readonly body: any;
  readonly text: string;
}

/** One request; the body of the answer as JSON where it is. */
export const ask = async (
  base: string,
  method: string,
  target: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => {
  const response = await fetch(base + target, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, body: isJson && text !== '' ? JSON.parse(text) : undefined };
};

/** The answer once it is as wanted; fails with the last one after 15 s. */
export const eventually = async <T>(look: () => Promise<T>, wanted: (seen: T) => boolean, withinMs = 15_000): Promise<T> => {
  const end = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (wanted(seen)) return seen;
    if (performance.now() > end) throw new Error(`not so within ${withinMs} ms: ${JSON.stringify(seen).slice(0, 2000)}`);
    await sleep(20);
  }
};

/** These orders once all of them are confirmed or cancelled; one after the other, so that asking is not the load. */
export const allSettled = async (base: string, orderIds: readonly string[]): Promise<Answer['body'][]> => {
  const orders: Answer['body'][] = [];
  for (const orderId of orderIds) orders.push(await settled(base, orderId));
  return orders;
};

/** The order once it is confirmed or cancelled. */
export const settled = async (base: string, orderId: string): Promise<Answer['body']> =>
  (
    await eventually(
      () => ask(base, 'GET', `/orders/${orderId}`),
      ({ body }) => ['confirmed', 'cancelled'].includes(body.status),
    )
  ).body;

export const book = { customerId: 'c1', currency: 'EUR', items: [{ sku: 'book', quantity: 2, unitPriceMinor: 1250 }] };
