/** Fails with both numbers when a measured quantity exceeds what it may be. */
export const expectWithin = (what: string, measured: number, limit: number, unit: string): void => {
  if (!(measured <= limit)) throw new Error(`${what}: ${measured.toFixed(1)} ${unit}, but at most ${limit} ${unit} are allowed`);
};

export const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
};
