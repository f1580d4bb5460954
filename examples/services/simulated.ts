import { setTimeout as sleep } from 'node:timers/promises';
import { permanent, refused } from 'orderfold';
import type { Simulation } from '../settings.ts';
import type { Call, Services } from './services.ts';

/** What the simulated services know of one order. */
export interface Account {
  readonly charges: number;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  /** Reservations made and not released. */
  readonly reserved: number;
}

export interface SimulatedServices extends Services {
  /** Money and goods of an order, as far as they went through this process. */
  account(orderId: string): Account;
  /** From now on every call to the payment service fails, or no longer. */
  setPaymentOutage(down: boolean): void;
}

interface Charged {
  readonly chargeId: string;
  readonly orderId: string;
  readonly amountMinor: number;
  refundKey?: string;
}

/** So that a worker may run for weeks: what is forgotten comes out the same again, because it follows from its key. */
const REMEMBERED = 200_000;

const remember = <Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void => {
  map.set(key, value);
  if (map.size <= REMEMBERED) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
};

/** 32 bits that depend on every character. @see FNV-1a, and the finaliser of MurmurHash3 */
const hash = (text: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

const fault = (code: string, message: string): Error => Object.assign(new Error(message), { code });

/**
 * Payment, inventory and notification in this process. All of it follows from the seed and the effect key: a card that is declined
 * stays declined, and a charge that is asked for twice, in this process or another one, is the same charge.
 */
export const simulatedServices = (simulation: Simulation): SimulatedServices => {
  const charges = new Map<string, Charged>();
  const chargeKeys = new Map<string, string>();
  const reservations = new Map<string, string>();
  const accounts = new Map<string, Account>();
  const calls = new Map<string, number>();
  let paymentDown = false;

  const happens = (rate: number, ...what: readonly (string | number)[]): boolean =>
    hash([simulation.seed, ...what].join('/')) / 2 ** 32 < rate;
  const idFor = (kind: string, key: string): string =>
    `${kind}_${hash(`${kind}/${key}`).toString(36).padStart(7, '0')}${hash(`${key}/${kind}`).toString(36).padStart(7, '0')}`;

  const account = (orderId: string): Account => accounts.get(orderId) ?? { charges: 0, capturedMinor: 0, refundedMinor: 0, reserved: 0 };
  const book = (orderId: string, change: (before: Account) => Partial<Account>): void => {
    const before = account(orderId);
    remember(accounts, orderId, { ...before, ...change(before) });
  };

  const latency = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (simulation.latencyMs === 0) return;
    await sleep(simulation.latencyMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  };

  /** The way to the payment service, which may fail; resolves with how often it was gone under this key. */
  const reachPayment = async ({ key, signal }: Call): Promise<number> => {
    await latency(signal);
    const call = (calls.get(key) ?? 0) + 1;
    remember(calls, key, call);
    if (paymentDown) throw fault('ECONNREFUSED', 'the payment service is down');
    if (happens(simulation.paymentFailureRate, key, 'fails', call)) throw fault('HTTP_503', 'the payment service answered 503');
    return call;
  };

  return {
    account,
    setPaymentOutage(down) {
      paymentDown = down;
    },

    async charge({ orderId, amountMinor }, call) {
      const attempt = await reachPayment(call);
      if (happens(simulation.paymentDeclineRate, call.key, 'declined')) return refused('the card was declined');
      const before = charges.get(call.key);
      if (before !== undefined && before.amountMinor !== amountMinor)
        throw permanent(fault('KEY_REUSED', 'this key was used for another amount'));
      const charged = before ?? { chargeId: idFor('ch', call.key), orderId, amountMinor };
      if (before === undefined) {
        remember(charges, call.key, charged);
        remember(chargeKeys, charged.chargeId, call.key);
        book(orderId, ({ charges: made, capturedMinor }) => ({ charges: made + 1, capturedMinor: capturedMinor + amountMinor }));
      }
      if (happens(simulation.paymentLostReplyRate, call.key, 'lost', attempt))
        throw fault('LOST_REPLY', 'the connection broke before the reply');
      return { chargeId: charged.chargeId };
    },

    async findCharge(call) {
      await reachPayment(call);
      const charged = charges.get(call.key);
      return charged && { chargeId: charged.chargeId };
    },

    async refund({ chargeId, amountMinor }, call) {
      await reachPayment(call);
      const charged = charges.get(chargeKeys.get(chargeId) ?? '');
      if (charged === undefined || charged.refundKey === call.key) return;
      if (charged.refundKey !== undefined || amountMinor > charged.amountMinor)
        throw permanent(fault('REFUND', 'this charge was refunded already'));
      charged.refundKey = call.key;
      book(charged.orderId, ({ refundedMinor }) => ({ refundedMinor: refundedMinor + amountMinor }));
    },

    async reserve({ orderId }, { key, signal }) {
      await latency(signal);
      if (happens(simulation.inventoryRejectRate, key, 'rejected')) return refused('not enough in stock');
      const reservationId = idFor('rs', key);
      if (!reservations.has(reservationId)) {
        remember(reservations, reservationId, orderId);
        book(orderId, ({ reserved }) => ({ reserved: reserved + 1 }));
      }
      return { reservationId };
    },

    async release({ reservationId }, { signal }) {
      await latency(signal);
      const orderId = reservations.get(reservationId);
      if (orderId === undefined || !reservations.delete(reservationId)) return;
      book(orderId, ({ reserved }) => ({ reserved: reserved - 1 }));
    },

    async notify(_notification, { signal }) {
      await latency(signal);
    },
  };
};
