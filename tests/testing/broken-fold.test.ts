import { expect, it, vi } from 'vitest';
import type { FoldableEvent } from '../../src/order/evolve.ts';
import type { Order } from '../../src/order/order.ts';
import { confirmed, found } from './support/runs.ts';

/** A fold that forgets, of a state it is handed, when the order was placed. */
vi.mock('../../src/order/fold.ts', async (original) => {
  const real = await original<typeof import('../../src/order/fold.ts')>();
  const fold = (events: readonly FoldableEvent[], from?: Order) =>
    real.fold(events, from === undefined ? undefined : { ...from, placedAt: '' });
  return { ...real, fold };
});

it('S14 finds the run whose states depend on where they were stored on the way', () => {
  expect(found(confirmed())).toEqual(['S14']);
});
