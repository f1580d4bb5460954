import { expect, it } from 'vitest';
import { readRecorded } from './audit/recorded.ts';
import { WELL } from './careless-services.ts';
import { beginDay } from './day.ts';
import { underWay } from './quiet.ts';
import { reportOn } from './report.ts';
import { until } from './workplace.ts';

const DEADLINE_MS = 3000;
const LATE_MS = DEADLINE_MS + 10_000;
/** Around the deadline, the earliest well before it and the latest well behind. */
const TOGETHER_MS = { from: DEADLINE_MS - 700, to: DEADLINE_MS + 500 } as const;

type Fate = 'soon' | 'together' | 'late';
const FATES: readonly Fate[] = ['soon', 'together', 'late'];

const numberOf = (orderId: string): number => [...orderId].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 1_000_003, 7);
const fateOf = (orderId: string): Fate => FATES[numberOf(orderId) % FATES.length] ?? 'soon';
const delayOf = (orderId: string): number => {
  const fate = fateOf(orderId);
  if (fate === 'soon') return 0;
  return fate === 'late' ? LATE_MS : TOGETHER_MS.from + (numberOf(orderId) % (TOGETHER_MS.to - TOGETHER_MS.from));
};

it('S4 S13 S19 a payment that succeeds with the deadline confirms or is refunded, and one ten seconds after the cancellation is refunded', {
  timeout: 120_000,
}, async ({ onTestFinished }) => {
  const env = { SERVICE_TIMEOUT_MS: String(LATE_MS + 5000), ORDER_DEADLINE_MS: String(DEADLINE_MS), CONCURRENCY: '256' };
  const day = await beginDay({ seed: 5, ordersPerSecond: 30, workers: 3, leaseMs: 2500, env });
  onTestFinished(day.forget);
  day.services.behave({
    ...WELL,
    script: undefined,
    delayMs: ({ method, path, body }) => (method === 'POST' && path === '/charges' ? delayOf(String(body.orderId)) : 0),
  });
  await until('enough orders are in', async () => day.load.accepted.size >= 200, 60_000);
  await day.load.end(30_000);
  await until('all are settled', async () => (await underWay(day.shop.client))?.length === 0, 60_000);
  const { faults, text } = await reportOn(await day.end({ struck: {}, hadToStrike: [] }));
  expect(faults, text).toEqual([]);

  const { orders } = await readRecorded(day.shop.database);
  const ends = new Map<Fate, Record<string, number>>(FATES.map((fate) => [fate, {}]));
  const afterMs: number[] = [];
  for (const { row, events } of orders) {
    const end = ends.get(fateOf(row.stream)) ?? {};
    end[row.status ?? ''] = (end[row.status ?? ''] ?? 0) + 1;
    const timeOf = (type: string): number => events.find((event) => event.type === type)?.time ?? Number.NaN;
    if (fateOf(row.stream) === 'late') afterMs.push(timeOf('PaymentSucceeded') - timeOf('CancellationStarted'));
  }
  expect(Object.keys(ends.get('late') ?? {})).toEqual(['cancelled']);
  // Some were cancelled by their customers before anybody had asked for the money.
  expect(
    afterMs.filter((ms) => ms > LATE_MS - DEADLINE_MS - 1000).length,
    `ms from the cancellation to the success: ${afterMs}`,
  ).toBeGreaterThan(20);
  expect(ends.get('together')).toEqual({ confirmed: expect.any(Number), cancelled: expect.any(Number) });
});
