import { appendFileSync } from 'node:fs';
import { drainOnStop } from '../../../examples/shutdown.ts';
import type { Orders } from '../../../src/index.ts';

/** What a role is told by its test. */
export const told = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`expected ${name} to be set`);
  return value;
};

/** Leaves a mark that outlives this process, whatever becomes of it. */
export const leaveMark = (mark: object): void => appendFileSync(told('MARKS'), `${JSON.stringify({ pid: process.pid, ...mark })}\n`);

/** What buses and orders have in common. */
export interface Working {
  start(): Promise<void>;
  close(): Promise<void>;
  readonly on: Orders['on'];
}

/** Works until it is told to stop. */
export const work = async (working: Working): Promise<void> => {
  working.on('leaseLost', ({ subscription, shard }) => console.log(`lost ${subscription}/${shard}`));
  working.on('trouble', ({ where, error }) =>
    console.log(`trouble in ${where}: ${error instanceof Error ? error.message : String(error)}`),
  );
  await working.start();
  drainOnStop(20_000, () => working.close());
  console.log('worker ready');
};

export const LEASE_MS = 700;
