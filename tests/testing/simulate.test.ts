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
    const found = await failureOf(simulate({ ...keyless, seed: 1, schedules: 200 }));
    expect(found.violations.map(({ invariant }) => invariant)).toContain('S1');
    expect(found.schedules).toBeLessThan(20);
    expect(found.plan.actions).toHaveLength(1);
    expect(found.plan.storeFaults.flat()).toEqual([]);
    const [place] = found.plan.actions as readonly Extract<SimulationPlan['actions'][number], { readonly do: 'place' }>[];
    expect(Object.values(place?.fates ?? {}).flat()).toHaveLength(1);
    expect(found.message).toMatch(/^a simulated run breaks S1/);
    expect(found.message).toContain('the smallest plan found in');
    expect(found.message).toMatch(/do payment, key none, \d+ minor units\n.*do payment, key none/);
    expect(found.message).toMatch(/the timeline of .*\n.*event .*OrderPlaced/);
    expect(found.message).toContain(`replay: '${found.replay}'`);
  });

  it('R30 plays a violation again from one line, with the same trace byte for byte', async () => {
    const found = await failureOf(simulate({ ...keyless, seed: 1, schedules: 200 }));
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
    const store = ['rejectBefore', 'rejectAfter', 'crashBefore', 'crashAfter', 'slow', 'lag', 'stuck', 'before', 'after'];
    expect(Object.keys(all.struck).sort()).toEqual([...kinds, ...store.map((kind) => `store ${kind}`)].sort());
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
  });
});
