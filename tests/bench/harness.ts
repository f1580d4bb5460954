import { startChild } from './children.ts';
import { type Estimate, estimate, type Limit, median, type Verdict, verdict } from './statistics.ts';

/** One line of the table. */
export interface Row {
  readonly what: string;
  /** Medians of what was measured; null where there is nothing beside it. */
  readonly ours: number | null;
  readonly beside: number | null;
  /** What `beside` is. */
  readonly peer: string;
  readonly unit: string;
  /** What the limit is about: a ratio of each pair, or the measured value itself. */
  readonly figure: (Estimate & { readonly of: 'ratio' | 'value' }) | null;
  readonly samples: number;
  readonly limit: Limit | null;
  readonly verdict: Verdict | 'skipped' | '–';
  readonly note?: string;
}

/** Measures once, in the unit of its row. */
export type Measure = () => Promise<number> | number;

/**
 * Measures all of them in turn, A B C A B C …, so that a slow moment of the machine hits each alike. One round more than asked for goes
 * before: it warms up and does not count.
 */
export const interleaved = async <Name extends string>(
  rounds: number,
  measures: Readonly<Record<Name, Measure>>,
): Promise<Record<Name, readonly number[]>> => {
  const entries = Object.entries(measures) as [Name, Measure][];
  const found = Object.fromEntries(entries.map(([name]) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, measure] of entries) {
      globalThis.gc?.();
      const value = await measure();
      if (round >= 0) found[name].push(value);
    }
  }
  return found;
};

/** A side of a comparison in a process of its own: how to measure it once, and how to end it. */
export const apart = async (benchmark: string, name: string, ...args: readonly string[]) => {
  const child = await startChild<number>('side-child.ts', [benchmark, name, ...args]);
  return {
    measure(): Promise<number> {
      child.send({});
      return child.answer();
    },
    end: child.end,
  };
};

interface Compared {
  readonly what: string;
  readonly peer: string;
  readonly unit: string;
  readonly ours: readonly number[];
  readonly beside: readonly number[];
  readonly limit?: Limit;
  readonly note?: string;
}

const withNote = (note: string | undefined): { readonly note?: string } => (note === undefined ? {} : { note });

/** Ours ÷ theirs, pair by pair. */
export const ratioRow = ({ what, peer, unit, ours, beside, limit, note }: Compared): Row => {
  const ratios = ours.map((value, pair) => value / (beside[pair] as number));
  const figure = { ...estimate(ratios), of: 'ratio' as const };
  return {
    what,
    ours: median(ours),
    beside: median(beside),
    peer,
    unit,
    figure,
    samples: ratios.length,
    limit: limit ?? null,
    verdict: limit === undefined ? '–' : verdict(figure, limit),
    ...withNote(note),
  };
};

/**
 * A quantile of measured values, with the same of what the bare machine did meanwhile beside it. A limit that the bare machine itself is
 * outside of is not missed by what runs on it.
 */
export const valueRow = ({ share = 0.5, ...row }: Compared & { readonly share?: number }): Row => {
  const figure = { ...estimate(row.ours, share), of: 'value' as const };
  const judged = row.limit === undefined ? '–' : verdict(figure, row.limit);
  const unfit = row.limit !== undefined && row.beside.length > 0 && verdict(estimate(row.beside, share), row.limit) !== 'met';
  return {
    what: row.what,
    ours: figure.value,
    beside: row.beside.length === 0 ? null : estimate(row.beside, share).value,
    peer: row.peer,
    unit: row.unit,
    figure,
    samples: row.ours.length,
    limit: row.limit ?? null,
    verdict: judged === 'missed' && unfit ? 'unclear' : judged,
    ...withNote(judged === 'missed' && unfit ? 'the bare machine is outside too' : row.note),
  };
};

export const skippedRow = (what: string, peer: string, why: string): Row => ({
  what,
  ours: null,
  beside: null,
  peer,
  unit: '',
  figure: null,
  samples: 0,
  limit: null,
  verdict: 'skipped',
  note: why,
});

/** Runs `work(0)` to `work(count - 1)`, so many at a time. */
export const atATime = async (inFlight: number, count: number, work: (index: number) => Promise<unknown>): Promise<void> => {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
};

/** So many a second, from a count and a start on `performance.now()`. */
export const perSecond = (count: number, start: number): number => (count * 1000) / (performance.now() - start);
