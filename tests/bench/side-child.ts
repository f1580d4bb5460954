import { serve } from './children.ts';

/** What a benchmark exports for a process of its own: makes what is measured there and says how to measure it once. */
export type Side = (...args: readonly string[]) => Promise<() => Promise<number>>;

// One side of a comparison, so that neither side's garbage and compiled code are the other's.
const [benchmark = '', name = '', ...args] = process.argv.slice(2);
const { sides } = (await import(`./benchmarks/${benchmark}.ts`)) as { readonly sides: Readonly<Record<string, Side>> };
const side = sides[name];
if (side === undefined) throw new Error(`${benchmark} has no side ${name}`);
const measure = await side(...args);

serve(
  async () => {
    globalThis.gc?.();
    process.send?.(await measure());
  },
  async () => {},
);
