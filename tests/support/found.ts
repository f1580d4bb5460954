import type { Scenario } from './bus-scenarios.ts';

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
