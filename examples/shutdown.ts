import { writeSync } from 'node:fs';

/** A terminal signals the whole process group and the parent passes it on: within this time that is one wish, not two. */
const ONE_WISH_MS = 1000;
const EXIT_CODE = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Ends this process well: SIGINT, SIGTERM, `stop` from a parent or the parent's end drain it, and it exits with 0. A signal
 * more than a second later exits at once, which is as safe as a crash.
 * @param patienceMs what a drain may take; one that takes longer, or leaves something behind that keeps the process, exits with 1
 * @returns how to have it stop from within
 */
export const drainOnStop = (patienceMs: number, drain: () => Promise<void>): (() => void) => {
  let begun: number | undefined;

  const end = (problem?: unknown): void => {
    if (problem !== undefined) {
      process.exitCode = 1;
      console.error('the drain failed:', problem);
    }
    if (process.connected) process.disconnect?.();
  };
  const stop = (): void => {
    if (begun !== undefined) return;
    begun = performance.now();
    drain().then(() => end(), end);
    setTimeout(() => {
      writeSync(2, `still there ${patienceMs} ms after it was to stop\n`);
      process.exit(1);
    }, patienceMs).unref();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (begun !== undefined && performance.now() - begun > ONE_WISH_MS) process.exit(EXIT_CODE[signal]);
      stop();
    });
  }
  process.on('disconnect', stop);
  // A log that nobody reads any more is no reason to lose work.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  if (process.connected) process.on('message', (message) => message === 'stop' && stop());
  return stop;
};
