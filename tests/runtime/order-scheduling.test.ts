import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import type { System } from '../../src/core/system.ts';
import { OrderSaga } from '../../src/order/saga.ts';
import { createOrdersOn } from '../../src/runtime/orders.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { createSqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { temporaryFile } from '../stores/sqlite-files.ts';

const basket = (quantity = 1) => ({ customerId: 'c', currency: 'EUR', items: [{ sku: 'tea', quantity, unitPriceMinor: 990 }] });
const inAnHour = { delayMs: 3_600_000 };

/** `slow` steps never end, so that an order can be caught on its way. */
const ordersOn = (system: System, store: Store, { step = 'payment', slow = false } = {}) => {
  const saga = OrderSaga.define().step(step, { do: () => (slow ? new Promise<never>(() => {}) : 'done'), undo: 'nothing' });
  return createOrdersOn(system, { store, saga });
};

const setUp = (options = {}) => {
  const system = virtualSystem();
  const store = createMemoryStore(system, 2);
  return { system, store, orders: ordersOn(system, store, options) };
};

const right = <T>(either: { readonly _tag: string; readonly right?: T }): T => {
  if (either.right === undefined) throw new Error(`expected a Right, got ${JSON.stringify(either)}`);
  return either.right;
};

describe('scheduling orders', () => {
  it('S18 places an order when it is due, not before, and processes it like any other', async () => {
    const { system, orders } = setUp();
    await system.run(orders.worker().start());
    const { id, orderId } = right(await system.run(orders.schedule({ place: basket() }, inAnHour)));
    expect(await system.run(orders.get(orderId))).toBeNull();
    expect(await system.run(orders.scheduled(orderId))).toMatchObject([{ id, dueAt: '2026-01-01T01:00:00.000Z' }]);
    expect(await system.run(orders.timeline(orderId))).toMatchObject([{ kind: 'parked', state: 'scheduled', delivery: id }]);
    expect((await system.run(orders.cancel(orderId, { reason: 'x' })))._tag).toBe('Left');
    await system.advance(3_599_900);
    expect(await system.run(orders.get(orderId))).toBeNull();
    await system.advance(200);
    expect(await system.run(orders.get(orderId))).toMatchObject({ orderId, status: 'confirmed', details: { totalMinor: 990 } });
    expect(await system.run(orders.unschedule(id))).toBe(false);
    await system.run(orders.close());
  });

  it('places under the saga of the code that runs when it is due', async () => {
    const { system, store, orders } = setUp({ step: 'old' });
    const { orderId } = right(await system.run(orders.schedule({ place: basket() }, inAnHour)));
    await system.run(orders.close());
    const later = ordersOn(system, store, { step: 'newer' });
    await system.run(later.worker().start());
    await system.advance(3_601_000);
    expect(await system.run(later.get(orderId))).toMatchObject({ status: 'confirmed', steps: { newer: { status: 'succeeded' } } });
  });

  it('S25 gives the same order for the same key, order and time, and refuses the key for anything else', async () => {
    const { system, orders } = setUp();
    const idempotencyKey = 'k';
    const ask = (quantity: number, when = inAnHour) => system.run(orders.schedule({ place: basket(quantity), idempotencyKey }, when));
    const first = await ask(1);
    expect(isRight(first)).toBe(true);
    expect(await ask(1)).toEqual(first);
    for (const other of [await ask(2), await ask(1, { delayMs: 1 }), await system.run(orders.place(basket(), { idempotencyKey }))])
      expect(other).toMatchObject({ _tag: 'Left', left: { code: 'KEY_REUSED' } });
    expect(isRight(await system.run(orders.place(basket(), { idempotencyKey: 'placed' })))).toBe(true);
    expect(await system.run(orders.schedule({ place: basket(), idempotencyKey: 'placed' }, inAnHour))).toMatchObject({ _tag: 'Left' });
    expect(await system.run(orders.scheduled(right(first).orderId))).toHaveLength(1);
    await system.run(orders.worker().start());
    await system.advance(3_601_000);
    expect(await ask(1)).toEqual(first);
    await system.advance(4_000_000);
    expect((await system.run(orders.list())).orders).toHaveLength(2);
  });

  it('refuses at once what could never be placed or recorded', async () => {
    const { system, orders } = setUp();
    for (const command of [{ place: basket(0) }, { place: basket(), idempotencyKey: '' }, { cancel: 'o', reason: '\ud800' }])
      expect(await system.run(orders.schedule(command, inAnHour))).toMatchObject({ _tag: 'Left', left: { code: 'INVALID' } });
    await expect(orders.schedule({ place: basket() }, inAnHour, { name: 'n' })).rejects.toThrow('expected no name');
    await expect(orders.schedule({ place: basket(), other: 1 } as never, inAnHour)).rejects.toThrow('other');
    expect((await system.run(orders.counts())).streams).toEqual({});
  });

  it('cancels an order that is on its way when the time comes', async () => {
    const { system, orders } = setUp({ slow: true });
    await system.run(orders.worker().start());
    const { orderId } = right(await system.run(orders.place(basket())));
    const cancelling = right(await system.run(orders.schedule({ cancel: orderId, reason: 'too long', by: 'clock' }, { delayMs: 5000 })));
    expect(cancelling.orderId).toBe(orderId);
    await system.advance(4900);
    expect(await system.run(orders.get(orderId))).toMatchObject({ status: 'placed' });
    await system.advance(200);
    expect(await system.run(orders.get(orderId))).toMatchObject({ status: 'cancelling' });
    expect((await system.run(orders.events(orderId))).find(({ type }) => type === 'CancellationStarted')).toMatchObject({
      data: { reason: 'too long', by: 'clock' },
    });
  });

  it('S19 a cancellation that comes too late, or for no order, changes nothing and is told of', async () => {
    const { system, orders } = setUp();
    const refused: unknown[] = [];
    orders.on('refused', ({ stream, type, refusal }) => refused.push([stream, type, (refusal as { code: string }).code]));
    await system.run(orders.worker().start());
    const { orderId } = right(await system.run(orders.place(basket())));
    for (const cancel of [orderId, 'nobody']) await system.run(orders.schedule({ cancel, reason: 'late' }, { delayMs: 5000 }));
    await system.advance(4000);
    const before = await system.run(orders.events(orderId));
    await system.advance(2000);
    expect(refused.sort()).toEqual(
      [
        [orderId, 'CancelOrder', 'TOO_LATE'],
        ['nobody', 'CancelOrder', 'NOT_FOUND'],
      ].sort(),
    );
    expect(await system.run(orders.events(orderId))).toEqual(before);
    expect(await system.run(orders.get('nobody'))).toBeNull();
    for (const id of [orderId, 'nobody']) expect(await system.run(orders.scheduled(id))).toEqual([]);
  });

  it('S19 takes back what waits, keeps the name of a cancellation for its last word, and never mixes them up with a placing', async () => {
    const { system, orders } = setUp({ slow: true });
    const { id, orderId } = right(await system.run(orders.schedule({ place: basket() }, { delayMs: 1000 })));
    const cancel = (reason: string, delayMs: number) =>
      system.run(orders.schedule({ cancel: orderId, reason }, { delayMs }, { name: 'place' }));
    await cancel('first', 2000);
    await cancel('last', 3000);
    expect(await system.run(orders.scheduled(orderId))).toMatchObject([{ id }, { data: { reason: 'last' } }]);
    const other = right(await system.run(orders.schedule({ place: basket() }, { delayMs: 1000 })));
    expect(await system.run(orders.unschedule(other.id))).toBe(true);
    await system.run(orders.worker().start());
    await system.advance(2500);
    expect(await system.run(orders.get(orderId))).toMatchObject({ status: 'placed' });
    await system.advance(1000);
    expect(await system.run(orders.get(orderId))).toMatchObject({ status: 'cancelling' });
    expect(await system.run(orders.get(other.orderId))).toBeNull();
    expect(await system.run(orders.unschedule(other.id))).toBe(true);
  });

  it('S18 keeps what is scheduled over a restart, on SQLite', async () => {
    const system = virtualSystem();
    const soon = { delayMs: 1000 };
    const path = await temporaryFile();
    const open = () => ordersOn(system, createSqliteStore({ path }, system), { slow: true });
    const before = open();
    const placed = right(await system.run(before.schedule({ place: basket(), idempotencyKey: 'k' }, soon)));
    await system.run(before.schedule({ cancel: placed.orderId, reason: 'too long' }, { at: new Date(system.now() + 2000) }));
    const never = right(await system.run(before.schedule({ place: basket() }, soon)));
    await system.run(before.close());
    const after = open();
    expect(await system.run(after.schedule({ place: basket(), idempotencyKey: 'k' }, soon))).toEqual({ _tag: 'Right', right: placed });
    expect(await system.run(after.unschedule(never.id))).toBe(true);
    await system.run(after.worker().start());
    await system.advance(1100);
    expect(await system.run(after.get(placed.orderId))).toMatchObject({ status: 'placed' });
    await system.advance(1100);
    expect(await system.run(after.get(placed.orderId))).toMatchObject({ status: 'cancelling' });
    expect((await system.run(after.list())).orders).toHaveLength(1);
    expect(isLeft(await system.run(after.place(basket(), { idempotencyKey: 'k' })))).toBe(true);
    await system.run(after.close());
    expect(system.pending).toBe(0);
  });
});
