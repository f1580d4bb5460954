import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../src/core/seeded.ts';
import { type Behaviour, type PaymentServer, type Reaction, type ServedCall, startPaymentServer } from '../support/payment-server.ts';
import { CARELESS, PASSWORD } from './secrets.ts';

/** On an ordinary day. */
const ORDINARY: Partial<Behaviour> = { failureRate: 0.08, declineRate: 0.05, rejectRate: 0.03, lostReplyRate: 0.03, limitRate: 0.01 };
export const WELL: Behaviour = {
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
  script: undefined,
};

/** Out of two hundred orders. */
const CURSES = 200;

/** Out of six refunds, by the order they are first asked for: one fails so often and then works, another never does. */
const REFUNDS = { outOf: 6, failing: 20 } as const;

export interface CarelessServices extends PaymentServer {
  /** Adds to how it behaves on an ordinary day, for a while. */
  misbehave(behaviour: Partial<Behaviour>, forMs: number): Promise<void>;
  /** The same until this is done. */
  misbehaveWhile<T>(behaviour: Partial<Behaviour>, act: () => Promise<T>): Promise<T>;
  /** From now on all goes well, but for orders that can't succeed. */
  lift(): void;
  /** Calls that were answered with a lie or with somebody's secrets. */
  readonly lies: number;
  /** Undos that worked after twenty failures, and undos that never will. */
  readonly stubborn: { readonly worked: number; readonly hopeless: number };
}

const orderOf = ({ body, key }: ServedCall): string => (typeof body.orderId === 'string' ? body.orderId : (key.split(':')[0] ?? ''));

/** Orders have their fate in their name. */
const fateOf = (orderId: string): number =>
  [...orderId].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 1_000_003, 7) % CURSES;

/** What never works for these orders, whatever is tried. */
const curse = (call: ServedCall): Reaction | undefined => {
  const fate = fateOf(orderOf(call));
  const route = `${call.method} ${call.path}`;
  if (fate === 0 && route === 'POST /charges') return { status: 422, body: { error: CARELESS } };
  // Charged, and then the service takes it for a mistake of ours.
  if (fate === 1 && route === 'POST /charges') return { status: 400, body: { error: CARELESS }, done: true };
  if (fate === 2 && route === 'POST /notifications') return 410;
  return undefined;
};

/** Payment, inventory and notification that lie, delay, drop replies and give secrets away. */
export const startCarelessServices = async (seed: number): Promise<CarelessServices> => {
  const random = seeded(seed);
  let lies = 0;
  /** Effect keys of refunds, and how often each has been asked for. */
  const refunds = new Map<string, number>();
  const stubborn = { worked: new Set<number>(), hopeless: new Set<number>() };
  const stubbornly = ({ method, path, key }: ServedCall): Reaction | undefined => {
    if (`${method} ${path}` !== 'POST /refunds') return undefined;
    const asked = (refunds.get(key) ?? 0) + 1;
    refunds.set(key, asked);
    const nth = [...refunds.keys()].indexOf(key);
    if (nth % REFUNDS.outOf === 1) {
      if (asked <= REFUNDS.failing) return 'fail';
      stubborn.worked.add(nth);
    }
    if (nth % REFUNDS.outOf !== 2) return undefined;
    stubborn.hopeless.add(nth);
    return 'fail';
  };
  const lying = (reaction: Reaction): Reaction => {
    lies += 1;
    return reaction;
  };
  const script = (call: ServedCall): Reaction | undefined => {
    const cursed = curse(call);
    if (cursed !== undefined) return lying(cursed);
    const refused = stubbornly(call);
    if (refused !== undefined) return refused;
    const drawn = random();
    if (drawn < 0.01) return lying({ status: 503, body: { error: CARELESS } });
    // Done, but who is to know from this? Short, so that a parser quotes all of it.
    if (drawn < 0.02 && call.method === 'POST') return lying({ status: 201, body: `pw ${PASSWORD}`, done: true });
    return undefined;
  };
  const server = await startPaymentServer({ seed, ...ORDINARY, script });
  let lifted = false;
  const misbehaveWhile = async <T>(behaviour: Partial<Behaviour>, act: () => Promise<T>): Promise<T> => {
    if (!lifted) server.behave(behaviour);
    try {
      return await act();
    } finally {
      const ordinary = { ...WELL, ...ORDINARY, script };
      const back = Object.fromEntries(Object.keys(behaviour).map((key) => [key, ordinary[key as keyof Behaviour]]));
      if (!lifted) server.behave(back);
    }
  };
  return {
    ...server,
    books: server.books,
    misbehave: (behaviour, forMs) => misbehaveWhile(behaviour, () => sleep(forMs)),
    misbehaveWhile,
    lift() {
      lifted = true;
      server.behave({ ...WELL, script: (call) => curse(call) ?? stubbornly(call) });
    },
    get lies() {
      return lies;
    },
    get stubborn() {
      return { worked: stubborn.worked.size, hopeless: stubborn.hopeless.size };
    },
  };
};
