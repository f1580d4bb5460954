import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SimulationFailed, simulate } from 'orderfold/testing';
import { describe, expect, it } from 'vitest';
import { mailMeansPaid } from '../../examples/test-your-order-flow/mail-means-paid.ts';
import { orderSaga } from '../../examples/test-your-order-flow/saga.ts';
import { orderSaga as brokenSaga } from '../../examples/test-your-order-flow/saga-broken.ts';
import { fakeServices, type Services } from '../../examples/test-your-order-flow/services.ts';

const folder = new URL('../../examples/test-your-order-flow/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8');
const guide = read('README.md');

const patience = { baseMs: 50, capMs: 500, timeoutMs: 1000 };
const flow = (saga: typeof orderSaga) => ({
  services: fakeServices,
  saga: (services: Services) => saga(services, patience),
  invariants: () => [mailMeansPaid],
});
const fixed = flow(orderSaga);
const broken = flow(brokenSaga as typeof orderSaga);

const failureOf = async (run: Promise<unknown>): Promise<SimulationFailed> => {
  const thrown = await run.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof SimulationFailed)) throw new Error('expected a simulated run to fail', { cause: thrown });
  return thrown;
};

/** The report as the guide shows it: leases left out, long lines cut. `vitest -u` writes it into the guide. */
const shortened = (report: string): string =>
  report
    .split('\n')
    .map((line) => (line.includes(' leaseGained ') ? '        …' : line.length > 120 ? `${line.slice(0, 119)}…` : line))
    .filter((line, at, lines) => line !== lines[at - 1])
    .join('\n');

describe('the order flow of the guide', () => {
  it('S1 is broken by a charge without the effect key, which one lost reply brings to light; the guide shows the report as it is', async () => {
    const found = await failureOf(simulate({ ...broken, seed: 300 }));
    expect(found.violations.map(({ invariant }) => invariant)).toContain('S1');
    expect(found.plan.actions).toMatchObject([{ do: 'place', fates: { 'payments.charge': ['lost'] } }]);
    expect(found.drawn.actions.length).toBeGreaterThan(1);
    const shown = guide.replace(/(?<=```text report\n).*?(?=\n```)/s, () => shortened(found.message));
    await expect(shown).toMatchFileSnapshot(fileURLToPath(new URL('README.md', folder)));

    const again = await failureOf(simulate({ ...broken, replay: found.replay }));
    expect(again.trace).toEqual(found.trace);
    expect((await simulate({ ...fixed, replay: found.replay })).struck).toEqual({ lost: 1 });
  });

  it('S1 is broken by the plan that is kept as a regression test', async () => {
    const [, replay = ''] = /'(\{.*\})'/.exec(read('regressions.test.ts')) ?? [];
    const found = await failureOf(simulate({ ...broken, replay }));
    expect(found.violations.map(({ invariant }) => invariant)).toContain('S1');
  });

  it('S1 is broken from other seeds as well, in other ways', { timeout: 120_000 }, async () => {
    for (const seed of [1, 100]) {
      const found = await failureOf(simulate({ ...broken, seed, schedules: 50 }));
      expect(found.violations.map(({ invariant }) => invariant)).toContain('S1');
    }
  });

  it('has a rule of its own that finds a mail to somebody who has not paid, or was paid back', () => {
    const effect = (step: string, direction: 'do' | 'undo', orderId: string, at: number) =>
      ({ orderId, step, direction, key: `${orderId}:${step}`, amountMinor: null, at }) as const;
    const effects = [
      effect('mail', 'do', 'unpaid', 1),
      effect('payment', 'do', 'paid', 2),
      effect('mail', 'do', 'paid', 3),
      effect('payment', 'do', 'paid back', 4),
      effect('payment', 'undo', 'paid back', 5),
      effect('mail', 'do', 'paid back', 6),
    ];
    const found = mailMeansPaid.check({ streams: new Map(), parked: [], effects, stage: 'quiet' });
    expect(found.map(({ orderId }) => orderId)).toEqual(['unpaid', 'paid back']);
  });

  it('differs from the broken one by the effect key of its charge alone', () => {
    const steps = (file: string): string => read(file).slice(read(file).indexOf('  return OrderSaga'));
    const withoutKey = steps('saga.ts')
      .replace('do: async ({ order, effectKey }) => {', 'do: async ({ order }) => {')
      .replace('totalMinor, idempotencyKey: effectKey });\n        return', 'totalMinor });\n        return');
    expect(withoutKey).toBe(steps('saga-broken.ts'));
    expect(withoutKey).not.toBe(steps('saga.ts'));
  });
});
