import { describe, expect, it } from 'vitest';
import { type SimulationFailed, type SimulationPlan, simulate } from '../../src/testing/index.ts';
import { type Patch, withPatches } from './broken/patched.ts';
import { shop } from './support/shop.ts';
import { shopOf } from './support/shops.ts';

const calm: SimulationPlan = {
  seed: 0,
  shards: 2,
  apis: 1,
  workers: 1,
  concurrency: 8,
  leaseMs: 1000,
  latencyMs: 0,
  hints: 'others',
  storeFaults: [],
  actions: [],
};

const PLAN_A: SimulationPlan = {
  ...calm,
  seed: 300057418,
  shards: 1,
  apis: 2,
  workers: 3,
  concurrency: 1,
  latencyMs: 5,
  storeFaults: [
    [],
    [],
    [],
    [
      { of: 'commit', nth: 2, kind: 'stuck' },
      { of: 'read', nth: 1, kind: 'rejectBefore' },
    ],
  ],
  actions: [
    { at: 60, do: 'place', order: 0, fates: { 'stock.release': ['kill'] }, times: 1 },
    { at: 820, do: 'pauseOrder', order: 0, by: 0 },
  ],
};

const PLAN_B: SimulationPlan = {
  seed: 700020342,
  shards: 1,
  apis: 2,
  workers: 1,
  concurrency: 64,
  leaseMs: 1000,
  latencyMs: 2,
  hints: 'others',
  storeFaults: [],
  actions: [
    { at: 2, do: 'place', order: 0, fates: { books: ['ok', 'throw'] }, times: 1 },
    { at: 21, do: 'cancel', order: 0, by: 0 },
    { at: 28, do: 'stall', who: 2, forMs: 1497 },
    { at: 22, do: 'away', forMs: 1500, when: 'full' },
  ],
};

/** What broke an earlier engine: the schedule that showed it, as small as it could be made, and the fault as a change of the source. */
const FOUND = [
  {
    title: 'S17 an undo that another process redrives sees the order as it is now, and not as it was remembered',
    app: shopOf({ shape: 'parallel', query: false, deadlineMs: undefined }),
    plan: {
      ...calm,
      actions: [
        { at: 0, do: 'place', order: 1, fates: { 'payments.refund': Array(12).fill('down') }, times: 1 },
        { at: 1, do: 'cancel', order: 0, by: 0 },
      ],
    },
    patches: [{ file: 'runtime/steps.ts', find: 'sinceLastStartMs === null ? version : undefined', replace: 'version' }],
  },
  {
    title: 'S17 the wait for a call that may still arrive ends, however often it is looked for',
    app: shopOf({ shape: 'parallel', query: true, deadlineMs: undefined }),
    plan: {
      ...calm,
      // Under this one the payment is refused while nobody knows of the reservation.
      seed: 14,
      actions: [{ at: 0, do: 'place', order: 1, fates: { 'stock.reserve': ['down'] }, times: 1 }],
    },
    patches: [
      {
        file: 'runtime/runner.ts',
        find: "if (how === 'interrupted' || !isPostponed(error) || sinceLastStart(record, holding, system.monotonic()) === null)",
        replace: '',
      },
      // It goes on for ever, several times a second.
      { file: 'testing/simulation/play.ts', find: 'const PATIENCE_MS = 6 * 3_600_000;', replace: 'const PATIENCE_MS = 60_000;' },
    ],
  },
  {
    title: 'S4 R9 nothing is called any more once the time of a run is up, however long its order took to read',
    app: shopOf({ shape: 'parallel', query: true, deadlineMs: 300 }),
    plan: {
      ...calm,
      storeFaults: [[], [{ of: 'stream', nth: 1, kind: 'slow' }]],
      // The look comes after all of it, so that the run is judged with all of it in it.
      actions: [
        { at: 0, do: 'place', order: 1, fates: {}, times: 1 },
        { at: 3000, do: 'look', order: 0, by: 0 },
      ],
    },
    patches: [{ file: 'runtime/steps.ts', find: 'input.signal.throwIfAborted();', replace: '' }],
  },
  {
    title: 'S17 of a lease that ran out and was gained anew, while what its last owner left was being written down, the later one counts',
    app: shop,
    plan: PLAN_A,
    patches: [
      { file: 'runtime/consumer.ts', find: 'if (other !== undefined && other.lease.epoch > lease.epoch) return;', replace: '' },
      { file: 'runtime/consumer.ts', find: 'if (other !== undefined) lose(other);', replace: '' },
    ],
  },
  {
    title: 'R16 an answer to a lease that has ended starts nothing under the one that came after it',
    app: shop,
    plan: PLAN_B,
    patches: [{ file: 'runtime/due-poller.ts', find: '!asked.has(holding) || ', replace: '' }],
  },
] as const satisfies readonly { title: string; app: object; plan: SimulationPlan; patches: readonly Patch[] }[];

describe('what was found before', () => {
  it.each(FOUND)('$title', { timeout: 120_000 }, async ({ title, app, plan, patches }) => {
    const found = { ...app, replay: JSON.stringify(plan) } as Parameters<typeof simulate>[0];
    expect(Object.values((await simulate(found)).ends)).toEqual([1]);
    await withPatches(patches, async (broken) => {
      const failed = await broken.simulate(found).catch((error: unknown) => error);
      expect((failed as SimulationFailed).violations.map(({ invariant }) => invariant)).toContain(title.slice(0, title.indexOf(' ')));
    });
  });
});
