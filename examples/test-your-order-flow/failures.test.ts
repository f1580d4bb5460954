import { simulate } from 'orderfold/testing';
import { expect, it } from 'vitest';
import { mailMeansPaid } from './mail-means-paid.ts';
import { orderSaga } from './saga.ts';
import { fakeServices } from './services.ts';

/** The same on every pull request; at night SEED and SCHEDULES say otherwise. */
const seed = Number(process.env.SEED ?? 1);
const schedules = Number(process.env.SCHEDULES ?? 100);

it(`keeps every promise in ${schedules} schedules of failures`, { timeout: 1000 * schedules }, async () => {
  const report = await simulate({
    services: fakeServices,
    saga: (services) => orderSaga(services, { baseMs: 50, capMs: 500, timeoutMs: 1000 }),
    invariants: () => [mailMeansPaid],
    seed,
    schedules,
  });
  expect(report.ends.confirmed).toBeGreaterThan(0);
  expect(report.ends.cancelled).toBeGreaterThan(0);
  expect(report.struck.lost).toBeGreaterThan(0);
  expect(report.checked.S2).toBeGreaterThan(0);
});
