import { attemptsOf } from './attempts.ts';
import { inWords } from './in-words.ts';
import { waitInWords } from './next-delay.ts';
import type { Backoff, PlainRule, Rule } from './rule.ts';

/** How many waits are spelt out before "then". */
const SHOWN = 5;

const waits = (backoff: Backoff, attempts: number): string => {
  if (backoff.kind === 'fixed') return `${waitInWords(backoff, 1, 0)} each time`;
  if (backoff.kind === 'decorrelated')
    return `${waitInWords(backoff, 1, 0)}, then up to 3 × the wait before, at most ${inWords(backoff.capMs)}`;
  const shown = Math.min(attempts - 1, SHOWN);
  const list = Array.from({ length: shown }, (_, index) => waitInWords(backoff, index + 1, 0)).join(', ');
  return attempts - 1 > SHOWN ? `${list}, … then at most ${inWords(backoff.capMs)}` : list;
};

const isBackoff = (rule: Rule): rule is Backoff =>
  rule.kind === 'fixed' || rule.kind === 'linear' || rule.kind === 'exponential' || rule.kind === 'decorrelated';

const attemptsInWords = (attempts: number): string => {
  if (attempts === 1) return 'one attempt, no retry';
  return attempts === Number.POSITIVE_INFINITY ? 'any number of attempts' : `up to ${attempts} attempts`;
};

const waitsInWords = (backoffs: readonly Backoff[], attempts: number): string => {
  const all = backoffs.map((backoff) => waits(backoff, attempts));
  if (all.length === 0) return 'retries at once';
  return all.length === 1 ? `waits ${all[0]}` : `waits the longest of (${all.join(') and (')})`;
};

const limitInWords = (rule: PlainRule): string | undefined => {
  switch (rule.kind) {
    case 'maxElapsedMs':
      return `no attempt later than ${inWords(rule.elapsedMs)} after the first began`;
    case 'honourRetryAfter':
      return `no wait shorter than a Retry-After, gives up on one over ${inWords(rule.maxMs)}`;
    case 'retryIf':
      return `retries only if ${rule.errors.name}`;
    default:
      return undefined;
  }
};

/** A policy in words. */
export const explain = (rules: readonly Rule[]): string => {
  const choices = rules.filter((rule) => rule.kind === 'orElse');
  const plain = rules.filter((rule) => rule.kind !== 'orElse');
  const backoffs = plain.filter(isBackoff);
  const attempts = attemptsOf(plain);
  const parts: string[] = [];
  // What a choice leaves open is said inside it.
  if (choices.length === 0 || attempts < Number.POSITIVE_INFINITY) parts.push(attemptsInWords(attempts));
  if (attempts === 1) return parts.join('');
  if (choices.length === 0 || backoffs.length > 0) parts.push(waitsInWords(backoffs, attempts));
  parts.push(...plain.map(limitInWords).filter((words) => words !== undefined));
  parts.push(...choices.map(({ errors, use, otherwise }) => `if ${errors.name}: (${explain(use)}), else: (${explain(otherwise)})`));
  return parts.join('; ');
};
