import { describe, expect, it } from 'vitest';
import { OrderSaga } from '../../src/order/saga.ts';
import { type Faults, type Outside, type SimulationFailed, type SimulationPlan, simulate } from '../../src/testing/index.ts';
import { shop } from './support/shop.ts';

const NAMES = [
  'crashes',
  'poison',
  'stalls',
  'store',
  'fullDisk',
  'services',
  'handlers',
  'repeats',
  'clocks',
  'cancels',
  'broker',
  'operators',
] as const;
const none: Faults = Object.fromEntries(NAMES.map((name) => [name, false]));

const failureOf = async (running: Promise<unknown>): Promise<SimulationFailed> => {
  const found = await running.then(
    () => undefined,
    (error: unknown) => error as SimulationFailed,
  );
  expect(found?.name).toBe('SimulationFailed');
  return found as SimulationFailed;
};

/** A charge without the effect key: every retry charges again. */
const keyless = {
  services: (outside: Outside) => ({
    payments: { charge: async (amountMinor: number) => outside.once(undefined, { amountMinor }, () => ({ charged: amountMinor })) },
  }),
  saga: ({ payments }: { readonly payments: { readonly charge: (amountMinor: number) => Promise<{ readonly charged: number }> } }) =>
    OrderSaga.define().step('payment', { do: ({ order }) => payments.charge(order.totalMinor), undo: async () => {}, timeoutMs: 300 }),
};

describe('simulate', () => {
  it('S1 finds a charge without its effect key, and makes it one order that meets one fault', async () => {
    const found = await failureOf(simulate({ ...keyless, seed: 4, schedules: 200 }));
    expect(found.violations.map(({ invariant }) => invariant)).toContain('S1');
    expect(found.schedules).toBeLessThan(20);
    expect(found.plan.actions).toHaveLength(1);
    expect(found.plan.storeFaults.flat()).toEqual([]);
    const [place] = found.plan.actions as readonly Extract<SimulationPlan['actions'][number], { readonly do: 'place' }>[];
    expect(Object.values(place?.fates ?? {}).flat()).toHaveLength(1);
    expect(found.message).toMatch(/^a simulated run breaks S1/);
    expect(found.message).toContain('the plan: the smallest found in');
    expect(found.message).toMatch(/do payment, key none, \d+ minor units\n.*do payment, key none/);
    expect(found.message).toMatch(/the timeline of .*\n.*event .*OrderPlaced/);
    expect(found.message).toContain(`replay: '${found.replay}'`);
  });

  it('R30 plays a violation again from one line, with the same trace byte for byte', async () => {
    const found = await failureOf(simulate({ ...keyless, seed: 4, schedules: 200 }));
    const again = await failureOf(simulate({ ...keyless, replay: found.replay }));
    expect(again.trace).toEqual(found.trace);
    expect(again.trace.length).toBeGreaterThan(5);
    const drawn = await failureOf(simulate({ ...keyless, seed: found.seed, schedules: 1 }));
    expect(drawn.message.replace(/schedule \d+/, '')).toBe(found.message.replace(/schedule \d+/, ''));
  });

  it('has every fault strike, and only those that are asked for', { timeout: 180_000 }, async () => {
    const all = await simulate({ ...shop, seed: 3, schedules: 250 });
    const kinds = [
      'crash',
      'stall',
      'stop',
      'repeat',
      'clock',
      'throw',
      'permanent',
      'lost',
      'hang',
      'block',
      'kill',
      'killBefore',
      'slow',
      'down',
      'late',
      'twice',
      'secret',
    ];
    const store = ['rejectBefore', 'rejectAfter', 'crashBefore', 'crashAfter', 'slow', 'lag', 'stuck', 'before', 'after', 'full'];
    const broker = ['lost', 'twice', 'late', 'half', 'slow', 'away', 'rejectBefore', 'rejectAfter', 'crashBefore', 'crashAfter'];
    const named = [...store.map((kind) => `store ${kind}`), ...broker.map((kind) => `broker ${kind}`)];
    expect(Object.keys(all.struck).sort()).toEqual([...kinds, ...named].sort());
    expect(all.ends.confirmed).toBeGreaterThan(100);
    expect(all.ends.cancelled).toBeGreaterThan(20);
    expect((await simulate({ ...shop, seed: 3, schedules: 50, faults: none })).struck).toEqual({});
    const only = await simulate({ ...shop, seed: 3, schedules: 100, faults: { ...none, services: true } });
    expect(Object.keys(only.struck).sort()).toEqual(['down', 'hang', 'late', 'lost', 'secret', 'slow', 'twice']);
  });

  it('says how often each invariant had something to look at, and plays what it was told to', { timeout: 60_000 }, async () => {
    const report = await simulate({ ...shop, seed: 11, schedules: 60, orders: 3, workers: 2, apis: 1 });
    expect(report).toMatchObject({ seed: 11, schedules: 60 });
    expect((report.ends.confirmed ?? 0) + (report.ends.cancelled ?? 0)).toBe(180);
    const silent = Object.entries(report.checked).filter(([, times]) => times === 0);
    expect(silent.map(([invariant]) => invariant)).toEqual([]);
    expect(Object.keys(report.checked).length).toBeGreaterThan(30);
  });

  it("checks the caller's own invariants, over the services of the run", async () => {
    const stock = {
      services: () => {
        let left = 3;
        return { take: async () => (left -= 1), left: async () => left, peek: () => left };
      },
      saga: (services: { readonly take: () => Promise<number> }) =>
        OrderSaga.define().step('stock', { do: async () => ({ left: await services.take() }), undo: 'nothing' }),
      invariants: ({ peek }: { readonly peek: () => number }) => [
        { id: 'stock', says: 'no more is taken than there is', check: () => (peek() < 0 ? [{ text: `${peek()} are left` }] : []) },
      ],
    };
    const found = await failureOf(simulate({ ...stock, seed: 1, schedules: 200, faults: none }));
    expect(found.violations.map(({ invariant, text }) => `${invariant} ${text}`)).toContain('stock -1 are left');
    expect(found.plan.actions.filter((action) => action.do === 'place')).toHaveLength(4);
  });

  it('R14 S25 takes what happens in one moment in either order, and orders that are refused for what they are', {
    timeout: 60_000,
  }, async () => {
    const services = (outside: Outside) => ({
      payments: {
        charge: async (key: string, amountMinor: number) => outside.once(key, { amountMinor }, () => ({ chargeId: key })),
        refund: async (key: string, amountMinor: number) => outside.once(key, { amountMinor }, () => ({})),
      },
    });
    const careful = {
      services,
      saga: ({ payments }: ReturnType<typeof services>) =>
        OrderSaga.define().step('payment', {
          do: ({ effectKey, order }) => payments.charge(effectKey, order.totalMinor),
          undo: ({ effectKey, order }) => payments.refund(effectKey, order.totalMinor),
        }),
      order: (random: () => number) => ({
        customerId: 'c1',
        currency: random() < 0.3 ? 'euro' : 'EUR',
        items: [{ sku: 'a', quantity: 1, unitPriceMinor: 990 }],
      }),
    };
    // The lease of the first ends in the moment in which the second takes it over.
    const actions = [
      { at: 0, do: 'place', order: 1, fates: { 'payments.charge': ['hang'] }, times: 2 },
      { at: 3, do: 'cutOff', who: 1, forMs: 931 },
    ] as const;
    for (let seed = 0; seed < 40; seed += 1) {
      const setting = {
        shards: 2,
        apis: 1,
        workers: 3,
        concurrency: 8,
        leaseMs: 1000,
        latencyMs: 0,
        hints: 'none',
        storeFaults: [],
      } as const;
      await simulate({ ...careful, replay: { seed, ...setting, actions } });
    }
    expect((await simulate({ ...careful, seed: 1, schedules: 40 })).discarded).toBe(0);
    const never = { ...careful, order: () => ({ customerId: 'c1', currency: 'euro', items: [] }) };
    await expect(simulate({ ...never, seed: 1, schedules: 3 })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(/not one order was accepted/),
    });
  });

  it('tells what is not decided by its seed, what threw where, and takes services as they come', async () => {
    const wild = {
      services: () => Object.freeze({ a: { b: { roll: async () => Math.random() } }, seen: new Map<string, string>() }),
      saga: (services: { readonly a: { readonly b: { readonly roll: () => Promise<number> } } }) =>
        OrderSaga.define().step('payment', { do: () => services.a.b.roll(), undo: 'nothing' }),
    };
    expect((await simulate({ ...wild, seed: 1, schedules: 30, faults: { ...none, services: true } })).struck.down).toBeGreaterThan(0);
    let rolls = 0;
    const check = () => {
      rolls += 1;
      return rolls === 1 ? [{ text: 'the first roll' }] : [];
    };
    const once = () => [{ id: 'luck', says: 'no first roll', check }];
    const lucky = await failureOf(simulate({ ...wild, seed: 1, schedules: 1, faults: none, invariants: once }));
    expect(lucky.message).toMatch(
      /luck: the first roll[\s\S]*it did not happen again: something in the application is not decided by the seed/,
    );
    const throwing = () => [{ id: 'mine', says: 'x', check: () => expect(1).toBe(2) as never }];
    const threw = await failureOf(simulate({ ...wild, seed: 1, schedules: 1, faults: none, invariants: throwing }));
    expect(threw.violations[0]).toMatchObject({ invariant: 'mine', text: expect.stringMatching(/expected 1 to be 2/) });
    const order = () => {
      throw new Error('no more orders');
    };
    await expect(simulate({ ...wild, seed: 5, schedules: 1, order } as never)).rejects.toThrow(/in the run of seed 5: no more orders/);
  });

  it('R25 finds a rejection that nobody handles', async () => {
    const careless = {
      services: () => ({ ping: async () => 'pong' }),
      saga: () =>
        OrderSaga.define().step('payment', {
          do: async () => {
            void Promise.reject(new Error('nobody looks'));
            return 1;
          },
          undo: 'nothing',
        }),
    };
    const found = await failureOf(simulate({ ...careless, seed: 1, schedules: 5, faults: none }));
    expect(found.violations[0]).toMatchObject({ invariant: 'R25', text: expect.stringContaining('nobody looks') });
  });

  it('refuses options it does not know or can not use', async () => {
    const refused = async (options: object, message: RegExp) =>
      expect(simulate({ ...keyless, ...options } as never)).rejects.toMatchObject({
        code: 'CONFIG',
        message: expect.stringMatching(message),
      });
    await refused({ runs: 5 }, /simulate: expected only the options services, saga, .*got "runs"/);
    await refused({ schedules: 0 }, /expected schedules to be a whole number of at least 1/);
    await refused({ orders: [3, 1] }, /expected orders to be a whole number from 1 to 1000, or the least and the most of it/);
    await refused({ faults: { fire: true } }, /simulate\.faults: expected only the options crashes, poison/);
    await refused({ replay: 'nonsense' }, /expected replay to be a plan as a violation printed it/);
    await refused({ replay: '{"seed":1}' }, /expected replay to be a plan as a violation printed it/);
    const plan = { seed: 1, shards: 1, apis: 1, workers: 1, concurrency: 1, leaseMs: 1000, latencyMs: 0, hints: 'none', storeFaults: [] };
    const fates = { 'payments.refund': ['lost'] };
    await refused(
      { replay: { ...plan, actions: [{ at: 0, do: 'place', order: 1, fates, times: 1 }] } },
      /speaks of payments\.refund, expected one of payments\.charge, payment/,
    );
    await refused({ replay: { ...plan, apis: 0, actions: [] } }, /expected replay to be a plan/);
    await refused({ invariants: () => [{ id: 'S2', says: '', check: () => [] }] }, /an invariant of one's own, got the library's S2/);
  });
});
