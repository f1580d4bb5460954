import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../src/core/seeded.ts';
import { CARD, PASSWORD } from './secrets.ts';
import { OPERATOR, type ShopClient } from './shop-client.ts';

/** An order somebody was told is taken. */
export interface Accepted {
  readonly key: string;
  readonly orderId: string;
  readonly totalMinor: number;
}

export interface OrderLoad {
  /** By idempotency key, every 202. */
  readonly accepted: ReadonlyMap<string, Accepted>;
  /** Keys used so far, answered or not. */
  readonly asked: number;
  /** Orders that were asked for a second time, under the same key. */
  readonly askedAgain: number;
  readonly cancelled: number;
  readonly faults: readonly string[];
  /** Nobody new comes; resolves when everybody has an answer, or `withinMs` is over. */
  end(withinMs: number): Promise<void>;
}

/** Out of a hundred customers. Those who do not ask twice at once ask again when they have an answer. */
const HABITS = { askTwiceAtOnce: 20, cancel: 12, reuseKey: 2, lookAgain: 10 } as const;

/**
 * Customers that come at a steady rate, each with a key of their own, and do not go away before they have an answer. Each of them asks
 * twice for the same order.
 */
export const startOrderLoad = (client: ShopClient, seed: number, perSecond: number): OrderLoad => {
  const random = seeded(seed);
  const accepted = new Map<string, Accepted>();
  const faults: string[] = [];
  const customers = new Set<Promise<void>>();
  const closing = new AbortController();
  const patience = new AbortController();
  let asked = 0;
  let askedAgain = 0;
  let cancelled = 0;

  const place = async (key: string, order: object): Promise<string | undefined> => {
    const answer = await client.patiently('POST', '/orders', order, { 'idempotency-key': key }, patience.signal);
    if (answer.status !== 202) {
      faults.push(`the order of ${key} was answered with ${answer.status}: ${answer.text.slice(0, 200)}`);
      return undefined;
    }
    const { orderId, totalMinor } = answer.body;
    const before = accepted.get(key);
    if (before !== undefined && before.orderId !== orderId) faults.push(`S25 the key ${key} gave ${before.orderId} and ${orderId}`);
    accepted.set(key, { key, orderId, totalMinor });
    return orderId;
  };

  const customer = async (key: string): Promise<void> => {
    const chance = (percent: number): boolean => random() * 100 < percent;
    const items = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => ({
      sku: `sku-${index} ${PASSWORD}`,
      quantity: 1 + Math.floor(random() * 3),
      unitPriceMinor: 100 + Math.floor(random() * 5000),
    }));
    const order = { customerId: `${key} pays with ${CARD}`, currency: 'EUR', items };
    const [twiceAtOnce, cancels, reuses, looks] = [
      chance(HABITS.askTwiceAtOnce),
      chance(HABITS.cancel),
      chance(HABITS.reuseKey),
      chance(HABITS.lookAgain),
    ];
    const afterMs = random() * 1500;
    const [orderId] = await Promise.all(Array.from({ length: twiceAtOnce ? 2 : 1 }, () => place(key, order)));
    if (orderId === undefined) return;
    if (!twiceAtOnce) await place(key, order);
    askedAgain += 1;
    if (looks) {
      const { status } = await client.patiently('GET', `/orders/${orderId}`, undefined, {}, patience.signal);
      if (status !== 200) faults.push(`${orderId} was accepted and answered with ${status}`);
    }
    if (reuses) {
      const other = { ...order, customerId: 'somebody else' };
      const { status } = await client.patiently('POST', '/orders', other, { 'idempotency-key': key }, patience.signal);
      if (status !== 422) faults.push(`S25 the key ${key} with another order was answered with ${status}`);
    }
    if (!cancels) return;
    await sleep(afterMs);
    const answer = await client.once('POST', `/orders/${orderId}/cancel`, { reason: `${OPERATOR.by} changed its mind` });
    if (answer?.status === 202) cancelled += 1;
    else if (answer !== undefined && ![409, 503].includes(answer.status))
      faults.push(`cancelling ${orderId} was answered with ${answer.status}`);
  };

  const come = async (): Promise<void> => {
    const begun = performance.now();
    for (; !closing.signal.aborted; asked += 1) {
      const visit = customer(`${seed}-${asked}`).catch((error: unknown) => {
        faults.push(`the customer ${seed}-${asked} left: ${error instanceof Error ? error.message : String(error)}`);
      });
      customers.add(visit);
      void visit.then(() => customers.delete(visit));
      const nextAt = begun + ((asked + 1) * 1000) / perSecond;
      await sleep(Math.max(0, nextAt - performance.now()), undefined, { signal: closing.signal }).catch(() => undefined);
    }
  };
  const coming = come();

  return {
    accepted,
    get asked() {
      return asked;
    },
    get askedAgain() {
      return askedAgain;
    },
    get cancelled() {
      return cancelled;
    },
    faults,
    async end(withinMs) {
      closing.abort();
      await coming;
      const late = setTimeout(() => patience.abort(new Error(`no answer ${withinMs} ms after the last fault`)), withinMs);
      await Promise.all(customers);
      clearTimeout(late);
    },
  };
};
