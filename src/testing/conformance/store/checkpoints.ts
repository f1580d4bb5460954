import assert from 'node:assert/strict';
import type { Arbitrary } from 'fast-check';
import type { Progress, Range } from '../../../core/store.ts';
import type { FastCheck } from '../../arbitraries.ts';
import { loadFastCheck } from '../../fast-check.ts';
import {
  absent,
  append,
  commit,
  commitOne,
  delivery,
  handOver,
  mustCommit,
  own,
  refOf,
  type StoreCase,
  streamsIn,
  tick,
} from './subject.ts';

/** What one owner does with its one lease: positions done by units, ranges done beside any unit. */
interface Step {
  readonly units: readonly (readonly number[])[];
  readonly progress: readonly Range[];
}

const POSITIONS = 40;
const stepsFrom = (fc: FastCheck): Arbitrary<Step> => {
  const position = fc.integer({ min: 1, max: POSITIONS });
  const range = fc.tuple(position, fc.nat({ max: 6 })).map(([from, more]): Range => [from, Math.min(POSITIONS, from + more)]);
  return fc.record({
    units: fc.array(fc.array(position, { maxLength: 4 }), { maxLength: 4 }),
    progress: fc.array(range, { maxLength: 3 }),
  });
};

/** The plain truth of a checkpoint: the set of all that is done. */
const normalised = (done: ReadonlySet<number>): { low: number; done: [number, number][] } => {
  let low = 0;
  while (done.has(low + 1)) low += 1;
  const ranges: [number, number][] = [];
  for (const at of [...done].filter((one) => one > low).sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === at - 1) last[1] = at;
    else ranges.push([at, at]);
  }
  return { low, done: ranges };
};

export const checkpointCases = (test: StoreCase): void => {
  test('merges what units and progress have done into exactly the set of it', async ({ store }) => {
    let owner = 'first';
    let leases = await own(store, owner);
    for (const stream of streamsIn(store, 0, 1)) await mustCommit(store, [{ appends: [append(stream, 'none', POSITIONS)] }]);
    // One store for all runs, told apart by shard: each run works on top of what earlier ones did there.
    const models = new Map<number, Set<number>>();
    const fc = await loadFastCheck();
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: store.shards - 1 }), fc.array(stepsFrom(fc), { minLength: 1, maxLength: 4 }), async (shard, steps) => {
        const model = models.get(shard) ?? new Set<number>();
        models.set(shard, model);
        const lease = refOf(leases[shard] ?? assert.fail());
        for (const { units, progress } of steps) {
          await mustCommit(
            store,
            units.map((done) => ({ lease, done })),
            { owner, progress: progress.map((one) => ({ lease, done: [one] })) },
          );
          for (const at of units.flat()) model.add(at);
          for (const [from, to] of progress) for (let at = from; at <= to; at += 1) model.add(at);
        }
        const next = owner === 'first' ? 'second' : 'first';
        leases = await handOver(store, leases, owner, next);
        owner = next;
        assert.deepEqual(leases[shard]?.checkpoint, normalised(model));
      }),
      { numRuns: 40 },
    );
  });

  test('marks nothing done for a unit that lost', async ({ store }) => {
    const leases = await own(store);
    const lease = refOf(leases[0] ?? assert.fail());
    await mustCommit(store, [{ park: [absent(delivery(store, 'a', 1))] }]);
    await commit(
      store,
      [
        { lease, done: [1] },
        { lease, done: [2], appends: [append('a', 7)] },
        { lease, done: [3], park: [absent(delivery(store, 'a', 1))] },
        { lease, done: [4] },
      ],
      { owner: 'worker' },
    );
    const [next] = await handOver(store, leases, 'worker', 'other');
    assert.deepEqual(next?.checkpoint, { low: 1, done: [[4, 4]] });
  });

  test('R12 lets an owner whose lease was taken over write nothing at all, and tells it so', async ({ store, system }) => {
    const stale = (await own(store, 'old')).map(refOf);
    const lease = stale[0] ?? assert.fail();
    await mustCommit(store, [{ lease, done: [1] }], { owner: 'old' });
    await system.advance(10_001);
    const gained = (await tick(store, 'new')).gained;
    assert.equal(gained.length, store.shards);

    const progress: Progress[] = [{ lease, done: [[2, 9]], startMark: 9 }];
    const late = await commit(store, [{ lease, done: [2], appends: [append('a', 'none')], park: [absent(delivery(store, 'a', 1))] }, {}], {
      owner: 'old',
      progress,
    });
    assert.deepEqual(late, {
      units: [
        { won: false, why: 'lease' },
        { won: true, appended: [] },
      ],
      lost: [lease],
    });
    assert.equal(await store.stream('a'), null);
    assert.equal(await store.parked('mail:a@1'), null);
    const [now] = await handOver(store, gained, 'new', 'newest');
    assert.deepEqual([now?.checkpoint, now?.startMark], [{ low: 1, done: [] }, 0]);
  });

  test('R12 fences a lease that was let go, even if nobody has taken it since', async ({ store }) => {
    const leases = await own(store);
    await tick(store, 'worker', { release: leases.map((lease) => ({ lease: refOf(lease), clean: true })), claim: false });
    const lease = refOf(leases[0] ?? assert.fail());
    const late = await commit(store, [{ lease, done: [1] }], { owner: 'worker', progress: [{ lease, done: [[1, 1]] }] });
    assert.deepEqual(late, { units: [{ won: false, why: 'lease' }], lost: [lease] });
  });

  test('fences a lease of a subscription or epoch that never was', async ({ store }) => {
    const [lease] = await own(store);
    assert.ok(lease);
    for (const odd of [
      { ...refOf(lease), epoch: lease.epoch + 1 },
      { ...refOf(lease), subscription: 'nobody' },
    ]) {
      assert.deepEqual(await commitOne(store, { lease: odd, done: [1] }, { owner: 'worker' }), { won: false, why: 'lease' });
    }
  });

  test('raises the start mark to a number or to the head after the batch, and never lowers it', async ({ store }) => {
    let leases = await own(store, 'first');
    const [stream] = streamsIn(store, 0, 1) as [string];
    let owner = 'first';
    const markAfter = async (startMark: number | 'head' | undefined, appended = 0): Promise<number | undefined> => {
      const lease = refOf(leases[0] ?? assert.fail());
      const units = appended === 0 ? [] : [{ appends: [append(stream, 'any', appended)] }];
      await mustCommit(store, units, { owner, progress: [{ lease, done: [], ...(startMark === undefined ? {} : { startMark }) }] });
      const next = owner === 'first' ? 'second' : 'first';
      leases = await handOver(store, leases, owner, next);
      owner = next;
      return leases[0]?.startMark;
    };
    assert.equal(leases[0]?.startMark, 0);
    assert.equal(await markAfter('head', 3), 3);
    assert.equal(await markAfter(5), 5);
    assert.equal(await markAfter(4), 5);
    assert.equal(await markAfter('head', 1), 5);
    assert.equal(await markAfter(undefined, 9), 5);
    assert.equal(await markAfter('head'), 13);
    assert.deepEqual(leases[1]?.startMark, 0);
  });

  test('R4 tells the next owner after a crash how far starts may have gone, also where every unit of that batch lost', async ({
    store,
    system,
  }) => {
    const [lease] = await own(store);
    assert.ok(lease);
    const [stream] = streamsIn(store, 0, 1) as [string];
    await mustCommit(store, [{ appends: [append(stream, 'none', 6)] }]);
    const ref = refOf(lease);
    const { units } = await commit(store, [{ lease: ref, done: [1], appends: [append(stream, 99)] }], {
      owner: 'worker',
      progress: [{ lease: ref, done: [[2, 3]], startMark: 4 }],
    });
    assert.equal(units[0]?.won, false);
    await system.advance(10_000);
    const next = (await tick(store, 'heir')).gained.find(({ shard }) => shard === 0);
    assert.deepEqual([next?.checkpoint, next?.startMark, next?.clean], [{ low: 0, done: [[2, 3]] }, 4, false]);
  });

  test('begins a subscription where it was told to, shard by shard, and only once', async ({ store, another }) => {
    const elsewhere = (await another?.()) ?? store;
    const [a] = streamsIn(store, 0, 1) as [string];
    await mustCommit(store, [{ appends: [append(a, 'none', 3)] }]);
    await Promise.all(
      [store, elsewhere, store].map((one) =>
        one.register([
          { name: 'late', start: 'head' },
          { name: 'early', start: 'beginning' },
        ]),
      ),
    );
    await mustCommit(store, [{ appends: [append(a, 3, 2)] }]);
    await elsewhere.register([
      { name: 'late', start: 'beginning' },
      { name: 'early', start: 'head' },
      { name: 'later', start: 'head' },
    ]);
    const { gained } = await tick(store, 'worker', { subscriptions: ['late', 'early', 'later', 'never registered'] });
    const lows = gained
      .filter(({ shard }) => shard === 0)
      .map(({ subscription, checkpoint, startMark }) => [subscription, checkpoint.low, startMark]);
    assert.deepEqual(lows.sort(), [
      ['early', 0, 0],
      ['late', 3, 3],
      ['later', 5, 5],
    ]);
    const backlog = Object.entries((await store.counts()).subscriptions).map(([name, counts]) => [name, counts.backlog]);
    assert.deepEqual(backlog.sort(), [
      ['early', 5],
      ['late', 2],
      ['later', 0],
    ]);
  });
};
