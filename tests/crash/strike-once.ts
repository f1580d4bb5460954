import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShopBroker } from './broker/shop-broker.ts';
import { strikeBroker } from './broker/strike-broker.ts';
import type { CarelessServices } from './careless-services.ts';
import type { Keeper } from './keeper.ts';
import { operate, redriveInOutage, redriveWhileDraining } from './operating.ts';
import type { RunningShop } from './running-shop.ts';
import type { Strike } from './strikes.ts';
import { until } from './workplace.ts';

/** How long a moment of a process's work is waited for before another process is told. */
const AIM_MS = 3000;
const PATIENCE_MS = 60_000;

/** Has a transaction under way for a while, as a backup or a forgotten shell may. */
const holdFile = async (database: string, begin: string, forMs: number): Promise<boolean> => {
  const db = new DatabaseSync(database, { timeout: 0 });
  try {
    for (let tries = 0; tries < 500; tries += 1) {
      try {
        db.exec(begin);
        await sleep(forMs);
        db.exec('ROLLBACK');
        return true;
      } catch {
        await sleep(1);
      }
    }
    return false;
  } finally {
    db.close();
  }
};

/** Does it to one of them that is up, the given one if possible, until it is done: others strike too, so it may be gone by then. */
const toOneOf = (crew: readonly Keeper[], first: number, act: (one: Keeper) => boolean | Promise<boolean>): Promise<boolean> => {
  const ordered = [...crew.slice(first), ...crew.slice(0, first)];
  const tryOnce = async (): Promise<boolean> => {
    const one = ordered.find(({ up }) => up);
    return one !== undefined && act(one);
  };
  return until('somebody is there to be struck', tryOnce, PATIENCE_MS);
};

/** What there is to be struck. `shown` takes what the producer shows of dead letters, timelines and metrics. */
export interface Struckable {
  readonly shop: RunningShop;
  readonly services: CarelessServices;
  readonly broker: ShopBroker | undefined;
  readonly shown: string[];
}

/** Resolves with whether it struck, when it is over. */
export const strikeOnce = async (strike: Strike, { shop, services, broker, shown }: Struckable): Promise<boolean> => {
  const { api, workers, all, database } = shop;
  switch (strike.kind) {
    case 'kill API':
      return toOneOf([api], 0, (one) => one.kill());
    case 'kill all':
      return (await Promise.all(all.map((one) => one.kill()))).some(Boolean);
    case 'kill worker':
      return toOneOf(workers, strike.who, (one) => one.kill());
    case 'kill':
      return toOneOf(strike.who === undefined ? [api] : workers, strike.who ?? 0, (one) => one.aim(strike, AIM_MS));
    case 'restart worker':
      return toOneOf(workers, strike.who, (one) => one.restart());
    case 'flap worker':
      for (let time = 0; time < strike.times; time += 1) {
        await toOneOf(workers, strike.who, (one) => one.restart());
        await sleep(strike.everyMs);
      }
      return true;
    case 'freeze worker':
      return toOneOf(workers, strike.who, (one) => one.freeze(strike.forMs));
    case 'block worker':
    case 'hang worker':
      return toOneOf(workers, strike.who, async (one) => {
        const stunned = await one.stun({ kind: strike.kind === 'block worker' ? 'block' : 'hang', forMs: strike.forMs }, AIM_MS);
        if (stunned) await sleep(strike.forMs);
        return stunned;
      });
    case 'disk full':
    case 'read-only':
      for (const one of all) one.harm({ kind: strike.kind, forMs: strike.forMs });
      await sleep(strike.forMs);
      return true;
    case 'lock file':
      return holdFile(database, 'BEGIN IMMEDIATE', strike.forMs);
    case 'hold a snapshot':
      return holdFile(database, 'BEGIN; SELECT count(*) FROM events', strike.forMs);
    case 'services':
      await services.misbehave(strike.behaviour, strike.forMs);
      return true;
    case 'operator':
      return operate(shop, shown);
    case 'redrive in an outage':
      return redriveInOutage(shop, services);
    case 'redrive while draining':
      return redriveWhileDraining(shop, services, strike.who);
    case 'late subscription':
      return shop.addSubscription();
    default:
      return broker !== undefined && strikeBroker(strike, broker);
  }
};
