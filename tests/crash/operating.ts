import type { Behaviour } from '../support/payment-server.ts';
import type { CarelessServices } from './careless-services.ts';
import type { RunningShop } from './running-shop.ts';
import { OPERATOR } from './shop-client.ts';
import { until } from './workplace.ts';

/** Whatever is asked for is a mistake of ours: that kills at once, and by the hundred. */
const OUTAGE: Partial<Behaviour> = { script: ({ method }) => (method === 'POST' ? 400 : undefined) };

const LOOKED_AT = 3;
const PATIENCE_MS = 60_000;

/** Redrives everything, in two windows at once. True if there was something to redrive. */
const redriveTwice = async ({ client }: RunningShop): Promise<boolean> => {
  const redriven = await Promise.all([1, 2].map(() => client.once('POST', '/dead-letters/redrive', { filter: {}, ...OPERATOR })));
  return redriven.some((answer) => (answer?.body?.redriven ?? 0) > 0);
};

/** An operator has a look round and redrives what there is. `shown` takes what the producer showed of it. */
export const operate = async (shop: RunningShop, shown: string[]): Promise<boolean> => {
  const look = async (target: string) => {
    const answer = await shop.client.once('GET', target);
    if (answer !== undefined) shown.push(answer.text);
    return answer;
  };
  await look('/metrics');
  const letters = (await look('/dead-letters?limit=100'))?.body?.deadLetters ?? [];
  for (const { id, orderId } of letters.slice(0, LOOKED_AT)) {
    await look(`/dead-letters/${encodeURIComponent(id)}`);
    await look(`/orders/${orderId}/timeline`);
  }
  return redriveTwice(shop);
};

/** Redrives as long as it takes until some letter was there to be redriven. */
const redriveSome = async (shop: RunningShop): Promise<boolean> => {
  await until('some letter is redriven', () => redriveTwice(shop), PATIENCE_MS);
  return true;
};

/** Redrives what an outage has killed while it lasts: all of it is in vain. */
export const redriveInOutage = async (shop: RunningShop, services: CarelessServices): Promise<boolean> =>
  services.misbehaveWhile(OUTAGE, () => redriveSome(shop));

/** Redrives what an outage has killed while a worker drains, which may own it or be about to get it. */
export const redriveWhileDraining = async (shop: RunningShop, services: CarelessServices, who: number): Promise<boolean> => {
  const dead = async (): Promise<boolean> => ((await shop.client.once('GET', '/dead-letters?limit=1'))?.body?.deadLetters.length ?? 0) > 0;
  const worker = shop.workers[who];
  const tryOnce = async (): Promise<boolean> => {
    await services.misbehaveWhile(OUTAGE, () => until('something is dead', dead, PATIENCE_MS));
    await worker?.ready();
    const [drained, redriven] = await Promise.all([worker?.restart(), redriveTwice(shop)]);
    return drained === true && redriven;
  };
  return until('a worker drains while something is redriven', tryOnce, PATIENCE_MS);
};
