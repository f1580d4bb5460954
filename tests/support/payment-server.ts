import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { seeded } from '../../src/core/seeded.ts';

/** How the server misbehaves. Rates are 0 to 1 and drawn anew for every call; all of it can be changed while it runs. */
export interface Behaviour {
  /** 503 before anything happened. */
  readonly failureRate: number;
  /** The card is declined, for good: drawn once per key. */
  readonly declineRate: number;
  /** Nothing in stock, for good: drawn once per key. */
  readonly rejectRate: number;
  /** It happens, and then the connection is cut instead of answered. */
  readonly lostReplyRate: number;
  /** It happens, and then nothing is ever answered. */
  readonly silenceRate: number;
  /** 429 with this `Retry-After`, in seconds. */
  readonly limitRate: number;
  readonly retryAfterS: number;
  /** It happens and is answered only then, even if the client has hung up. Of its own for each call, if need be. */
  readonly delayMs: number | ((call: ServedCall) => number);
  /** How many calls are delayed. @default 1 */
  readonly delayRate: number;
  /** Connections are cut before anything happens. */
  readonly down: boolean;
  /** Decides about a call before the rates do. @default undefined: the rates decide */
  readonly script?: ((call: ServedCall) => Reaction | undefined) | undefined;
}

/** `ok` does it; a number answers this status and does nothing. So does an answer of one's own, unless it is `done` all the same. */
export type Reaction =
  | 'ok'
  | 'decline'
  | 'fail'
  | 'lose'
  | 'silence'
  | 'limit'
  | 'cut'
  | number
  | { readonly status: number; readonly body: object | string; readonly done?: true };

export interface ServedCall {
  readonly method: string;
  readonly path: string;
  readonly key: string;
  /** How often this method and path were called with this key, this time included. */
  readonly nth: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The header of this name. */
  readonly traceparent?: string;
}

export interface Charged {
  readonly chargeId: string;
  readonly orderId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly refundedMinor: number;
}

export interface Reserved {
  readonly reservationId: string;
  readonly orderId: string;
  readonly released: boolean;
}

/** What really happened, whatever was answered. */
export interface Books {
  /** By effect key. */
  readonly charges: ReadonlyMap<string, Charged>;
  readonly reservations: ReadonlyMap<string, Reserved>;
  /** Order ids by effect key. */
  readonly notifications: ReadonlyMap<string, string>;
  readonly calls: readonly ServedCall[];
  /** Replies that were lost although the effect took place: how often the fault really struck. */
  readonly lost: number;
  /** Calls no client should make: a key with another body, a refund beyond its charge, a call without a key. */
  readonly misuse: readonly string[];
}

export interface SettledOrder {
  readonly orderId: string;
  readonly status: string;
  readonly totalMinor: number;
}

export interface PaymentServer {
  readonly url: string;
  readonly books: Books;
  behave(change: Partial<Behaviour>): void;
  /** Somebody gives the money of this order back, past all clients. */
  refundByHand(orderId: string): void;
  /** What of these orders does not hold: charged once, kept exactly when confirmed, nothing left reserved. Empty when all is well. */
  audit(orders: readonly SettledOrder[]): readonly string[];
  close(): Promise<void>;
}

const WELL_BEHAVED: Behaviour = {
  failureRate: 0,
  declineRate: 0,
  rejectRate: 0,
  lostReplyRate: 0,
  silenceRate: 0,
  limitRate: 0,
  retryAfterS: 1,
  delayMs: 0,
  delayRate: 1,
  down: false,
};

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const byOrder = <T>(all: Iterable<T>, orderOf: (one: T) => string): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(orderOf(one), [...(groups.get(orderOf(one)) ?? []), one]);
  return groups;
};

interface Answer {
  readonly status: number;
  readonly body?: object | string;
}

const read = async (request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> => {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
};

/**
 * Payment, inventory and notification as the examples' clients call them, over real HTTP, with books that tell what really
 * happened. The same key acts once. `seed` makes its faults repeatable as far as the order of calls is.
 */
export const startPaymentServer = async ({
  seed = 1,
  port = 0,
  ...behaviour
}: Partial<Behaviour> & { readonly seed?: number; readonly port?: number } = {}): Promise<PaymentServer> => {
  let now: Behaviour = { ...WELL_BEHAVED, ...behaviour };
  const random = seeded(seed);
  const charges = new Map<string, Mutable<Charged>>();
  const reservations = new Map<string, Mutable<Reserved>>();
  const refunds = new Map<string, string>();
  const notifications = new Map<string, string>();
  const declined = new Map<string, boolean>();
  const bodies = new Map<string, string>();
  const counts = new Map<string, number>();
  const calls: ServedCall[] = [];
  const misuse: string[] = [];
  let lost = 0;

  const drawnOnce = (key: string, rate: number): boolean => {
    const known = declined.get(key);
    if (known !== undefined) return known;
    const drawn = random() < rate;
    declined.set(key, drawn);
    return drawn;
  };

  const react = (call: ServedCall): Reaction => {
    if (now.down) return 'cut';
    const scripted = now.script?.(call);
    if (scripted !== undefined) return scripted;
    if (random() < now.failureRate) return 'fail';
    if (random() < now.limitRate) return 'limit';
    if (random() < now.lostReplyRate) return 'lose';
    if (random() < now.silenceRate) return 'silence';
    return 'ok';
  };

  const charge = ({ key, body }: ServedCall, decline: boolean): Answer => {
    if (decline) declined.set(key, true);
    if (drawnOnce(key, now.declineRate)) return { status: 402, body: { reason: 'the card was declined' } };
    const { orderId, amountMinor, currency } = body as unknown as Charged;
    const before = charges.get(key);
    const charged = before ?? { chargeId: `ch_${charges.size + 1}`, orderId, amountMinor, currency, refundedMinor: 0 };
    charges.set(key, charged);
    return { status: 201, body: { chargeId: charged.chargeId, orderId, amountMinor, currency } };
  };

  const refund = ({ key, body }: ServedCall): Answer => {
    const charged = [...charges.values()].find(({ chargeId }) => chargeId === body.chargeId);
    if (charged === undefined) {
      misuse.push(`refund of an unknown charge ${String(body.chargeId)}`);
      return { status: 404 };
    }
    if (refunds.has(key)) return { status: 200, body: { refundId: refunds.get(key) } };
    charged.refundedMinor += Number(body.amountMinor);
    if (charged.refundedMinor > charged.amountMinor) misuse.push(`${charged.orderId}: refunded more than was charged`);
    refunds.set(key, `rf_${refunds.size + 1}`);
    return { status: 201, body: { refundId: refunds.get(key) } };
  };

  const reserve = ({ key, body }: ServedCall, decline: boolean): Answer => {
    if (decline) declined.set(key, true);
    if (drawnOnce(key, now.rejectRate)) return { status: 409, body: { reason: 'not enough in stock' } };
    const reserved = reservations.get(key) ?? {
      reservationId: `rs_${reservations.size + 1}`,
      orderId: String(body.orderId),
      released: false,
    };
    reservations.set(key, reserved);
    return { status: 201, body: { reservationId: reserved.reservationId } };
  };

  const act = (call: ServedCall, decline: boolean): Answer => {
    const { method, path, key, body } = call;
    const route = `${method} ${path}`;
    if (route === 'POST /charges') return charge(call, decline);
    if (route === 'GET /charges') {
      const found = charges.get(key);
      return found === undefined ? { status: 404 } : { status: 200, body: { chargeId: found.chargeId } };
    }
    if (route === 'POST /refunds') return refund(call);
    if (route === 'POST /reservations') return reserve(call, decline);
    if (method === 'DELETE' && path.startsWith('/reservations/')) {
      const reserved = [...reservations.values()].find(({ reservationId }) => `/reservations/${reservationId}` === path);
      if (reserved !== undefined) reserved.released = true;
      return { status: 204 };
    }
    if (route === 'POST /notifications') {
      notifications.set(key, String(body.orderId));
      return { status: 202 };
    }
    misuse.push(`no such route: ${route}`);
    return { status: 404 };
  };

  const record = (request: IncomingMessage, body: ServedCall['body']): ServedCall => {
    const { method = '', url = '' } = request;
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const header = request.headers['idempotency-key'];
    const key = searchParams.get('key') ?? (typeof header === 'string' ? header : '');
    const counted = `${method} ${pathname} ${key}`;
    counts.set(counted, (counts.get(counted) ?? 0) + 1);
    const text = JSON.stringify(body);
    if (key === '') misuse.push(`${method} ${pathname} without a key`);
    if (method !== 'GET') {
      if ((bodies.get(counted) ?? text) !== text) misuse.push(`${counted}: the same key with another body`);
      bodies.set(counted, text);
    }
    const { traceparent } = request.headers;
    const trace = typeof traceparent === 'string' ? { traceparent } : {};
    const call = { method, path: pathname, key, nth: counts.get(counted) ?? 1, body, ...trace };
    calls.push(call);
    return call;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const call = record(request, await read(request));
    const reaction = react(call);
    const delayMs = typeof now.delayMs === 'function' ? now.delayMs(call) : now.delayMs;
    if (delayMs > 0 && random() < now.delayRate) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const answer = ({ status, body }: Answer, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'object' ? JSON.stringify(body) : body);
    };
    if (typeof reaction === 'number') return answer({ status: reaction });
    if (typeof reaction === 'object') {
      if (reaction.done) {
        act(call, false);
        lost += 1;
      }
      return answer(reaction);
    }
    switch (reaction) {
      case 'cut':
        return void request.socket.destroy();
      case 'fail':
        return answer({ status: 503 });
      case 'limit':
        return answer({ status: 429 }, { 'retry-after': String(now.retryAfterS) });
      case 'lose':
      case 'silence':
        act(call, false);
        lost += 1;
        if (reaction === 'lose') request.socket.destroy();
        return;
      default:
        return answer(act(call, reaction === 'decline'));
    }
  };

  const server = createServer((request, response) => void serve(request, response).catch(() => request.socket.destroy()));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    books: {
      charges,
      reservations,
      notifications,
      calls,
      misuse,
      get lost() {
        return lost;
      },
    },
    behave(change) {
      now = { ...now, ...change };
    },
    refundByHand(orderId) {
      for (const charged of charges.values()) if (charged.orderId === orderId) charged.refundedMinor = charged.amountMinor;
    },
    audit(orders) {
      const faults = [...misuse];
      const chargesOf = byOrder(charges.values(), ({ orderId }) => orderId);
      const reservationsOf = byOrder(reservations.values(), ({ orderId }) => orderId);
      const notified = byOrder(notifications.values(), (orderId) => orderId);
      for (const { orderId, status, totalMinor } of orders) {
        const charged = chargesOf.get(orderId) ?? [];
        const netMinor = charged.reduce((sum, one) => sum + one.amountMinor - one.refundedMinor, 0);
        const kept = charged.filter((one) => one.refundedMinor < one.amountMinor).length;
        const reserved = (reservationsOf.get(orderId) ?? []).filter(({ released }) => !released).length;
        const told = notified.get(orderId)?.length ?? 0;
        const owedMinor = status === 'confirmed' ? totalMinor : 0;
        const held = status === 'confirmed' ? 1 : 0;
        if (status !== 'confirmed' && status !== 'cancelled') faults.push(`${orderId} is ${status}, not settled`);
        if (netMinor !== owedMinor) faults.push(`${orderId} is ${status} and ${netMinor} of ${owedMinor} are captured`);
        if (kept > 1) faults.push(`${orderId} has ${kept} charges that were not refunded`);
        if (reserved !== held) faults.push(`${orderId} is ${status} and has ${reserved} reservations`);
        if (told > held) faults.push(`${orderId} is ${status} and was notified ${told} times`);
      }
      return faults;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
