import type { ShopOrders } from './saga.ts';
import type { Account } from './services/simulated.ts';

/** What is left of the orders and their money when everything is quiet. */
export interface Audit {
  readonly confirmed: number;
  readonly cancelled: number;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  /** What the confirmed orders come to. */
  readonly owedMinor: number;
  /** One line for each rule that an order breaks; empty if the audit holds. */
  readonly faults: readonly string[];
}

/** Confirmed: charged once, exactly its total, goods reserved. Cancelled: nothing kept, nothing reserved. Anything else is not settled. */
export const auditOf = async (orders: ShopOrders, orderIds: Iterable<string>, account: (orderId: string) => Account): Promise<Audit> => {
  const faults: string[] = [];
  let [confirmed, cancelled, capturedMinor, refundedMinor, owedMinor] = [0, 0, 0, 0, 0];
  for (const orderId of orderIds) {
    const order = await orders.get(orderId);
    const money = account(orderId);
    const netMinor = money.capturedMinor - money.refundedMinor;
    const check = (holds: boolean, fault: string): void => void (holds || faults.push(`${orderId}: ${fault}`));
    capturedMinor += money.capturedMinor;
    refundedMinor += money.refundedMinor;
    check(money.charges <= 1, `charged ${money.charges} times`);
    if (order?.status === 'confirmed') {
      confirmed += 1;
      owedMinor += order.details.totalMinor;
      check(netMinor === order.details.totalMinor, `confirmed with ${netMinor} captured, not ${order.details.totalMinor}`);
      check(money.reserved === 1, `confirmed with ${money.reserved} reservations`);
    } else if (order?.status === 'cancelled') {
      cancelled += 1;
      check(netMinor === 0, `cancelled with ${netMinor} captured`);
      check(money.reserved === 0, `cancelled with ${money.reserved} reservations`);
    } else check(false, `is ${order?.status ?? 'gone'}, not settled`);
  }
  if (capturedMinor - refundedMinor !== owedMinor) faults.push(`${capturedMinor - refundedMinor} kept, ${owedMinor} owed`);
  return { confirmed, cancelled, capturedMinor, refundedMinor, owedMinor, faults };
};

const money = (minor: number): string => `${(minor / 100).toFixed(2)} EUR`;

/** The audit as a table. */
export const tableOf = (audit: Audit, counts: { readonly retried: number; readonly dead: number; readonly redriven: number }): string => {
  const rows: readonly (readonly [string, string])[] = [
    ['confirmed', String(audit.confirmed)],
    ['cancelled', String(audit.cancelled)],
    ['retried', String(counts.retried)],
    ['dead', String(counts.dead)],
    ['redriven', String(counts.redriven)],
    ['captured', money(audit.capturedMinor)],
    ['refunded', money(audit.refundedMinor)],
    ['money balance', money(audit.capturedMinor - audit.refundedMinor)],
    ['owed by confirmed', money(audit.owedMinor)],
  ];
  const width = Math.max(...rows.map(([, value]) => value.length));
  return rows.map(([name, value]) => `  ${name.padEnd(18)} ${value.padStart(width)}`).join('\n');
};
