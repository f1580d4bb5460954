import { planBrokerStrikes } from './broker/broker-strikes.ts';
import { AT_ANY_BROKER, NOTICED } from './broker/shop-broker.ts';
import { beginDay, type Day, type DayOptions } from './day.ts';
import type { Evidence } from './evidence.ts';
import { planStrikes } from './strikes.ts';
import { strikeAll } from './striking.ts';
import { until } from './workplace.ts';

export interface ChaosOptions extends DayOptions {
  /** For how long faults strike; settling takes some seconds more. */
  readonly seconds: number;
  readonly workers: number;
  /** Customers keep coming until there were so many, even if that takes longer. @default 0 */
  readonly orders?: number;
  /** Goes on until everything that can strike the broker has done so as often, even if that takes longer. @default 0 */
  readonly brokerRounds?: number;
}

export interface ChaosRun extends Pick<Day, 'forget'> {
  readonly evidence: Evidence;
}

const LEASE_MS = 2500;
const MOST_STRIKES_A_SECOND = 10;

/** What strikes by itself, as everything else does it often enough. */
const BY_THE_WAY = ['kills in all', 'starts lost with their process', 'replies lost or falsified', 'orders asked for again'] as const;

/** Told so often, one of them has to have suffered it: a single one may be killed, or have nothing to write, at that very moment. */
const OFTEN = 3;

/** What processes take down themselves, by what they were told to suffer: only that counts. */
const SUFFERED: ReadonlyMap<string, string> = new Map([
  ['block worker', 'a handler blocked its process'],
  ['hang worker', 'a handler hung'],
  ['disk full', 'the disk was full'],
  ['read-only', 'the file was read-only'],
]);

/** Whether an operator finds a letter in passing is a matter of luck. */
const hadToStrike = (tried: Readonly<Record<string, number>>): readonly string[] => [
  ...Object.keys(tried).filter((kind) => kind !== 'operator'),
  ...Object.entries(tried).flatMap(([kind, times]) => (times >= OFTEN ? (SUFFERED.get(kind) ?? []) : [])),
  ...BY_THE_WAY,
];

/** Faults under load for a while; then all is lifted, everything redriven until it is settled, and all processes told to stop. */
export const runChaos = async (given: ChaosOptions, say: (text: string) => void): Promise<ChaosRun> => {
  const { seconds, orders = 0, brokerRounds = 0, ...options } = given;
  const { seed, workers, broker } = options;
  const day = await beginDay({ leaseMs: LEASE_MS, views: true, ...options }, say);
  const plan = planStrikes(seed, seconds * MOST_STRIKES_A_SECOND, workers, LEASE_MS);
  const rounds = broker === undefined ? [] : planBrokerStrikes(seed, Math.max(brokerRounds, seconds), broker.own !== undefined);
  const atTheBroker = { plan: rounds.flat(), least: rounds.slice(0, brokerRounds).flat().length };
  const { counts, shown } = await strikeAll(plan, atTheBroker, seconds * 1000, { ...day, say });
  await until('enough customers have come', async () => day.load.asked >= orders, 600_000);
  const kills = Object.entries(counts).reduce((sum, [kind, howMany]) => sum + (kind.startsWith('kill') ? howMany : 0), 0);
  const atBroker = new Set(atTheBroker.plan.map(({ strike }) => strike.kind as string));
  const timesAtBroker = Object.entries(counts).reduce((sum, [kind, howMany]) => sum + (atBroker.has(kind) ? howMany : 0), 0);
  const had = [...hadToStrike(counts), ...(broker === undefined ? [] : AT_ANY_BROKER), ...(timesAtBroker >= OFTEN ? [NOTICED] : [])];
  const struck = { struck: { ...counts, 'kills in all': kills }, hadToStrike: had };
  return { evidence: await day.end(struck, shown), forget: day.forget };
};
