// An order of one's own and a step of one's own: a fraud check, which leaves nothing to take back and can be asked about.
import { createOrders, isLeft, memoryStore, OrderSaga, refused } from 'orderfold';

interface Ticket {
  readonly buyer: string;
  readonly seats: number;
}

/** Any Standard Schema does, from Zod, Valibot or ArkType; this one is written out. */
const ticket = {
  '~standard': {
    version: 1,
    vendor: 'example',
    validate: (
      value: unknown,
    ): { readonly value: Ticket } | { readonly issues: readonly { readonly message: string; readonly path: readonly string[] }[] } => {
      const { buyer, seats } = (value ?? {}) as Partial<Ticket>;
      if (typeof buyer !== 'string' || buyer === '') return { issues: [{ message: 'expected a name', path: ['buyer'] }] };
      if (typeof seats !== 'number' || !Number.isInteger(seats) || seats < 1)
        return { issues: [{ message: 'expected 1 or more', path: ['seats'] }] };
      return { value: { buyer, seats } };
    },
    types: undefined as { readonly input: Ticket; readonly output: Ticket } | undefined,
  },
} as const;

/** The fraud service keeps its verdicts by key, so that a lost one can be asked for. */
const verdicts = new Map<string, { readonly score: number }>();

const saga = OrderSaga.define({ order: ticket })
  .step('fraud', {
    do: async ({ order, effectKey, attempt }) => {
      const verdict = { score: order.buyer === 'mallory' ? 99 : 3 };
      verdicts.set(effectKey, verdict);
      if (attempt === 1) throw Object.assign(new Error('the verdict got lost on its way'), { code: 'LOST_REPLY' });
      return verdict;
    },
    // After a lost reply this is asked first, and `do` is not called again.
    query: async ({ effectKey }) => {
      const verdict = verdicts.get(effectKey);
      return verdict !== undefined && verdict.score > 90 ? refused('too likely a fraud', verdict) : verdict;
    },
    undo: 'nothing',
  })
  .step('seats', {
    after: ['fraud'],
    do: async ({ order, results }) => ({ row: 7, seats: order.seats, checkedWith: results.fraud.score }),
    undo: async ({ result }) => console.log(`row ${result.row} is free again`),
  });

const orders = createOrders({ store: memoryStore(), saga });
const worker = orders.worker();
await worker.start();

const wrong = await orders.place({ buyer: 'alice', seats: 0 });
console.log(isLeft(wrong) ? `not taken: ${wrong.left.issues?.map(({ path, message }) => `${path}: ${message}`).join(', ')}` : 'taken?!');

for (const buyer of ['alice', 'mallory']) {
  const placed = await orders.place({ buyer, seats: 2 });
  if (isLeft(placed)) throw new Error(placed.left.message);
  const order = await orders.settled(placed.right.orderId);
  console.log(`${buyer}: ${order.status}${order.reason === undefined ? '' : `, ${order.reason}`}`);
}
await orders.close();
