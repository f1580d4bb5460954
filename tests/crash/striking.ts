import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CarelessServices } from './careless-services.ts';
import type { RunningShop } from './running-shop.ts';
import { OPERATOR } from './shop-client.ts';
import type { PlannedStrike, Strike } from './strikes.ts';

export interface Struck {
  /** How often each kind really struck. */
  readonly counts: Readonly<Record<string, number>>;
  /** What the producer showed of dead letters, timelines and metrics meanwhile. */
  readonly shown: readonly string[];
}

const LOOKED_AT = 3;

/** An operator has a look round and redrives everything, in two windows at once. */
const operate = async ({ client }: RunningShop, shown: string[]): Promise<boolean> => {
  const look = async (target: string) => {
    const answer = await client.once('GET', target);
    if (answer !== undefined) shown.push(answer.text);
    return answer;
  };
  await look('/metrics');
  const letters = (await look('/dead-letters?limit=100'))?.body?.deadLetters ?? [];
  for (const { id, orderId } of letters.slice(0, LOOKED_AT)) {
    await look(`/dead-letters/${encodeURIComponent(id)}`);
    await look(`/orders/${orderId}/timeline`);
  }
  const redriven = await Promise.all([1, 2].map(() => client.once('POST', '/dead-letters/redrive', { filter: {}, ...OPERATOR })));
  return redriven.some((answer) => (answer?.body?.redriven ?? 0) > 0);
};

/** Holds the write lock, as a backup or a forgotten shell may. */
const lockFile = async (database: string, forMs: number): Promise<boolean> => {
  const db = new DatabaseSync(database, { timeout: 0 });
  try {
    for (let tries = 0; tries < 500; tries += 1) {
      try {
        db.exec('BEGIN IMMEDIATE');
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

const strikeOnce = async (strike: Strike, shop: RunningShop, services: CarelessServices, shown: string[]): Promise<boolean> => {
  switch (strike.kind) {
    case 'kill API':
      return shop.api.kill();
    case 'kill all':
      return (await Promise.all(shop.all.map((one) => one.kill()))).every(Boolean);
    case 'kill worker':
      return (await shop.workers[strike.who]?.kill()) === true;
    case 'restart worker':
      return (await shop.workers[strike.who]?.restart()) === true;
    case 'freeze worker':
      return (await shop.workers[strike.who]?.freeze(strike.forMs)) === true;
    case 'lock file':
      return lockFile(shop.database, strike.forMs);
    case 'services':
      await services.misbehave(strike.behaviour, strike.forMs);
      return true;
    case 'operator':
      return operate(shop, shown);
  }
};

const inWords = (strike: Strike): string => {
  const which = 'who' in strike ? ` ${strike.who + 1}` : '';
  const how = strike.kind === 'services' ? ` ${strike.what}` : '';
  return `${strike.kind}${which}${how}${'forMs' in strike ? ` for ${strike.forMs} ms` : ''}`;
};

/** Carries out the plan; resolves when the last strike is over. */
export const strikeAll = async (
  plan: readonly PlannedStrike[],
  shop: RunningShop,
  services: CarelessServices,
  say: (text: string) => void,
): Promise<Struck> => {
  const counts: Record<string, number> = {};
  const shown: string[] = [];
  const begun = performance.now();
  const under = plan.map(async ({ atMs, strike }) => {
    await sleep(Math.max(0, begun + atMs - performance.now()));
    say(inWords(strike));
    const kind = strike.kind === 'services' ? `services ${strike.what}` : strike.kind;
    const hit = await strikeOnce(strike, shop, services, shown);
    counts[kind] = (counts[kind] ?? 0) + (hit ? 1 : 0);
  });
  await Promise.all(under);
  return { counts, shown };
};
