import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { relayed } from './broker/relayed.ts';
import type { ShopBroker } from './broker/shop-broker.ts';
import { type CarelessServices, startCarelessServices } from './careless-services.ts';
import type { Evidence } from './evidence.ts';
import { type OrderLoad, startOrderLoad } from './order-load.ts';
import { awaitQuiet } from './quiet.ts';
import { IMPATIENT, type RunningShop, type ShopOptions, startShop } from './running-shop.ts';
import { settleAll } from './settling.ts';
import { caughtUp, LATE_VIEW } from './views.ts';

export interface DayOptions extends Partial<Omit<ShopOptions, 'servicesUrl'>> {
  readonly seed: number;
  readonly ordersPerSecond: number;
  /** Carries the events; it is used for this day only. */
  readonly broker?: ShopBroker | undefined;
  /** How long orders may take to settle when all is well again. @default 240_000 */
  readonly settleWithinMs?: number;
}

/** A shop that is open: processes, services that are careless, and customers that keep coming. */
export interface Day {
  readonly folder: string;
  readonly shop: RunningShop;
  readonly services: CarelessServices;
  readonly load: OrderLoad;
  readonly broker: ShopBroker | undefined;
  /**
   * Lifts every fault, sees to it that all orders are settled, tells all processes to stop, and gives what there is to audit.
   * @param struck how often each fault did, and which of them had to
   */
  end(struck?: Pick<Evidence, 'struck' | 'hadToStrike'>, shown?: readonly string[]): Promise<Evidence>;
  /** Ends whatever still runs. */
  close(): Promise<void>;
  /** And removes its folder. */
  forget(): Promise<void>;
}

const LEASE_MS = 1500;
const ANSWER_WITHIN_MS = 30_000;
/** A machine that is busy with other things takes its time. */
const SETTLE_WITHIN_MS = 240_000;
/** Calls that everybody has given up on may still arrive. */
const LATE_CALLS_MS = 1400;

export const beginDay = async (options: DayOptions, say: (text: string) => void = () => undefined): Promise<Day> => {
  const {
    seed,
    ordersPerSecond,
    workers = 2,
    leaseMs = LEASE_MS,
    folder: given,
    broker,
    settleWithinMs = SETTLE_WITHIN_MS,
    ...more
  } = options;
  const folder = given ?? (await mkdtemp(path.join(tmpdir(), 'orderfold-day-')));
  const services = await startCarelessServices(seed);
  const env = { ...more.env, ...(broker && { TRANSPORT_URL: broker.transportUrl }) };
  const shop = await startShop({ folder, servicesUrl: services.url, workers, leaseMs, ...more, env });
  say(`producer and ${workers} workers are up on ${shop.database}`);
  await broker?.serves(shop.database, more.views ? [LATE_VIEW] : []);
  const load = startOrderLoad(shop.client, seed, ordersPerSecond);
  const maxAttempts = Number(more.env?.RETRY_MAX_ATTEMPTS ?? IMPATIENT.RETRY_MAX_ATTEMPTS);

  const close = async (): Promise<void> => {
    await load.end(0);
    await Promise.all(shop.all.map((one) => one.dispose()));
    await services.close();
    await broker?.close();
  };

  return {
    folder,
    shop,
    services,
    load,
    broker,
    async end({ struck, hadToStrike } = { struck: {}, hadToStrike: [] }, shown = []) {
      services.lift();
      say(`faults lifted; ${load.accepted.size} of ${load.asked} orders have been accepted so far`);
      await Promise.all(shop.all.map((one) => one.ready()));
      await load.end(ANSWER_WITHIN_MS);
      const quiet = await awaitQuiet(shop.client, load.accepted.size, settleWithinMs);
      say(
        `${quiet.settled} are settled without an operator, ${quiet.waiting} wait behind a dead letter, ${quiet.forgotten.length} for nothing`,
      );
      const settled = await settleAll(shop.client, services, settleWithinMs, say);
      await caughtUp(shop.database, shop.views, settleWithinMs);
      if (broker !== undefined) {
        await relayed(shop.database, settleWithinMs);
        say('everything is published and has been handled');
      }
      await sleep(LATE_CALLS_MS);

      let endings: Evidence['endings'] = [];
      const stop = async (): Promise<void> => {
        const stopping = performance.now();
        endings = await Promise.all(shop.all.map(async (one) => ({ name: one.name, ending: await one.stop() })));
        say(`all processes ended within ${Math.round(performance.now() - stopping)} ms of SIGTERM`);
      };
      const leftAtBroker = await broker?.end(settleWithinMs, stop);
      if (broker === undefined) await stop();
      await services.close();
      return {
        database: shop.database,
        accepted: [...load.accepted.values()],
        asked: load.asked,
        services,
        maxAttempts,
        logs: shop.all.map(({ name, log }) => ({ name, lines: log })),
        shown: [...shown, ...settled.shown],
        endings,
        quiet,
        broker: leftAtBroker,
        views: shop.views,
        struck: {
          ...struck,
          ...broker?.struck(shop.all.flatMap(({ log }) => log)),
          ...(await shop.harmDone()),
          'orders asked for again': load.askedAgain,
          'undos that failed twenty times, then worked': services.stubborn.worked,
          'undos that never worked': services.stubborn.hopeless,
          'replies lost or falsified': services.books.lost + services.lies,
          'requests without an answer': shop.client.unanswered,
          'answers 503': shop.client.unavailable,
        },
        hadToStrike,
        did: {
          redriven: settled.redriven,
          discarded: settled.discarded,
          'refunded by hand': settled.byHand,
          'cancelled by customers': load.cancelled,
          'starts of processes': shop.all.reduce((sum, { starts }) => sum + starts, 0),
        },
        faults: [...load.faults, ...shop.client.faults, ...shop.all.flatMap(({ surprises }) => surprises)],
      };
    },
    close,
    async forget() {
      await close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};
