import { measureFold } from '../fold.ts';
import { type Row, ratioRow } from '../harness.ts';

/** Folding a stored order of eight events, frozen, beside the least one could write by hand. */
export const run = async (): Promise<readonly Row[]> => {
  const rounds = Array.from({ length: 15 }, () => measureFold({ pairs: 3, folds: 10_000 }));
  return [
    ratioRow({
      what: 'fold of an order of eight events',
      peer: 'plain mutation, nothing frozen',
      unit: 'µs',
      ours: rounds.map(({ ratio, plainMicros }) => ratio * plainMicros),
      beside: rounds.map(({ plainMicros }) => plainMicros),
      limit: { at: 'most', value: 6 },
      note: 'from src in any case: the fold is not public',
    }),
  ];
};
