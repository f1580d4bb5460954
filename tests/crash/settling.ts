import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../examples/processes.ts';
import type { CarelessServices } from './careless-services.ts';
import { underWay } from './quiet.ts';
import { OPERATOR, type ShopClient } from './shop-client.ts';

export interface Settled {
  readonly redriven: number;
  readonly discarded: number;
  /** Of those, refunds, which somebody has then made by hand. */
  readonly byHand: number;
  /** Orders that are still under way when patience ends; 0 when all is well. */
  readonly left: number;
  /** Every dead letter as it was shown. */
  readonly shown: readonly string[];
}

/** Redrives every dead letter, discards what dies again although nothing is wrong any more, until no order is under way. */
export const settleAll = async (
  client: ShopClient,
  services: Pick<CarelessServices, 'refundByHand'>,
  withinMs: number,
  say: (text: string) => void,
): Promise<Settled> => {
  const until = performance.now() + withinMs;
  const shown: string[] = [];
  const triedAgain = new Set<string>();
  let redriven = 0;
  let discarded = 0;
  let byHand = 0;

  const get = async (target: string): Promise<Answer['body']> => {
    for (;;) {
      const answer = await client.once('GET', target);
      if (answer?.status === 200) return answer.body;
      if (performance.now() > until) return undefined;
      await sleep(100);
    }
  };

  const seeTo = async ({ id, type, orderId }: Readonly<Record<'id' | 'type' | 'orderId', string>>): Promise<void> => {
    const letter = await client.once('GET', `/dead-letters/${encodeURIComponent(id)}`);
    if (letter !== undefined) shown.push(letter.text);
    const change = triedAgain.has(id) ? 'discard' : 'redrive';
    const answer = await client.once('POST', `/dead-letters/${encodeURIComponent(id)}/${change}`, OPERATOR);
    if (answer?.status !== 202) return;
    triedAgain.add(id);
    if (change === 'redrive') redriven += 1;
    else discarded += 1;
    if (change === 'redrive' || type !== 'PaymentUndoRequested') return;
    services.refundByHand(orderId);
    byHand += 1;
  };

  let left = 0;
  let said = -1;
  do {
    const page = await get('/dead-letters?limit=500');
    for (const letter of page?.deadLetters ?? []) await seeTo(letter);
    left = (await underWay(client))?.length ?? 1;
    if (left !== said) say(`${left} orders under way`);
    said = left;
    if (left > 0) await sleep(150);
  } while (left > 0 && performance.now() < until);
  const metrics = await client.once('GET', '/metrics');
  if (metrics !== undefined) shown.push(metrics.text);
  return { redriven, discarded, byHand, left, shown };
};
