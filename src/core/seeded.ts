/**
 * Repeatable randomness: the same seed gives the same sequence on every machine, each number in [0, 1).
 * Not for secrets.
 * @see sfc32 of the PractRand suite, https://pracrand.sourceforge.net
 */
export const seeded = (seed: number): (() => number) => {
  let a = 0x9e3779b9;
  let b = Math.trunc(seed / 0x1_0000_0000) | 0;
  let c = seed | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  for (let i = 0; i < 15; i += 1) next(); // near seeds start near each other; 15 rounds part them
  return next;
};
