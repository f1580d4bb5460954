import * as E from 'fp-ts/lib/Either.js';
import { seeded } from '../seeded.ts';
import { nextDelay } from './next-delay.ts';
import type { Rules } from './rule.ts';

/** What a policy would do after one failed attempt. */
export interface SimulatedAttempt {
  /** 1-based. */
  readonly attempt: number;
  /** When it fails: since the first attempt began, if calls take no time. */
  readonly atMs: number;
  /** The wait after it; null: the policy gives up. */
  readonly delayMs: number | null;
  readonly rule: string;
}

/** The schedule a policy keeps when attempt 1 fails with `errors[0]`, attempt 2 with `errors[1]`, and so on. */
export const simulate = (policy: Rules, errors: readonly unknown[], seed: number): readonly SimulatedAttempt[] => {
  const random = seeded(seed);
  const schedule: SimulatedAttempt[] = [];
  let atMs = 0;
  let previousDelayMs = 0;
  for (const [index, error] of errors.entries()) {
    const attempt = index + 1;
    const next = nextDelay(policy, { attempt, elapsedMs: atMs, previousDelayMs, error }, random());
    if (E.isLeft(next)) return [...schedule, { attempt, atMs, delayMs: null, rule: next.left.rule }];
    schedule.push({ attempt, atMs, ...next.right });
    previousDelayMs = next.right.delayMs;
    atMs += previousDelayMs;
  }
  return schedule;
};
