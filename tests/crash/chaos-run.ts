import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCarelessServices } from './careless-services.ts';
import type { Evidence } from './evidence.ts';
import { startOrderLoad } from './order-load.ts';
import { IMPATIENT, startShop } from './running-shop.ts';
import { settleAll } from './settling.ts';
import { planStrikes } from './strikes.ts';
import { strikeAll } from './striking.ts';

export interface ChaosOptions {
  /** For how long faults strike; settling takes some seconds more. */
  readonly seconds: number;
  readonly seed: number;
  readonly workers: number;
  readonly ordersPerSecond: number;
  /** Loaded into each worker first: how the engine is broken on purpose. */
  readonly preload?: readonly string[];
}

export interface ChaosRun {
  readonly evidence: Evidence;
  /** Removes the database. */
  forget(): Promise<void>;
}

const LEASE_MS = 1500;
const ANSWER_WITHIN_MS = 30_000;
const SETTLE_WITHIN_MS = 60_000;
/** Calls that everybody has given up on may still arrive. */
const LATE_CALLS_MS = 1000;

/** Faults under load for a while; then all is lifted, everything redriven until it is settled, and all processes told to stop. */
export const runChaos = async (
  { seconds, seed, workers, ordersPerSecond, preload }: ChaosOptions,
  say: (text: string) => void,
): Promise<ChaosRun> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'orderfold-chaos-'));
  const services = await startCarelessServices(seed);
  const shop = await startShop({ folder, servicesUrl: services.url, workers, leaseMs: LEASE_MS, ...(preload && { preload }) });
  say(`producer and ${workers} workers are up on ${shop.database}`);
  const load = startOrderLoad(shop.client, seed, ordersPerSecond);
  const struck = await strikeAll(planStrikes(seed, seconds * 1000, workers, LEASE_MS), shop, services, say);

  services.lift();
  say(`faults lifted; ${load.accepted.size} of ${load.asked} orders have been accepted so far`);
  await Promise.all(shop.all.map((one) => one.ready()));
  await load.end(ANSWER_WITHIN_MS);
  const settled = await settleAll(shop.client, SETTLE_WITHIN_MS, say);
  await sleep(LATE_CALLS_MS);

  const stopping = performance.now();
  const endings = await Promise.all(shop.all.map(async (one) => ({ name: one.name, ending: await one.stop() })));
  say(`all processes ended within ${Math.round(performance.now() - stopping)} ms of SIGTERM`);
  await services.close();
  const evidence: Evidence = {
    database: shop.database,
    accepted: [...load.accepted.values()],
    asked: load.asked,
    services,
    maxAttempts: Number(IMPATIENT.RETRY_MAX_ATTEMPTS),
    logs: shop.all.map(({ name, log }) => ({ name, lines: log })),
    shown: [...struck.shown, ...settled.shown],
    endings,
    struck: {
      ...struck.counts,
      'replies lost or falsified': services.books.lost + services.lies,
      'requests without an answer': shop.client.unanswered,
      'answers 503': shop.client.unavailable,
    },
    did: {
      redriven: settled.redriven,
      discarded: settled.discarded,
      'cancelled by customers': load.cancelled,
      'starts of processes': shop.all.reduce((sum, { starts }) => sum + starts, 0),
    },
    faults: [...load.faults, ...shop.client.faults, ...shop.all.flatMap(({ surprises }) => surprises)],
  };
  return { evidence, forget: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) };
};
