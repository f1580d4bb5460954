import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { OrderSaga } from '../../src/order/saga.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import { createOrdersOn } from '../../src/runtime/orders.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { busCluster } from '../support/bus-cluster.ts';

const audit = { by: 'op', reason: 'the address was wrong' };
const once = RetryPolicy.immediately().maxAttempts(1);

/** A handler that dislikes every name that begins with `bad`, and what it was given. */
const picky = () => {
  const given: unknown[] = [];
  const cluster = busCluster({
    mail: {
      handle: ({ id, data, version, effectKey, generation }) => {
        given.push({ id, data, version, effectKey, generation });
        if ((data as { name: string }).name.startsWith('bad')) throw new Error('no');
      },
      retry: once,
    },
  });
  return { ...cluster, given };
};

describe('editing a dead letter', () => {
  it('R20 hands another payload to the handler under the same id and key, keeps the original bytes and says who, when and why', async () => {
    const { system, member, publish, given, starts } = picky();
    const worker = member('w');
    await worker.work();
    const { deadLetters } = worker.bus;
    await publish('s', 'bad', 'b');
    await system.advance(1000);
    const before = await system.run(deadLetters.get('mail:s@1'));
    expect(await system.run(deadLetters.edit('mail:s@1', { data: { name: 'bad too' } }, audit))).toMatchObject({
      matched: 1,
      changed: ['mail:s@1'],
    });
    await system.advance(1000);
    expect(await system.run(deadLetters.list())).toMatchObject({ deadLetters: [{ id: 'mail:s@1', generation: 1, attempts: 1 }] });
    await system.run(deadLetters.edit('mail:s@1', { data: { name: 'good' } }, { ...audit, by: 'another' }));
    await system.advance(1000);
    expect(given.map((one) => (one as { data: unknown }).data)).toEqual(['bad', 'bad too', 'good', 'b'].map((name) => ({ name })));
    expect(given[2]).toMatchObject({ id: 's@1', version: 1, effectKey: 's@1:mail', generation: 2 });
    expect(starts.at(-1)).toBe('mail:b.0.1');
    const after = await system.run(deadLetters.get('mail:s@1'));
    expect(after).toMatchObject({
      state: 'done',
      raw: before?.raw,
      envelope: { id: 's@1', data: { name: 'good' } },
      edits: [
        { ...audit, generation: 0, raw: '{"name":"bad too"}', at: expect.stringMatching(/Z$/) },
        { by: 'another', generation: 1, raw: '{"name":"good"}' },
      ],
      actions: [
        { action: 'edited', ...audit },
        { action: 'edited', by: 'another' },
      ],
    });
    expect((await system.run(worker.bus.events('s')))[0]?.data).toEqual({ name: 'bad' });
  });

  it('R19 happens once however often it is asked, keeps to JSON, and stays over a later redrive', async () => {
    const { system, member, publish, given, witness } = picky();
    const [worker, operator] = [member('w'), member('op', { latencyMs: 5 })];
    await worker.work();
    await publish('s', 'bad');
    await system.advance(1000);
    const ask = (name: string) => operator.bus.deadLetters.edit('mail:s@1', { data: { name } }, audit);
    const answers = await system.run(Promise.all([ask('bad1'), ask('bad2'), ask('bad3')]));
    expect(answers.flatMap(({ changed }) => changed)).toHaveLength(1);
    expect(answers.flatMap(({ refused }) => refused)).toMatchObject([{ code: 'NOT_DEAD' }, { code: 'NOT_DEAD' }]);
    await system.advance(1000);
    await system.run(operator.bus.deadLetters.redrive({ ids: ['mail:s@1'] }, audit));
    await system.advance(1000);
    expect(given).toHaveLength(3);
    expect(given[2]).toMatchObject({ data: (given[1] as { data: unknown }).data, generation: 2 });
    expect(witness.parked.get('mail:s@1')?.generation).toBe(2);
    expect(await system.run(ask('good'))).toMatchObject({ changed: ['mail:s@1'] });
    await system.advance(1000);
    expect(await system.run(ask('late'))).toMatchObject({ matched: 1, changed: [], refused: [{ code: 'NOT_DEAD' }] });
    expect(await system.run(operator.bus.deadLetters.edit('none', { data: 1 }, audit))).toMatchObject({ matched: 0 });
    await publish('t', 'bad');
    await system.advance(1000);
    for (const data of [undefined, () => 1, 1n])
      await expect(worker.bus.deadLetters.edit('mail:t@1', { data }, audit)).rejects.toMatchObject({ code: 'CONFIG' });
    await expect(worker.bus.deadLetters.edit('mail:t@1', { data: 1 }, { by: '', reason: 'x' })).rejects.toMatchObject({ code: 'CONFIG' });
  });

  it('rescues a letter whose payload nobody can read, in the shape payloads have today', async () => {
    const system = virtualSystem();
    const store = createMemoryStore(system, 1);
    const seen: unknown[] = [];
    const bus = createEventBus<{ Did: { n: number } }>(system, { store, upcasts: { Did: [(data: { n: number }) => ({ n: data.n + 1 })] } });
    bus.subscribe('mail', { on: { Did: ({ data }) => void seen.push(data) }, start: 'beginning' });
    await system.run(bus.open());
    const events = [{ type: 'Did', schema: 1, data: '{"n": 1', time: 0 }];
    await store.commit({ owner: 'x', id: '1', progress: [], units: [{ appends: [{ stream: 's', expected: 'any', events }] }] });
    await system.run(bus.start());
    await system.advance(1000);
    await system.run(bus.deadLetters.edit('mail:s@1', { data: { n: 7 } }, audit));
    await system.advance(1000);
    expect(seen).toEqual([{ n: 7 }]);
    expect(await system.run(bus.deadLetters.get('mail:s@1'))).toMatchObject({ state: 'done', raw: '{"n": 1', edits: [{ schema: 2 }] });
    await system.run(bus.close());
  });

  it("is refused for a step, which reads its order, and not for a subscription of one's own to the orders", async () => {
    const system = virtualSystem();
    const down = { payment: true };
    const seen: unknown[] = [];
    const saga = OrderSaga.define().step('payment', {
      do: () => {
        if (down.payment) throw new Error('down');
        return { chargeId: 'c1' };
      },
      undo: 'nothing',
      retry: once,
    });
    const orders = createOrdersOn(system, { store: createMemoryStore(system, 1), saga });
    orders.subscribe('mailer', {
      on: {
        OrderPlaced: ({ data }) => {
          seen.push(data);
          if (seen.length === 1) throw new Error('no such address');
        },
      },
      retry: once,
    });
    await system.run(orders.worker().start());
    const placed = await system.run(
      orders.place({ customerId: 'c', currency: 'EUR', items: [{ sku: 'a', quantity: 1, unitPriceMinor: 5 }] }),
    );
    const orderId = E.isRight(placed) ? placed.right.orderId : '';
    await system.advance(1000);
    const letters = (await system.run(orders.deadLetters.list())).deadLetters;
    const idOf = (subscription: string) => letters.find((letter) => letter.subscription === subscription)?.id ?? '';

    expect(await system.run(orders.deadLetters.edit(idOf('payment'), { data: {} }, audit))).toMatchObject({
      changed: [],
      refused: [{ code: 'REFUSED', message: expect.stringContaining('reads its order') }],
    });
    expect((await system.run(orders.get(orderId)))?.status).toBe('stalled');
    expect(await system.run(orders.deadLetters.get(idOf('payment')))).toMatchObject({ state: 'dead', generation: 0, edits: [] });

    await system.run(orders.deadLetters.edit(idOf('mailer'), { data: { to: 'elsewhere' } }, audit));
    await system.advance(1000);
    expect(seen[1]).toEqual({ to: 'elsewhere' });
    expect((await system.run(orders.timeline(orderId))).filter(({ kind }) => kind === 'action')).toMatchObject([
      { action: 'edited', subscription: 'mailer', ...audit },
    ]);

    down.payment = false;
    await system.run(orders.deadLetters.redrive({ ids: [idOf('payment')] }, audit));
    await system.advance(1000);
    expect((await system.run(orders.get(orderId)))?.status).toBe('confirmed');
    expect((await system.run(orders.events(orderId))).map(({ type }) => type).filter((type) => type.startsWith('DeadLetter'))).toEqual([
      'DeadLetterRedriven',
    ]);
    await system.run(orders.close());
  });
});

describe('a dead timer', () => {
  it('is edited and redriven like any letter, and what it brings then is what the edit says', async () => {
    const system = virtualSystem();
    const bus = createEventBus<{ Did: { n: number } }>(system, {
      store: createMemoryStore(system, 1),
      model: {
        fingerprint: '1',
        fold: () => 0,
        status: () => 'x',
        onScheduled: (due) => () => {
          if ((due.data as { n: number }).n < 0) throw new Error('never below zero');
          return E.right([due]);
        },
      },
    });
    await system.run(bus.start());
    await system.run(bus.schedule({ stream: 's', type: 'Did', data: { n: -1 } }, { delayMs: 10 }));
    await system.advance(1000);
    const [letter] = (await system.run(bus.deadLetters.list())).deadLetters;
    await system.run(bus.deadLetters.edit(letter?.id ?? '', { data: { n: 1 } }, audit));
    await system.advance(1000);
    expect((await system.run(bus.events('s'))).map(({ data }) => data)).toEqual([{ n: 1 }]);
    await system.run(bus.close());
  });
});

describe('the plan of a redrive', () => {
  it('names the letters of each stream in version order and changes nothing', async () => {
    const { system, member, publish, witness } = picky();
    const worker = member('w');
    await worker.work();
    await publish('s', 'bad', 'b');
    await publish('t', 'bad');
    await system.advance(1000);
    const { deadLetters } = worker.bus;
    const plan = await system.run(deadLetters.plan({ filter: {} }));
    expect(plan.matched).toBe(2);
    expect([...plan.streams].sort((a, b) => (a.stream < b.stream ? -1 : 1))).toEqual([
      { stream: 's', ids: ['mail:s@1'] },
      { stream: 't', ids: ['mail:t@1'] },
    ]);
    expect([...witness.parked.values()].filter(({ generation }) => generation > 0)).toEqual([]);
    await system.run(deadLetters.discard({ ids: ['mail:s@1'] }, audit));
    expect(await system.run(deadLetters.plan({ ids: ['mail:s@1', 'mail:t@1', 'none'] }))).toEqual({
      matched: 1,
      streams: [{ stream: 't', ids: ['mail:t@1'] }],
    });
  });
});
