import { beginDay, type Day, type DayOptions } from './day.ts';
import type { Evidence } from './evidence.ts';
import { planStrikes } from './strikes.ts';
import { strikeAll } from './striking.ts';

export interface ChaosOptions extends DayOptions {
  /** For how long faults strike; settling takes some seconds more. */
  readonly seconds: number;
  readonly workers: number;
}

export interface ChaosRun extends Pick<Day, 'forget'> {
  readonly evidence: Evidence;
}

const LEASE_MS = 1500;

/** Faults under load for a while; then all is lifted, everything redriven until it is settled, and all processes told to stop. */
export const runChaos = async ({ seconds, ...options }: ChaosOptions, say: (text: string) => void): Promise<ChaosRun> => {
  const { seed, workers } = options;
  const day = await beginDay({ leaseMs: LEASE_MS, ...options }, say);
  const { counts, shown } = await strikeAll(planStrikes(seed, seconds * 1000, workers, LEASE_MS), day.shop, day.services, say);
  const kills = Object.entries(counts).reduce((sum, [kind, howMany]) => sum + (kind.startsWith('kill') ? howMany : 0), 0);
  const struck = {
    struck: { ...counts, 'kills in all': kills },
    hadToStrike: ['kills in all', 'starts lost with their process', 'replies lost or falsified'],
  };
  return { evidence: await day.end(struck, shown), forget: day.forget };
};
