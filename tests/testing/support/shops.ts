import { RetryPolicy } from '../../../src/core/retry-policy.ts';
import { type AnyOrderSaga, OrderSaga } from '../../../src/order/saga.ts';
import type { StandardOrderDetails } from '../../../src/order/standard-order.ts';
import type { StepInput, UndoInput } from '../../../src/order/step.ts';
import type { Orders } from '../../../src/runtime/orders.ts';
import { type Asked, type CarefulServices, carefulServices, type Reply } from './careful-services.ts';
import { rulesOf } from './shop-rules.ts';

/** How an application may differ from the next. */
export interface Variety {
  /** `parallel`: two steps at once, then a letter. `chain`: five, one after another, past a point of no return. `reversible`: two, with no such point. */
  readonly shape: 'parallel' | 'chain' | 'reversible';
  /** Whether steps ask what became of an earlier run before they run again. */
  readonly query: boolean;
  readonly deadlineMs: number | undefined;
}

const calls = { retry: RetryPolicy.fixed({ delayMs: 60 }).maxAttempts(3), timeoutMs: 300 };

type Input = StepInput<StandardOrderDetails, object>;

const askedOf = ({ orderId, order, effectKey: key }: Input): Asked => ({
  key,
  orderId,
  amountMinor: order.totalMinor,
  currency: order.currency,
});

const takenBack = (input: UndoInput<StandardOrderDetails, object, Reply>) => ({ ...askedOf(input), taken: input.result.id });

/** The steps an application is made of, each with or without a query. */
const stepsOf = ({ payments, stock, fraud, carrier, post }: CarefulServices, query: boolean) =>
  ({
    payment: {
      do: (input: Input) => payments.charge(askedOf(input)),
      undo: (input: UndoInput<StandardOrderDetails, object, Reply>) => payments.refund(takenBack(input)),
      ...(query && { query: (input: Input) => payments.find(askedOf(input)) }),
      ...calls,
    },
    inventory: {
      do: (input: Input) => stock.reserve(askedOf(input)),
      undo: (input: UndoInput<StandardOrderDetails, object, Reply>) => stock.release(takenBack(input)),
      ...(query && { query: (input: Input) => stock.find(askedOf(input)) }),
      ...calls,
    },
    fraud: { do: (input: Input) => fraud.check(askedOf(input)), undo: 'nothing', ...calls },
    shipping: {
      do: (input: Input) => carrier.send(askedOf(input)),
      undo: 'irreversible',
      ...(query && { query: (input: Input) => carrier.track(askedOf(input)) }),
      ...calls,
    },
    letter: {
      do: (input: Input) => post.letter(askedOf(input)),
      ...(query && { query: (input: Input) => post.find(askedOf(input)) }),
      neverRefuses: true,
      ...calls,
    },
  }) as const;

const sagaOf = ({ shape, query, deadlineMs }: Variety, services: CarefulServices): AnyOrderSaga => {
  const { payment, inventory, fraud, shipping, letter } = stepsOf(services, query);
  const saga = OrderSaga.define(deadlineMs === undefined ? {} : { deadlineMs });
  switch (shape) {
    case 'parallel':
      return saga
        .step('payment', payment)
        .step('inventory', inventory)
        .step('notification', { after: ['payment', 'inventory'], ...letter, undo: 'irreversible' });
    case 'chain':
      return saga
        .step('fraud', fraud)
        .step('payment', { after: ['fraud'], ...payment })
        .step('inventory', { after: ['payment'], ...inventory })
        .step('shipping', { after: ['inventory'], ...shipping })
        .step('receipt', { after: ['shipping'], ...letter, undo: 'nothing' });
    case 'reversible':
      return saga.step('payment', payment).step('inventory', { after: ['payment'], ...inventory });
  }
};

/** What the books are about. */
export const BOOKED = ['OrderPlaced', 'CancellationStarted', 'OrderConfirmed', 'OrderCancelled', 'StepDeadLettered'] as const;

/** An application for `simulate`: its orders, and a subscription that enters what becomes of them into the books. */
export const shopOf = (variety: Variety) => ({
  services: carefulServices,
  saga: (services: CarefulServices) => sagaOf(variety, services),
  setUp: (orders: Orders<AnyOrderSaga>, { books }: CarefulServices) => {
    const enter = ({ stream, version }: { readonly stream: string; readonly version: number }) => books.enter({ stream, version });
    orders.subscribe('books', { on: Object.fromEntries(BOOKED.map((type) => [type, enter])), start: 'beginning', ...calls });
  },
  invariants: (services: CarefulServices) => rulesOf(services, BOOKED),
});

/** Every shape, asking or not, hurried or not, by a name that says which. */
export const shops: ReadonlyMap<string, ReturnType<typeof shopOf>> = new Map(
  (['parallel', 'chain', 'reversible'] as const).flatMap((shape) =>
    [false, true].flatMap((query) =>
      [undefined, 300, 1500].map((deadlineMs) => {
        const name = `${shape}, ${query ? 'with' : 'without'} queries, ${deadlineMs === undefined ? 'no deadline' : `${deadlineMs} ms`}`;
        return [name, shopOf({ shape, query, deadlineMs })] as const;
      }),
    ),
  ),
);
