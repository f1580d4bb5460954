import type { Rule } from './rule.ts';

/** The most attempts any error gets; infinite without a limit. */
export const attemptsOf = (rules: readonly Rule[]): number =>
  rules.reduce((fewest, rule) => {
    if (rule.kind === 'maxAttempts') return Math.min(fewest, rule.attempts);
    if (rule.kind === 'never') return 1;
    if (rule.kind === 'orElse') return Math.min(fewest, Math.max(attemptsOf(rule.use), attemptsOf(rule.otherwise)));
    return fewest;
  }, Number.POSITIVE_INFINITY);
