/** Checked by the compiler alone (`tsc --noEmit`), never run. */
import { CountBreaker } from 'cockatiel';
import type { EnvelopeOf } from '../../src/core/envelope.ts';
import type { Order } from '../../src/order/order.ts';
import { type Refused, refused } from '../../src/order/refused.ts';
import { type AnyOrderSaga, type EventsOf, type InputOf, type OrderOf, OrderSaga } from '../../src/order/saga.ts';
import type { OrderRequest, StandardOrderDetails } from '../../src/order/standard-order.ts';
import type { StandardSchemaV1 } from '../../src/order/standard-schema.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare const is: <_Yes extends true>() => void;
declare const charge: (what: { amountMinor: number; key: string; signal: AbortSignal }) => Promise<{ chargeId: string }>;

// From inline, unannotated functions.
const saga = OrderSaga.define({ deadlineMs: 900_000 })
  .step('payment', {
    do: async ({ order, effectKey, signal, results }) => {
      is<Same<typeof order, StandardOrderDetails & { readonly orderId: string }>>();
      is<Same<keyof typeof results, never>>();
      if (order.totalMinor > 1_000_000) return refused('too much');
      return charge({ amountMinor: order.totalMinor, key: effectKey, signal });
    },
    undo: ({ result, order }) => {
      is<Same<typeof result, { chargeId: string }>>();
      is<Same<typeof order.currency, string>>();
    },
    query: async ({ effectKey }) => (effectKey === '' ? undefined : { chargeId: effectKey }),
    timeoutMs: 10_000,
  })
  .step('inventory', {
    do: ({ order }) => ({ reservationId: order.orderId, n: 1 }),
    undo: ({ result }) => void is<Same<typeof result.n, number>>(),
  })
  .step('fraud', { do: () => 7, undo: 'nothing' })
  .step('notification', {
    after: ['payment', 'inventory'],
    do: ({ results, attempt, maxAttempts, generation }) => {
      is<Same<typeof results, { readonly payment: { chargeId: string }; readonly inventory: { reservationId: string; n: number } }>>();
      is<Same<typeof maxAttempts, number | undefined>>();
      return `${results.payment.chargeId} ${attempt} ${generation}`;
    },
    undo: 'irreversible',
  })
  .step('archive', {
    // A waived step has left no result.
    do: async ({ results }) => {
      is<Same<typeof results, { readonly notification: string | undefined }>>();
    },
    after: ['notification'],
    undo: ({ result, results }) => {
      is<Same<typeof result, void>>();
      is<Same<typeof results.notification, string | undefined>>();
    },
    neverRefuses: true,
  });

is<Same<InputOf<typeof saga>, OrderRequest>>();
declare const order: OrderOf<typeof saga>;
is<Same<typeof order.details, StandardOrderDetails>>();
is<Same<typeof order.steps.payment.result, { chargeId: string } | undefined>>();
is<Same<typeof order.steps.notification.result, string | undefined>>();
is<Same<keyof typeof order.steps, 'payment' | 'inventory' | 'fraud' | 'notification' | 'archive'>>();
// @ts-expect-error no such step
order.steps.shipping;
// @ts-expect-error frozen
order.steps.payment.status = 'undone';
const anyOrder: Order = order;
const anySaga: AnyOrderSaga = saga;
void [anyOrder, anySaga];

// The union of its events, narrowed by type.
declare const event: EnvelopeOf<EventsOf<typeof saga>>;
if (event.type === 'PaymentSucceeded') {
  is<Same<typeof event.data.step, 'payment'>>();
  is<Same<typeof event.data.result, { chargeId: string } | undefined>>();
}
if (event.type === 'InventoryRefused') is<Same<typeof event.data.reason, string>>();
if (event.type === 'NotificationUndoRequested') is<Same<typeof event.data.settle, boolean>>();
if (event.type === 'OrderPlaced') is<Same<typeof event.data.details, StandardOrderDetails>>();
if (event.type === 'StepSkipped') is<Same<typeof event.data.step, keyof typeof order.steps>>();
// @ts-expect-error no such event
if (event.type === 'ShippingRequested') throw event;

// How fast a step runs.
OrderSaga.define().step('payment', {
  do: () => 1,
  undo: 'nothing',
  concurrency: 4,
  rateLimit: { count: 100, perMs: 1000 },
  breaker: { trip: () => new CountBreaker({ threshold: 0.5, size: 20 }) },
});
// @ts-expect-error a rate is so many in a time
OrderSaga.define().step('payment', { do: () => 1, undo: 'nothing', rateLimit: { count: 100 } });
// @ts-expect-error no rule
OrderSaga.define().step('payment', { do: () => 1, undo: 'nothing', breaker: { trip: () => ({ success: () => {} }) } });

// From functions written elsewhere.
declare const reserve: (input: { order: { items: readonly unknown[] }; effectKey: string }) => Promise<{ reservationId: string } | Refused>;
declare const release: (input: { result: { reservationId: string }; effectKey: string }) => Promise<void>;
declare const refund: (input: { result: { chargeId: string } }) => Promise<void>;
const named = OrderSaga.define().step('inventory', { do: reserve, undo: release });
is<Same<OrderOf<typeof named>['steps']['inventory']['result'], { reservationId: string } | undefined>>();
// @ts-expect-error the undo of something else
OrderSaga.define().step('inventory', { do: reserve, undo: refund });
// @ts-expect-error another order
OrderSaga.define().step('inventory', { do: (input: { order: { weight: number } }) => input.order.weight, undo: 'nothing' });

// As methods.
OrderSaga.define().step('inventory', {
  async do({ order }) {
    return order.totalMinor;
  },
  async undo({ result }) {
    is<Same<typeof result, number>>();
  },
});

// With a schema of one's own.
interface Parcel {
  readonly weight: number;
}
declare const parcel: StandardSchemaV1<{ readonly weight: string }, Parcel>;
const parcels = OrderSaga.define({ order: parcel }).step('pickup', { do: ({ order }) => order.weight + 1, undo: 'nothing' });
is<Same<InputOf<typeof parcels>, { readonly weight: string }>>();
is<Same<OrderOf<typeof parcels>['details'], Parcel>>();

// What the compiler refuses.
// @ts-expect-error undo is missing
OrderSaga.define().step('payment', { do: () => 1 });
// @ts-expect-error no kind of undo
OrderSaga.define().step('payment', { do: () => 1, undo: 'later' });
// @ts-expect-error after names no earlier step
OrderSaga.define().step('payment', { after: ['inventory'], do: () => 1, undo: 'nothing' });
// @ts-expect-error after names the step itself
named.step('payment', { after: ['payment'], do: () => 1, undo: 'nothing' });
// @ts-expect-error results holds what after names, and nothing else
named.step('payment', { do: ({ results }) => results.inventory, undo: 'nothing' });
// @ts-expect-error a name twice
named.step('inventory', { do: () => 1, undo: 'nothing' });
// @ts-expect-error do may refuse
named.step('payment', { do: () => refused('no'), undo: 'nothing', neverRefuses: true });
// @ts-expect-error do may refuse, sometimes, later
named.step('payment', { do: async ({ attempt }) => (attempt > 1 ? refused('no') : 1), undo: 'nothing', neverRefuses: true });
named.step('payment', { do: () => refused('no'), undo: 'nothing', neverRefuses: false });
// @ts-expect-error the query finds something else
named.step('payment', { do: () => 1, undo: 'nothing', query: () => 'x' });
// @ts-expect-error nothing to be found by
named.step('payment', { do: async () => {}, undo: 'nothing', query: async () => ({ id: 1 }) });
named.step('payment', { do: () => 1, undo: 'nothing', query: () => refused('no') });
named.step('payment', { do: () => 1, undo: 'nothing', query: async () => null });
// @ts-expect-error an unknown option
named.step('payment', { do: () => 1, undo: 'nothing', retries: 3 });
// @ts-expect-error an unknown option
OrderSaga.define({ deadline: 5 });
// @ts-expect-error frozen
named.plan = saga.plan;
