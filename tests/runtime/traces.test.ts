import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { permanent } from '../../src/core/permanent.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import type { Store } from '../../src/core/store.ts';
import { OrderSaga } from '../../src/order/saga.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import { createOrdersOn } from '../../src/runtime/orders.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { createSqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';
import { type VirtualSystem, virtualSystem } from '../../src/testing/virtual-system.ts';
import { temporaryFile } from '../stores/sqlite-files.ts';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const OTHER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
const INVALID = [
  '',
  'no',
  TRACE.toUpperCase(),
  `${TRACE}-0`,
  TRACE.replace('00-', '01-'),
  `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  7,
  null,
];

const STORES: readonly (readonly [string, (system: VirtualSystem) => Promise<Store>])[] = [
  ['memory', async (system) => createMemoryStore(system, 2)],
  ['sqlite', async (system) => createSqliteStore({ path: await temporaryFile(), shards: 2 }, system)],
];

type Events = { Asked: { n: number }; Answered: { n: number } };

describe.each(STORES)('the trace of an event in a %s store', (_, make) => {
  const setUp = async () => {
    const system = virtualSystem();
    const store = await make(system);
    return { system, store, bus: createEventBus<Events>(system, { store }) };
  };

  it.each([
    ['at any version', {}],
    ['at a version', { expected: 'none' as const }],
  ])('comes back from publish, is seen by handlers and views, and goes on to their reactions (%s)', async (_, more) => {
    const { system, bus } = await setUp();
    const seen: unknown[] = [];
    bus.subscribe('answers', {
      on: {
        Asked: ({ data, traceparent, attempt }) => {
          seen.push([data.n, traceparent, attempt]);
          if (attempt === 1 && data.n === 2) throw new Error('not yet');
          return data.n === 1 ? [{ type: 'Answered', data }] : () => [{ type: 'Answered', data }];
        },
      },
      retry: RetryPolicy.fixed({ delayMs: 10 }),
    });
    const view = bus.project<{ traceparent: string | null }>('traces', {
      types: ['Answered'],
      handle: (events, draft) => {
        for (const { stream, traceparent = null } of events) draft.set(stream, { traceparent });
      },
    });
    await system.run(bus.start());
    const first = await system.run(bus.publish({ stream: 'a', type: 'Asked', data: { n: 1 }, traceparent: TRACE, ...more }));
    expect(first.traceparent).toBe(TRACE);
    await system.run(bus.publish({ stream: 'b', type: 'Asked', data: { n: 2 }, traceparent: OTHER, ...more }));
    const untraced = await system.run(bus.publish({ stream: 'c', type: 'Asked', data: { n: 3 }, ...more }));
    expect(untraced).not.toHaveProperty('traceparent');
    await system.advance(1000);
    expect(seen).toEqual([
      [1, TRACE, 1],
      [2, OTHER, 1],
      [3, undefined, 1],
      [2, OTHER, 2],
    ]);
    for (const [stream, traceparent] of [
      ['a', TRACE],
      ['b', OTHER],
      ['c', undefined],
    ] as const) {
      const events = await system.run(bus.events(stream));
      expect(events.map(({ type, cause, traceparent }) => [type, cause, traceparent])).toEqual([
        ['Asked', undefined, traceparent],
        ['Answered', `${stream}@1`, traceparent],
      ]);
      expect(await system.run(view.get(stream))).toEqual({ traceparent: traceparent ?? null });
    }
    await system.run(bus.close());
  });

  it('is one that another process reads as well', async () => {
    const { system, store, bus } = await setUp();
    await system.run(bus.publish({ stream: 'a', type: 'Asked', data: { n: 1 }, traceparent: TRACE }));
    const later = createEventBus<Events>(system, { store });
    const seen: unknown[] = [];
    later.subscribe('late', { on: { Asked: ({ traceparent }) => void seen.push(traceparent) }, start: 'beginning' });
    await system.run(later.start());
    await system.advance(1000);
    expect(seen).toEqual([TRACE]);
    await system.run(later.close());
  });
});

describe('a traceparent that is none', () => {
  it.each(INVALID)('is refused by publish and execute, and nothing is written: %j', async (value) => {
    const system = virtualSystem();
    const bus = createEventBus<Events>(system, { store: createMemoryStore(system) });
    await system.run(bus.open());
    const traceparent = value as string;
    const refused = { code: 'CONFIG', message: expect.stringContaining('expected traceparent to be a W3C traceparent of version 00') };
    const event = { stream: 'a', type: 'Asked', data: { n: 1 }, traceparent } as const;
    await expect(system.run(bus.publish(event))).rejects.toMatchObject(refused);
    await expect(system.run(bus.publish({ ...event, expected: 'none' }))).rejects.toMatchObject(refused);
    const decide = () => ({ _tag: 'Right' as const, right: [{ type: 'Asked', data: { n: 1 } }] });
    await expect(system.run(bus.execute('a', decide, { traceparent }))).rejects.toMatchObject(refused);
    expect(await system.run(bus.events('a'))).toEqual([]);
    expect(await system.run(bus.publish({ ...event, traceparent: undefined }))).not.toHaveProperty('traceparent');
  });
});

const request = { customerId: 'c', currency: 'EUR', items: [{ sku: 'tea', quantity: 1, unitPriceMinor: 990 }] };

describe('the trace of an order', () => {
  /** Each call of the payment and the trace it was given. It fails while it is `down`; what is `lost` happens and is not told. */
  const setUp = async ({ mail = 'sent' }: { readonly mail?: 'sent' | 'fails' | 'hangs' } = {}) => {
    const system = virtualSystem();
    const calls: string[] = [];
    const services = { down: false, lost: false };
    const told = (what: string, { traceparent = 'none' }: { readonly traceparent?: string }) => void calls.push(`${what} ${traceparent}`);
    const saga = OrderSaga.define({ deadlineMs: 3_600_000 })
      .step('payment', {
        do: (input) => {
          told('do', input);
          if (services.lost) throw new Error('lost');
          if (services.down) throw new Error('down');
          return { chargeId: 'c' };
        },
        query: (input) => {
          told('query', input);
          return services.down ? undefined : { chargeId: 'c' };
        },
        undo: (input) => told('undo', input),
        retry: RetryPolicy.fixed({ delayMs: 10 }).maxAttempts(2),
      })
      .step('mail', {
        after: ['payment'],
        do: () => {
          if (mail === 'fails') throw permanent('no such address');
          return mail === 'hangs' ? new Promise<never>(() => {}) : 'sent';
        },
        undo: 'nothing',
      });
    const orders = createOrdersOn(system, { store: createMemoryStore(system, 2), saga });
    await system.run(orders.worker().start());
    const place = async (traceparent?: string) => {
      const placed = await system.run(orders.place(request, { traceparent }));
      if (!isRight(placed)) throw new Error(placed.left.message);
      return placed.right.orderId;
    };
    const traces = async (orderId: string) =>
      (await system.run(orders.events(orderId))).map(({ type, traceparent }) => `${type} ${traceparent ?? 'none'}`);
    return { system, calls, services, orders, place, traces };
  };

  it('is carried by every event from its placing to its confirmation, and given to its steps', async () => {
    const { system, calls, services, orders, place, traces } = await setUp();
    services.lost = true;
    const traced = await place(TRACE);
    await system.advance(0);
    services.lost = false;
    await system.advance(1000);
    const types = ['OrderPlaced', 'PaymentRequested', 'PaymentSucceeded', 'MailRequested', 'MailSucceeded', 'OrderConfirmed'];
    expect(await traces(traced)).toEqual(types.map((type) => `${type} ${TRACE}`));
    expect(calls).toEqual([`do ${TRACE}`, `query ${TRACE}`]);
    const untraced = await place();
    await system.advance(1000);
    expect(await traces(untraced)).toEqual(types.map((type) => `${type} none`));
    expect(calls.slice(2)).toEqual(['do none']);
    await system.run(orders.close());
  });

  it('is the one of the cancellation in what a cancellation leads to', async () => {
    const { system, calls, orders, place, traces } = await setUp({ mail: 'fails' });
    const orderId = await place(TRACE);
    await system.advance(100);
    await system.run(orders.cancel(orderId, { reason: 'changed my mind', traceparent: OTHER }));
    await system.advance(100);
    expect(await traces(orderId)).toEqual([
      ...['OrderPlaced', 'PaymentRequested', 'PaymentSucceeded', 'MailRequested', 'StepDeadLettered'].map((type) => `${type} ${TRACE}`),
      ...['CancellationStarted', 'DeadLetterSuperseded', 'StepSkipped'].map((type) => `${type} ${OTHER}`),
      ...['PaymentUndoRequested', 'PaymentUndone', 'OrderCancelled'].map((type) => `${type} ${OTHER}`),
    ]);
    expect(calls).toEqual([`do ${TRACE}`, `undo ${OTHER}`]);
    await system.run(orders.close());
  });

  it('goes on through a dead letter and its redrive; what operators and timers do is part of none', async () => {
    const { system, services, orders, place, traces } = await setUp({ mail: 'hangs' });
    services.down = true;
    const orderId = await place(TRACE);
    await system.advance(1000);
    services.down = false;
    const { deadLetters } = await system.run(orders.deadLetters.list());
    const id = deadLetters[0]?.id ?? '';
    expect((await system.run(orders.deadLetters.get(id)))?.envelope.traceparent).toBe(TRACE);
    await system.run(orders.deadLetters.redrive({ ids: [id] }, { by: 'op', reason: 'it is back' }));
    await system.advance(3_700_000);
    const told = await traces(orderId);
    expect(told).toContain(`StepDeadLettered ${TRACE}`);
    expect(told).toContain('DeadLetterRedriven none');
    expect(told).toContain(`PaymentSucceeded ${TRACE}`);
    expect(told).toContain('DeadlinePassed none');
    await system.run(orders.close());
  });

  it.each(INVALID)('is refused by place and cancel where it is none, and nothing is written: %j', async (value) => {
    const { system, orders, place, traces } = await setUp({ mail: 'hangs' });
    const traceparent = value as string;
    const orderId = await place(TRACE);
    await system.advance(100);
    const before = await traces(orderId);
    await expect(system.run(orders.place(request, { traceparent }))).rejects.toMatchObject({ code: 'CONFIG' });
    await expect(system.run(orders.cancel(orderId, { reason: 'r', traceparent }))).rejects.toMatchObject({ code: 'CONFIG' });
    expect(await traces(orderId)).toEqual(before);
    expect((await system.run(orders.list())).orders).toHaveLength(1);
    await system.run(orders.close());
  });
});
