import { writeSync } from 'node:fs';
import path from 'node:path';

/** Where orders are kept. */
export type Database = { readonly kind: 'memory' } | { readonly kind: 'sqlite'; readonly path: string };

/** What carries the events beside the store. The URL may hold a password. */
export interface Broker {
  readonly kind: 'rabbitmq';
  readonly url: string;
  /** Of all that belongs to these orders at the broker. */
  readonly topic: string;
}

/** How badly the simulated services behave. Rates are 0 to 1. */
export interface Simulation {
  readonly seed: number;
  readonly paymentFailureRate: number;
  readonly paymentDeclineRate: number;
  /** Charged, but the reply never came. */
  readonly paymentLostReplyRate: number;
  readonly inventoryRejectRate: number;
  readonly latencyMs: number;
}

export interface Settings {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly database: Database;
  /** Undefined: workers read the log from the database. */
  readonly broker: Broker | undefined;
  /** Undefined: services are simulated in this process. */
  readonly servicesUrl: URL | undefined;
  readonly simulation: Simulation;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly retryBaseMs: number;
  readonly retryMaxAttempts: number;
  readonly retryMaxMs: number;
  readonly serviceTimeoutMs: number;
  readonly orderDeadlineMs: number;
  readonly graceMs: number;
  /** Undefined: operators are let in from this machine only. */
  readonly adminToken: string | undefined;
  /** No line per retry, dead letter and settled order. */
  readonly quiet: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const LONGEST_MS = 2 ** 31 - 1;

/** Schemes that are planned: said so, instead of a puzzle about a path. */
const NOT_BUILT = /^(postgres|postgresql|mysql|mongodb|kafka|nats|tls|rediss?):/i;

const schemeOf = (url: string): string => /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'no scheme';

/**
 * The settings in an environment, and one line for each that can't be read. Values that may hold a password are not repeated.
 * An empty value counts as not set, but for ADMIN_TOKEN: that one is a secret that failed to arrive.
 */
export const readSettings = (env: Environment): { readonly settings: Settings; readonly refused: readonly string[] } => {
  const refused: string[] = [];
  const refuse = (name: string, problem: string): void => void refused.push(`${name}: ${problem}`);
  const given = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);

  const number = (name: string, fallback: number, whole: boolean, min: number, max: number): number => {
    const text = given(name);
    if (text === undefined) return fallback;
    const value = (whole ? /^\d+$/ : /^(\d+\.?\d*|\.\d+)$/).test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    refuse(name, `expected a ${whole ? 'whole ' : ''}number from ${min} to ${max}, got ${JSON.stringify(text.slice(0, 60))}`);
    return fallback;
  };
  const count = (name: string, fallback: number, min: number, max: number): number => number(name, fallback, true, min, max);
  const rate = (name: string, fallback: number): number => number(name, fallback, false, 0, 1);

  const database = (): Database => {
    const url = given('DATABASE_URL') ?? 'sqlite:./data/orders.db';
    if (url === 'memory:') return { kind: 'memory' };
    if (NOT_BUILT.test(url)) refuse('DATABASE_URL', `${schemeOf(url)} is not built yet; expected sqlite:PATH or memory:`);
    else if (!url.startsWith('sqlite:')) refuse('DATABASE_URL', `expected sqlite:PATH or memory:, got ${schemeOf(url)}`);
    const file = url.slice('sqlite:'.length).replace(/^\/\/(?=.)/, '');
    const windowsPath = /^\/[A-Za-z]:[\\/]/.test(file) && process.platform === 'win32';
    if (file === '') refuse('DATABASE_URL', 'expected a path after sqlite:, got none');
    if (file.startsWith(':')) refuse('DATABASE_URL', 'expected a path after sqlite:; for a database in memory say memory:');
    return { kind: 'sqlite', path: path.resolve(windowsPath ? file.slice(1) : file) };
  };

  const broker = (): Broker | undefined => {
    const text = given('TRANSPORT_URL');
    if (text === undefined) return undefined;
    const url = URL.parse(text);
    if (url?.protocol === 'amqp:' || url?.protocol === 'amqps:') {
      const topic = url.searchParams.get('topic') ?? 'orderfold';
      url.searchParams.delete('topic');
      if (/^[\w.-]{1,100}$/.test(topic)) return { kind: 'rabbitmq', url: url.href, topic };
      refuse('TRANSPORT_URL', 'expected a topic of 1 to 100 letters, digits, . _ -');
      return undefined;
    }
    const scheme = url === null ? 'no URL' : url.protocol;
    const planned = NOT_BUILT.test(text) ? `${scheme} is not built yet` : `got ${scheme}`;
    refuse('TRANSPORT_URL', `expected amqp://HOST, or none: workers read the log from the database then; ${planned}`);
    return undefined;
  };

  const servicesUrl = (): URL | undefined => {
    const text = given('SERVICES_URL');
    if (text === undefined) return undefined;
    const url = URL.parse(text);
    if (url?.protocol === 'http:' || url?.protocol === 'https:') {
      if (url.username === '' && url.password === '' && url.search === '' && url.hash === '') return url;
      refuse('SERVICES_URL', 'expected a URL without login, query and fragment');
    } else refuse('SERVICES_URL', `expected http://HOST:PORT or https://HOST, got ${url === null ? 'no URL' : url.protocol}`);
    return undefined;
  };

  const adminToken = (): string | undefined => {
    const token = env.ADMIN_TOKEN;
    if (token === undefined || /^[\x21-\x7e]{1,1000}$/.test(token)) return token;
    refuse('ADMIN_TOKEN', `expected 1 to 1000 printable characters without spaces, got ${token === '' ? 'none' : 'others'}`);
    return undefined;
  };

  const log = given('LOG');
  if (log !== undefined && log !== 'quiet') refuse('LOG', `expected quiet or nothing, got ${JSON.stringify(log.slice(0, 60))}`);

  const settings: Settings = {
    host: given('HOST') ?? '127.0.0.1',
    port: count('PORT', 3000, 0, 65_535),
    database: database(),
    broker: broker(),
    servicesUrl: servicesUrl(),
    simulation: {
      seed: count('SEED', Math.floor(Math.random() * 2 ** 32), 0, Number.MAX_SAFE_INTEGER),
      paymentFailureRate: rate('PAYMENT_FAILURE_RATE', 0.2),
      paymentDeclineRate: rate('PAYMENT_DECLINE_RATE', 0.05),
      paymentLostReplyRate: rate('PAYMENT_LOST_REPLY_RATE', 0.02),
      inventoryRejectRate: rate('INVENTORY_REJECT_RATE', 0.02),
      latencyMs: count('SERVICE_LATENCY_MS', 5, 0, 600_000),
    },
    concurrency: count('CONCURRENCY', 64, 1, 10_000),
    leaseMs: count('LEASE_MS', 10_000, 50, 3_600_000),
    retryBaseMs: count('RETRY_BASE_MS', 200, 0, LONGEST_MS),
    retryMaxAttempts: count('RETRY_MAX_ATTEMPTS', 6, 1, 1_000_000),
    retryMaxMs: count('RETRY_MAX_MS', 60_000, 0, LONGEST_MS),
    serviceTimeoutMs: count('SERVICE_TIMEOUT_MS', 2000, 1, 3_600_000),
    orderDeadlineMs: count('ORDER_DEADLINE_MS', 900_000, 1, 100 * 365 * 86_400_000),
    graceMs: count('GRACE_MS', 10_000, 0, 3_600_000),
    adminToken: adminToken(),
    quiet: log === 'quiet',
  };
  return { settings, refused };
};

/** Says why this can't go on and ends the process with 1. Written at once: a stream may not get to it before the end. */
export const refuseToStart = (problems: readonly string[]): never => {
  writeSync(2, problems.map((problem) => `refused to start: ${problem}\n`).join(''));
  process.exit(1);
};

/** What a process runs. With `memory:` nobody else could see its orders, so only both together take that. */
export type Part = 'api' | 'worker' | 'both';

/** The settings of this process, or its end. A worker listens on nothing and doesn't look at HOST and PORT. */
export const settingsOrExit = (part: Part): Settings => {
  const { HOST, PORT, ...rest } = process.env;
  const { settings, refused } = readSettings(part === 'worker' ? rest : { ...rest, HOST, PORT });
  const lonely = part !== 'both' && settings.database.kind === 'memory';
  const problems = lonely
    ? [...refused, `DATABASE_URL: memory: is seen by one process only, and the ${part} alone is no use; \`npm start\` takes it`]
    : refused;
  if (problems.length > 0) refuseToStart(problems);
  return settings;
};

/** What refused to start, by the name of the setting that has to change; anything else is thrown on. */
export const refusedStart = (error: unknown): never => {
  const { code, syscall, message } = error as { readonly code?: string; readonly syscall?: string; readonly message?: string };
  if (code === 'CONFIG' || code === 'STORE') refuseToStart([`DATABASE_URL: ${message}`]);
  if (syscall === 'listen' && (code === 'EADDRINUSE' || code === 'EACCES')) refuseToStart([`PORT: ${message}`]);
  if (syscall === 'listen' || syscall === 'getaddrinfo') refuseToStart([`HOST: ${message}`]);
  throw error;
};
