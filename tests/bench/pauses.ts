import { setTimeout as sleep } from 'node:timers/promises';

/** Waits a random time between the two, so that nothing falls in step with anybody's polling. */
export const pause = (leastMs: number, mostMs: number): Promise<void> => sleep(leastMs + (mostMs - leastMs) * Math.random());

/** Milliseconds of one clock for all processes of this machine. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;
