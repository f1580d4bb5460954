import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { beginDay } from './day.ts';
import { CLOCK_STEPPED } from './evidence.ts';
import { reportOn } from './report.ts';
import { until } from './workplace.ts';

const HOUR_MS = 3_600_000;
const WORKERS = 3;
/** Of 64: in each of four subscriptions six, six and four shards have an owner of their own. */
const LEAST_LEASES = 16;

/** Who owns what, and under which epoch. */
const leasesIn = (database: string) => {
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    return db.prepare('SELECT subscription, shard, owner, epoch FROM checkpoints ORDER BY 1, 2').all();
  } finally {
    db.close();
  }
};

it('R29 a wall clock that is stepped an hour ahead or back in one process changes no lease and loses no start', {
  timeout: 120_000,
}, async ({ onTestFinished }) => {
  // Deadlines are by the wall clock, so they are out of reach of all that is done to it here.
  const env = { ORDER_DEADLINE_MS: String(4 * HOUR_MS) };
  // Nothing takes a lease but a clock: this one outlasts whatever else this machine is busy with.
  const day = await beginDay({ seed: 7, ordersPerSecond: 30, workers: WORKERS, leaseMs: 9000, env });
  onTestFinished(day.forget);
  const { shop, load } = day;
  const step = (who: number, aheadMs: number): void => void shop.workers[who]?.harm({ kind: 'clock', aheadMs });
  const shared = (): boolean => {
    const owners = new Map<unknown, number>();
    for (const { owner } of leasesIn(shop.database)) owners.set(owner, (owners.get(owner) ?? 0) + 1);
    return owners.size === WORKERS && !owners.has(null) && [...owners.values()].every((leases) => leases >= LEAST_LEASES);
  };
  await until('the work is shared', async () => shared(), 60_000);
  const before = leasesIn(shop.database);

  step(0, HOUR_MS);
  step(1, -HOUR_MS);
  await until('half of the orders are in', async () => load.accepted.size >= 100, 60_000);
  step(0, 0);
  step(1, HOUR_MS);
  step(2, -HOUR_MS);
  await until('enough orders are in', async () => load.accepted.size >= 200, 60_000);
  // What was put off an hour too far while a clock was wrong waits for that hour, which passes now.
  for (const who of shop.workers.keys()) step(who, 2 * HOUR_MS);
  await sleep(1000);
  expect(leasesIn(shop.database)).toEqual(before);

  const evidence = await day.end({ struck: {}, hadToStrike: [CLOCK_STEPPED] });
  const { faults, text } = await reportOn(evidence);
  expect(faults, text).toEqual([]);
  expect(text).toMatch(/starts lost with their process +0\n/);
});
