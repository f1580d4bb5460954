const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A duration as people say it: 200 → `200 ms`, 3200 → `3.2 s`, 90000 → `1.5 min`, in the largest unit that needs no rounding. */
export const inWords = (durationMs: number): string => {
  const [unit, size] = UNITS.find(([, length]) => durationMs >= length && (durationMs * 1000) % length === 0) ?? ['ms', 1];
  return `${Number((durationMs / size).toFixed(3))} ${unit}`;
};

/** `0–200 ms`, `500 ms–1 s`; one duration where both ends are the same. */
export const rangeInWords = (leastMs: number, mostMs: number): string => {
  const [least, most] = [inWords(leastMs), inWords(mostMs)];
  if (least === most) return most;
  const [amount, unit] = least.split(' ');
  return leastMs === 0 || most.endsWith(` ${unit}`) ? `${amount}–${most}` : `${least}–${most}`;
};
