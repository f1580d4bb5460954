import { isOrderfoldError } from '../core/errors.ts';
import type { System } from '../core/system.ts';
import type { BatchRoute } from './subscription.ts';

const FREE_REPEATS = 3;
const PAUSE_MS = { first: 5, longest: 1000 } as const;

/**
 * Before a run over documents is repeated for the `repeats`-th time, whose writes came too late or whose reads the store did not answer.
 * The first three follow at once; after that a random pause, 5 ms at most and twice as much each time up to 1 s, so that those who race for one
 * document part.
 */
export const beforeRepeat = async (system: System, repeats: number): Promise<void> => {
  if (repeats <= FREE_REPEATS) return;
  const mostMs = Math.min(PAUSE_MS.longest, PAUSE_MS.first * 2 ** (repeats - FREE_REPEATS - 1));
  await new Promise<void>((resolve) => void system.setTimer(system.random() * mostMs, resolve));
};

const AWAY: ReadonlySet<unknown> = new Set(['TRANSPORT', 'BUSY', 'HANDLER_TIMEOUT']);

/** What handles batches and failed of this has failed of nothing of its own: the store is away, or the broker, or its transport was closed. */
export const isOutage = ({ stored }: Pick<BatchRoute, 'stored'>, error: unknown): boolean => {
  if (!isOrderfoldError(error)) return false;
  if (!error.retryable) return stored === true && error.code === 'CLOSED';
  return error.code === 'STORE' || (stored === true && AWAY.has(error.code));
};
