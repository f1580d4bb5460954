import type { Scenario } from './bus-scenarios.ts';
import type { OrderScenario } from './order-scenarios.ts';

const calm = { seed: 0, shards: 1, workers: 1, concurrency: 1, latencyMs: 0, hints: 'others', faults: [] } as const;

/** What broke an earlier engine, as small as it could be made. Each is played again before anything new. */
export const foundOnBus: readonly Scenario[] = [
  // a hint was lost, and nobody looked
  { ...calm, hints: 'none', actions: [{ at: 1, do: 'publish', stream: 0, script: [], of: 'holding' }] },
  // woke from a stall without its lease and started what another worker had taken over
  {
    ...calm,
    workers: 2,
    faults: [[{ of: 'held', nth: 2, kind: 'rejectBefore' }]],
    actions: [
      { at: 1, do: 'publish', stream: 0, script: [], of: 'holding' },
      { at: 0, do: 'publish', stream: 1, script: ['never'], of: 'holding' },
      { at: 0, do: 'publish', stream: 1, script: [], of: 'holding' },
      { at: 2, do: 'stall', worker: 0, forMs: 1099 },
    ],
  },
  // noticed, did not start it, and left its start written down for ever
  {
    ...calm,
    hints: 'none',
    actions: [
      { at: 334, do: 'publish', stream: 0, script: [], of: 'holding' },
      { at: 2007, do: 'stall', worker: 0, forMs: 973 },
      { at: 667, do: 'away', forMs: 1300, when: 'before' },
    ],
  },
];

const quietly = { ...calm, saga: 'parallel', deadlineMs: null, query: false } as const;

/** The same for orders. */
export const foundOnOrders: readonly OrderScenario[] = [
  // redriven by another process, the undo found the order as it remembered it and did nothing
  {
    ...quietly,
    actions: [
      { at: 0, do: 'place', fates: { 'payment:undo': Array(12).fill('down') }, twice: false },
      { at: 1, do: 'cancel', order: 0 },
    ],
  },
  // not found, and the wait for a call that may still arrive began again with every look
  { ...quietly, query: true, actions: [{ at: 0, do: 'place', fates: { payment: ['decline'], inventory: ['down'] }, twice: false }] },
  // the order took long to read; the payment was called when its time was up and it had been settled as absent
  {
    ...quietly,
    query: true,
    deadlineMs: 300,
    faults: [[], [{ of: 'stream', nth: 1, kind: 'slow' }]],
    actions: [{ at: 0, do: 'place', fates: {}, twice: false }],
  },
];
