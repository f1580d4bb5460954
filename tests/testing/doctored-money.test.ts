import { describe, expect, it } from 'vitest';
import { CONFIRMED, cancelled, confirmed, type Doctored, found, PAID, PLACED, REFUNDED } from './support/runs.ts';
import { effects, effectsOf, PLAN, runOf, written } from './support/written.ts';

const doctored: readonly Doctored[] = [
  ['S1', 'charges twice under one key', confirmed({ effects: [...PAID, ...effects('payment do 100')] }), ['S2']],
  [
    'S1',
    'charges twice without a key',
    confirmed({ effects: [...PAID, ...effects('payment do 100').map((one) => ({ ...one, key: undefined }))] }),
    ['S2'],
  ],
  [
    'S2',
    'is confirmed and never charged',
    runOf([written(CONFIRMED), written(CONFIRMED, PLAN, 'p')], {
      effects: [...PAID, ...effectsOf('p', 'inventory do', 'notification do')],
    }),
  ],
  ['S2', 'charges another amount', confirmed({ effects: [...effects('payment do 99'), ...PAID.slice(1)] })],
  ['S2', 'is confirmed and refunded', confirmed({ effects: [...PAID, ...effects('payment undo 100')] })],
  ['S2', 'refunds half', cancelled({ effects: effects('payment do 100', 'payment undo 50') })],
  ['S3', 'refunds more than it charged', cancelled({ effects: effects('payment do 100', 'payment undo 150') }), ['S2']],
  ['S3', 'refunds before it charges', cancelled({ effects: effects('payment undo 100', 'payment do 100') })],
  ['S4', 'is cancelled and keeps the money', cancelled({ effects: REFUNDED.slice(0, 1) }), ['S2']],
  [
    'S4',
    'charges for an order that is not there',
    cancelled({ effects: [...REFUNDED, ...PAID.slice(0, 1).map((one) => ({ ...one, orderId: 'gone', key: 'k' }))] }),
  ],
  [
    'S7',
    'releases what it reserved twice',
    runOf(
      written([
        ...PLACED,
        'InventorySucceeded',
        'PaymentRefused',
        'CancellationStarted refused',
        'InventoryUndoRequested',
        'InventoryUndone',
        'OrderCancelled',
      ]),
      { effects: effects('inventory do', 'inventory undo', 'inventory undo').map((one, at) => ({ ...one, key: `k${at}` })) },
    ),
    ['S3'],
  ],
  ['S7', 'is confirmed without a reservation', confirmed({ effects: [...PAID, ...effects('inventory undo')] })],
];

describe('an audit of effects', () => {
  it.each(doctored.map(([id, what, run, also = []]) => ({ id, what, run, also })))('$id finds the run that $what', ({ id, run, also }) => {
    expect(found(run)).toEqual([id, ...also].sort());
  });

  it('has every invariant of its kind find something', () => {
    expect([...new Set(doctored.map(([id]) => id))].sort()).toEqual(['S1', 'S2', 'S3', 'S4', 'S7'].sort());
  });
});
