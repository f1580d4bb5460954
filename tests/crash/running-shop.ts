import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { type Keeper, keep } from './keeper.ts';
import { TOKEN } from './secrets.ts';
import { type ShopClient, shopClient } from './shop-client.ts';
import { LATE_VIEW, VIEW } from './views.ts';

export interface ShopOptions {
  readonly folder: string;
  readonly servicesUrl: string;
  readonly workers: number;
  readonly leaseMs: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Loaded into each worker first: how one is broken on purpose. */
  readonly preload?: readonly string[];
  /** All but the last worker keep views beside, see `views.ts`. @default false */
  readonly views?: boolean;
}

/** The example's producer and workers as processes on one file. Over a broker, the first of several workers depends on what it brings. */
export interface RunningShop {
  readonly database: string;
  readonly url: string;
  readonly client: ShopClient;
  readonly api: Keeper;
  readonly workers: readonly Keeper[];
  readonly all: readonly Keeper[];
  /** The views that are kept by now. */
  readonly views: readonly string[];
  /** Starts the workers that keep views again, one after the other, with a view more than before. */
  addSubscription(): Promise<boolean>;
  /** How often something has happened to processes, as they took it down themselves, by what. */
  harmDone(): Promise<Readonly<Record<string, number>>>;
}

/** Impatient, so that much of what takes hours elsewhere happens in seconds. */
export const IMPATIENT = {
  RETRY_BASE_MS: '30',
  RETRY_MAX_MS: '400',
  RETRY_MAX_ATTEMPTS: '5',
  SERVICE_TIMEOUT_MS: '600',
  ORDER_DEADLINE_MS: '9000',
  GRACE_MS: '3000',
  // All that is read ahead is suspect after a crash, and each suspect starts by itself.
  CONCURRENCY: '16',
} as const;

const HARM = 'tests/crash/harm/preload.ts';
const LEAVES_RELAYING = 'tests/crash/broker/leaves-relaying.ts';

/** Resolves when all of them are up. Each can come to harm, see `harm/harm.ts`. */
export const startShop = async ({
  folder,
  servicesUrl,
  workers,
  leaseMs,
  env = {},
  preload = [],
  views: keepViews = false,
}: ShopOptions): Promise<RunningShop> => {
  const port = await freePort();
  const database = path.join(folder, 'orders.db');
  const marks = path.join(folder, 'harm');
  const common: Record<string, string> = {
    ...IMPATIENT,
    DATABASE_URL: `sqlite:${database}`,
    SERVICES_URL: servicesUrl,
    LEASE_MS: String(leaseMs),
    PORT: String(port),
    ADMIN_TOKEN: TOKEN,
    HARM_MARKS: marks,
    ...env,
  };
  const api = keep({ name: 'API', file: 'examples/api.mjs', env: common, preload: [HARM] }, /^listening on /);
  const keepers = keepViews ? Math.max(1, workers - 1) : 0;
  const crew = Array.from({ length: workers }, (_, index) => {
    const file = index < keepers ? 'tests/crash/roles/shop-worker.ts' : 'examples/worker.mjs';
    const depends = index === 0 && workers > 1 && common.TRANSPORT_URL !== undefined;
    const modules = [HARM, ...(depends ? [LEAVES_RELAYING] : []), ...preload];
    return keep({ name: `worker ${index + 1}`, file, env: common, preload: modules }, /^worker ready$/);
  });
  const all = [api, ...crew];
  await Promise.all(all.map((one) => one.ready()));
  const url = `http://127.0.0.1:${port}`;
  const views = keepViews ? [VIEW] : [];
  return {
    database,
    url,
    client: shopClient(url),
    api,
    workers: crew,
    all,
    views,
    async addSubscription() {
      // Each life is started with what stands there by then.
      common.LATE_VIEW = 'yes';
      views.push(LATE_VIEW);
      for (const one of crew.slice(0, keepers)) {
        for (const before = one.starts; one.starts === before; await sleep(20)) await one.ready().then(one.restart);
      }
      return keepers > 0;
    },
    async harmDone() {
      const counts: Record<string, number> = {};
      for (const what of (await readFile(marks, 'utf8').catch(() => '')).split('\n').slice(0, -1)) counts[what] = (counts[what] ?? 0) + 1;
      return counts;
    },
  };
};
