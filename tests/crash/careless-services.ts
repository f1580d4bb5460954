import { seeded } from '../../src/core/seeded.ts';
import { type Behaviour, type PaymentServer, type Reaction, type ServedCall, startPaymentServer } from '../support/payment-server.ts';
import { CARELESS, PASSWORD } from './secrets.ts';

/** On an ordinary day. */
const ORDINARY: Partial<Behaviour> = { failureRate: 0.08, declineRate: 0.05, rejectRate: 0.03, lostReplyRate: 0.03, limitRate: 0.01 };
const WELL: Behaviour = {
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

export interface CarelessServices extends PaymentServer {
  /** Adds to how it behaves on an ordinary day, for a while. */
  misbehave(behaviour: Partial<Behaviour>, forMs: number): Promise<void>;
  /** From now on all goes well, but for orders that can't succeed. */
  lift(): void;
  /** Calls that were answered with a lie or with somebody's secrets. */
  readonly lies: number;
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
  const lying = (reaction: Reaction): Reaction => {
    lies += 1;
    return reaction;
  };
  const script = (call: ServedCall): Reaction | undefined => {
    const cursed = curse(call);
    if (cursed !== undefined) return lying(cursed);
    const drawn = random();
    if (drawn < 0.01) return lying({ status: 503, body: { error: CARELESS } });
    // Done, but who is to know from this? Short, so that a parser quotes all of it.
    if (drawn < 0.02 && call.method === 'POST') return lying({ status: 201, body: `pw ${PASSWORD}`, done: true });
    return undefined;
  };
  const server = await startPaymentServer({ seed, ...ORDINARY, script });
  let lifted = false;
  return {
    ...server,
    books: server.books,
    async misbehave(behaviour, forMs) {
      if (lifted) return;
      server.behave(behaviour);
      await new Promise((resolve) => setTimeout(resolve, forMs));
      const ordinary = { ...WELL, ...ORDINARY };
      const back = Object.fromEntries(Object.keys(behaviour).map((key) => [key, ordinary[key as keyof Behaviour]]));
      if (!lifted) server.behave(back);
    },
    lift() {
      lifted = true;
      server.behave({ ...WELL, script: curse });
    },
    get lies() {
      return lies;
    },
  };
};
