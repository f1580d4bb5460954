import path from 'node:path';
import { freePort } from './free-port.ts';
import { type Keeper, keep } from './keeper.ts';
import { TOKEN } from './secrets.ts';
import { type ShopClient, shopClient } from './shop-client.ts';

export interface ShopOptions {
  readonly folder: string;
  readonly servicesUrl: string;
  readonly workers: number;
  readonly leaseMs: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Loaded into each worker first: how one is broken on purpose. */
  readonly preload?: readonly string[];
  /** The same for the producer. */
  readonly preloadApi?: readonly string[];
}

/** The example's producer and workers as processes on one file. */
export interface RunningShop {
  readonly database: string;
  readonly url: string;
  readonly client: ShopClient;
  readonly api: Keeper;
  readonly workers: readonly Keeper[];
  readonly all: readonly Keeper[];
}

/** Impatient, so that much of what takes hours elsewhere happens in seconds. */
export const IMPATIENT = {
  RETRY_BASE_MS: '30',
  RETRY_MAX_MS: '400',
  RETRY_MAX_ATTEMPTS: '5',
  SERVICE_TIMEOUT_MS: '600',
  ORDER_DEADLINE_MS: '9000',
  GRACE_MS: '3000',
} as const;

/** Resolves when all of them are up. */
export const startShop = async ({
  folder,
  servicesUrl,
  workers,
  leaseMs,
  env = {},
  preload = [],
  preloadApi = [],
}: ShopOptions): Promise<RunningShop> => {
  const port = await freePort();
  const database = path.join(folder, 'orders.db');
  const common = {
    ...IMPATIENT,
    DATABASE_URL: `sqlite:${database}`,
    SERVICES_URL: servicesUrl,
    LEASE_MS: String(leaseMs),
    PORT: String(port),
    ADMIN_TOKEN: TOKEN,
    ...env,
  };
  const api = keep({ name: 'API', file: 'examples/api.mjs', env: common, preload: preloadApi }, /^listening on /);
  const crew = Array.from({ length: workers }, (_, index) =>
    keep({ name: `worker ${index + 1}`, file: 'examples/worker.mjs', env: common, preload }, /^worker ready$/),
  );
  const all = [api, ...crew];
  await Promise.all(all.map((one) => one.ready()));
  const url = `http://127.0.0.1:${port}`;
  return { database, url, client: shopClient(url), api, workers: crew, all };
};
