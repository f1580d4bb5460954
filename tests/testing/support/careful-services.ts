import { type Refused, refused } from '../../../src/order/refused.ts';
import type { Outside } from '../../../src/testing/index.ts';

/** What a step asks for. */
export interface Asked {
  readonly key: string;
  readonly orderId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

/** What a service answers, of which the library compares all but `id` with the order. */
export interface Reply {
  readonly id: string;
  readonly orderId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

/** One reply in twelve is not about what was asked, each time with another field of it. */
const mistaken = (reply: Reply, nth: number): Reply => {
  if (nth % 3 === 0) return { ...reply, amountMinor: reply.amountMinor + 1 };
  return nth % 3 === 1 ? { ...reply, currency: 'USD' } : { ...reply, orderId: `${reply.orderId}x` };
};

/** A service idempotent by key. What it refused once, it goes on refusing. */
const desk = (
  outside: Outside,
  name: string,
  moves: (asked: Asked) => { readonly amountMinor?: number },
  complain: (text: string) => void,
) => {
  const refusedKeys = new Set<string>();
  let replies = 0;
  const answer = ({ key, orderId, amountMinor, currency }: Asked): Reply => ({ id: key, orderId, amountMinor, currency });
  return {
    take: async (asked: Asked): Promise<Reply | Refused> => {
      if (outside.chance(`${name} refuses ${asked.key}`, 0.08)) {
        refusedKeys.add(asked.key);
        return refused(`${name}: no`);
      }
      const reply = outside.once(asked.key, moves(asked), () => answer(asked));
      replies += 1;
      return outside.chance(`${name} mistakes ${replies}`, 0.08) ? mistaken(reply, replies) : reply;
    },
    find: async (asked: Asked): Promise<Reply | Refused | undefined> =>
      refusedKeys.has(asked.key) ? refused(`${name}: no`) : (outside.find(asked.key) as Reply | undefined),
    giveBack: async (asked: Asked & { readonly taken: string }): Promise<void> => {
      const { key, taken, orderId } = asked;
      if (outside.find(taken) === undefined || !taken.startsWith(orderId))
        complain(`${name} is to take back ${taken}, which never happened`);
      if (key === taken) complain(`${name} is to take back under the key of what it takes back`);
      outside.once(key, moves(asked), () => ({}));
    },
  };
};

/** Deliveries that were entered into the books, in the order of their first time. */
export interface Entry {
  readonly stream: string;
  readonly version: number;
}

const kept = new WeakMap<object, { readonly complaints: readonly string[]; readonly entries: readonly Entry[] }>();

/** What the services of a run noticed that should never have been asked of them, and what stands in their books. */
export const keptBy = (services: object) => kept.get(services) ?? { complaints: [], entries: [] };

/** Payment, stock, fraud check, carrier and post of one run. They refuse now and then, and now and then answer about something else. */
export const carefulServices = (outside: Outside) => {
  const complaints: string[] = [];
  const entries: Entry[] = [];
  const complain = (text: string): void => void complaints.push(text);
  const stock = desk(outside, 'stock', () => ({}), complain);
  const payments = desk(outside, 'payments', ({ amountMinor }) => ({ amountMinor }), complain);
  const { take: check } = desk(outside, 'fraud', () => ({}), complain);
  const { take: send, find: track } = desk(outside, 'carrier', () => ({}), complain);
  const services = {
    payments: { charge: payments.take, find: payments.find, refund: payments.giveBack },
    stock: { reserve: stock.take, find: stock.find, release: stock.giveBack },
    fraud: { check },
    carrier: { send, track },
    post: {
      letter: async ({ key }: Asked) => outside.once(key, {}, () => ({ id: key })),
      find: async ({ key }: Asked) => outside.find(key) as { readonly id: string } | undefined,
    },
    books: {
      enter: async ({ stream, version }: Entry) => {
        if (!entries.some((entry) => entry.stream === stream && entry.version === version)) entries.push({ stream, version });
      },
    },
  };
  kept.set(services, { complaints, entries });
  return services;
};

export type CarefulServices = ReturnType<typeof carefulServices>;
