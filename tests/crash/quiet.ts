import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../examples/processes.ts';
import type { ShopClient } from './shop-client.ts';

/** How orders stand when everything has come as far as it can without an operator. */
export interface Quiet {
  /** Orders that are settled, and those that wait behind an open dead letter. */
  readonly settled: number;
  readonly waiting: number;
  /** Orders that are neither when patience ends; none when all is well. */
  readonly forgotten: readonly string[];
}

const UNDER_WAY = ['placed', 'cancelling', 'stalled'] as const;

/** All pages of a list; undefined when one of them was not to be had. */
const listed = async (client: ShopClient, target: string, field: string): Promise<readonly { readonly orderId: string }[] | undefined> => {
  const all: { readonly orderId: string }[] = [];
  for (let cursor: string | null = '', body: Answer['body']; cursor !== null; cursor = body.nextCursor) {
    const answer = await client.once('GET', `${target}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    if (answer?.status !== 200) return undefined;
    body = answer.body;
    all.push(...body[field]);
  }
  return all;
};

/** Orders that somebody or something has still to see to. */
export const underWay = async (client: ShopClient): Promise<readonly string[] | undefined> => {
  const lists = await Promise.all(UNDER_WAY.map((status) => listed(client, `/orders?status=${status}&limit=500`, 'orders')));
  if (lists.includes(undefined)) return undefined;
  return lists.flatMap((list) => (list ?? []).map(({ orderId }) => orderId));
};

/** Waits, and does nothing about it, until every order is settled or has an open dead letter. */
export const awaitQuiet = async (client: ShopClient, orders: number, withinMs: number): Promise<Quiet> => {
  const until = performance.now() + withinMs;
  for (;;) {
    const left = await underWay(client);
    const letters = await listed(client, '/dead-letters?limit=500', 'deadLetters');
    if (left !== undefined && letters !== undefined) {
      const dead = new Set(letters.map(({ orderId }) => orderId));
      const forgotten = left.filter((orderId) => !dead.has(orderId));
      const settled = orders - left.length;
      if (forgotten.length === 0 || performance.now() > until) return { settled, waiting: left.length - forgotten.length, forgotten };
    } else if (performance.now() > until) return { settled: 0, waiting: 0, forgotten: ['no list of orders'] };
    await sleep(150);
  }
};
