import { describe, expect, it } from 'vitest';
import { invariants, simulate } from '../../src/testing/index.ts';
import { shops } from './support/shops.ts';

const runs = Number(process.env.ORDERFOLD_RUNS ?? 5000);
const seed = Number(process.env.ORDERFOLD_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** All that a plan can hold, as reports name it. */
const FAULTS = [
  ...['slow', 'down', 'lost', 'hang', 'late', 'twice', 'secret', 'kill', 'killBefore'],
  ...['throw', 'permanent', 'block'],
  ...['crash', 'stall', 'stop', 'clock', 'repeat'],
  ...['rejectBefore', 'rejectAfter', 'slow', 'lag', 'stuck', 'crashBefore', 'crashAfter', 'before', 'after', 'full'].map(
    (how) => `store ${how}`,
  ),
  ...['lost', 'twice', 'late', 'away', 'half', 'slow', 'rejectBefore', 'rejectAfter', 'crashBefore', 'crashAfter'].map(
    (how) => `broker ${how}`,
  ),
];

const sumOf = (reports: readonly Readonly<Record<string, number>>[], name: string): number =>
  reports.reduce((sum, report) => sum + (report[name] ?? 0), 0);

describe('orders under failure', () => {
  it('S1 to S23 S25 R1 to R4 R6 R9 R10 R12 R14 R16 R17 R24 R25 R26 R28 hold in thousands of simulated runs', {
    timeout: 3_600_000,
  }, async () => {
    console.log(`ORDERFOLD_SEED=${seed}, ${runs} runs`);
    const reports: Awaited<ReturnType<typeof simulate>>[] = [];
    for (const [index, [name, shop]] of [...shops].entries()) {
      const schedules = Math.ceil((runs - index) / shops.size);
      if (schedules < 1) break;
      const played = simulate({ ...shop, seed: (seed + index * 1_000_003) % (2 ** 31 - 1), schedules });
      played.catch(() => console.log(`the shop was "${name}"`));
      reports.push(await played);
    }
    const struck = reports.map((report) => report.struck);
    expect(FAULTS.filter((fault) => sumOf(struck, fault) === 0)).toEqual([]);
    const checked = reports.map((report) => report.checked);
    expect(invariants.filter(({ id }) => sumOf(checked, id) === 0)).toEqual([]);
    const ends = reports.map((report) => report.ends);
    expect(sumOf(ends, 'confirmed')).toBeGreaterThan(0);
    expect(sumOf(ends, 'cancelled')).toBeGreaterThan(0);
  });
});
