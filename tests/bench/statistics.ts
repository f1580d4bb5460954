/** A middle value and the interval it lies in with a confidence of 95 %, or the whole range where the values are too few for that. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Limit {
  readonly at: 'least' | 'most';
  readonly value: number;
}

/** `unclear`: the value is outside the limit, but a part of its interval is not. Only `missed` counts against a benchmark. */
export type Verdict = 'met' | 'unclear' | 'missed';

const CONFIDENCE = 0.95;

const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

/** The smallest value that at least this share of the values does not exceed; for the median of an even number, the middle of two. */
export const quantile = (values: readonly number[], share: number): number => {
  if (values.length === 0) throw new RangeError('expected at least one value, got none');
  const sorted = ascending(values);
  const at = share * sorted.length;
  const upper = sorted[Math.min(sorted.length - 1, Math.floor(at))] as number;
  if (share === 0.5 && Number.isInteger(at)) return ((sorted[at - 1] as number) + upper) / 2;
  return Number.isInteger(at) ? (sorted[Math.max(0, at - 1)] as number) : upper;
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** P(X = 0), P(X = 1), … P(X = n) of the binomial distribution, by logarithms: `share ** n` alone may be too small for a number. */
const binomial = (n: number, share: number): number[] => {
  const logs = [n * Math.log1p(-share)];
  for (let k = 1; k <= n; k += 1) logs.push((logs[k - 1] as number) + Math.log((n - k + 1) / k) + Math.log(share) - Math.log1p(-share));
  return logs.map(Math.exp);
};

/**
 * A quantile with its interval by order statistics, which assumes nothing about how the values are spread: how many of n values lie below
 * the true quantile is binomial. Seven pairs give their whole range (98.4 % for a median), nine leave out the outermost two.
 */
export const estimate = (values: readonly number[], share = 0.5): Estimate => {
  const sorted = ascending(values);
  const tail = (1 - CONFIDENCE) / 2;
  const chances = binomial(sorted.length, share);
  let below = 0;
  let low = 0;
  for (const [k, chance] of chances.entries()) {
    below += chance;
    if (below > tail) {
      low = Math.max(0, k - 1);
      break;
    }
  }
  let above = 0;
  let high = sorted.length - 1;
  for (let k = sorted.length; k >= 0; k -= 1) {
    above += chances[k] as number;
    if (above > tail) {
      high = Math.min(sorted.length - 1, k);
      break;
    }
  }
  return { value: quantile(values, share), low: sorted[low] as number, high: sorted[high] as number };
};

export const verdict = ({ value, low, high }: Estimate, limit: Limit): Verdict => {
  const within = (figure: number): boolean => (limit.at === 'least' ? figure >= limit.value : figure <= limit.value);
  if (within(value)) return 'met';
  return within(low) || within(high) ? 'unclear' : 'missed';
};
