import assert from 'node:assert/strict';
import type { ParkedDelivery, ParkedState } from '../../../core/records.ts';
import { loadFastCheck } from '../../fast-check.ts';
import { absent, change, delivery, mustCommit, own, refOf, type StoreCase, streamsIn, timer } from './subject.ts';

/** What waits for what: the deliveries of one subscription and stream, in the order of their versions. */
export const laneCases = (test: StoreCase): void => {
  test('R16 R17 lets only the lowest version in the way of a stream run, and the next when that is over', async ({ store, system }) => {
    const leases = (await own(store)).map(refOf);
    const ids = async () => (await store.due(leases, 100)).deliveries.map(({ parked }) => parked.id);
    const at = (version: number) => `mail:a@${version}`;
    await mustCommit(store, [{ park: [4, 2, 3].map((version) => absent(delivery(store, 'a', version))) }]);
    assert.deepEqual(await ids(), [at(2)]);
    await mustCommit(store, [{ park: [absent(delivery(store, 'a', 1), { delayMs: 50 })] }]);
    assert.deepEqual(await store.due(leases, 100), { deliveries: [], nextInMs: 50 });
    await system.advance(50);
    assert.deepEqual(await ids(), [at(1)]);
    await change(store, at(1), { startedAt: 1 });
    assert.deepEqual(await ids(), []);
    await change(store, at(1), { startedAt: null, state: 'dead' });
    assert.deepEqual(await ids(), [], 'a dead one that holds let a later one by');
    await change(store, at(1), { state: 'scheduled' });
    assert.deepEqual(await ids(), [at(1)], 'a redriven one did not get back to the head of its lane');
    await change(store, at(1), { state: 'done' });
    assert.deepEqual(await ids(), [at(2)]);
    await change(store, at(2), { state: 'discarded' });
    await change(store, at(3), { state: 'superseded' });
    assert.deepEqual(await ids(), [at(4)]);
    await change(store, at(4), { state: 'done' });
    assert.deepEqual(await ids(), []);
  });

  test('R31 lets later versions by a dead one that does not hold, and runs it again beside them after redrive', async ({ store }) => {
    const leases = (await own(store)).map(refOf);
    const ids = async () => (await store.due(leases, 100)).deliveries.map(({ parked }) => parked.id);
    await mustCommit(store, [{ park: [1, 2].map((version) => absent(delivery(store, 'a', version, { holds: false }))) }]);
    assert.deepEqual(await ids(), ['mail:a@1']);
    await change(store, 'mail:a@1', { state: 'dead' });
    assert.deepEqual(await ids(), ['mail:a@2']);
    await change(store, 'mail:a@1', { state: 'scheduled' });
    assert.deepEqual(await ids(), ['mail:a@1']);
  });

  test('R15 R18 lets nothing wait for another stream or another subscription', async ({ store }) => {
    const leases = [...(await own(store)), ...(await own(store, 'worker', 'stock'))].map(refOf);
    const [a, b] = streamsIn(store, 0, 2) as [string, string];
    const dead = (subscription: string, stream: string) => absent(delivery(store, stream, 1, { subscription, state: 'dead' }));
    await mustCommit(store, [
      {
        park: [
          dead('mail', a),
          dead('stock', b),
          ...[a, b].flatMap((s) => ['mail', 'stock'].map((subscription) => absent(delivery(store, s, 2, { subscription })))),
        ],
      },
    ]);
    assert.deepEqual(
      (await store.due(leases, 100)).deliveries.map(({ parked }) => parked.id).sort(),
      [`mail:${b}@2`, `stock:${a}@2`].sort(),
    );
  });

  test('lets timers block nobody and nobody block timers', async ({ store }) => {
    const leases = (await own(store)).map(refOf);
    await mustCommit(store, [
      {
        park: [
          absent(timer(store, 'a', 'x')),
          absent(timer(store, 'a', 'y', { state: 'dead', holds: true })),
          absent(timer(store, 'b', 'z')),
        ],
      },
      { park: [absent(delivery(store, 'a', 3)), absent(delivery(store, 'b', 1, { state: 'dead' }))] },
    ]);
    assert.deepEqual((await store.due(leases, 100)).deliveries.map(({ parked }) => parked.id).sort(), ['mail:a#x', 'mail:a@3', 'mail:b#z']);
    assert.deepEqual(
      await store.held('mail', [
        { stream: 'a', version: 3 },
        { stream: 'b', version: 2 },
      ]),
      [false, true],
    );
  });

  test('says which heads have something of theirs in the way', async ({ store }) => {
    await own(store);
    const states = ['scheduled', 'dead', 'done', 'discarded', 'superseded'] as const;
    const streams = states.map((state) => `${state} %_\0\ud800'`);
    await mustCommit(store, [
      { park: states.map((state, i) => absent(delivery(store, streams[i] ?? '', 2, { state }))) },
      {
        park: [
          absent(delivery(store, 'dead but let by', 2, { state: 'dead', holds: false })),
          absent(delivery(store, 'started', 2, { startedAt: 1 })),
          absent(delivery(store, 'far', 2, { dueAt: 2 ** 50 })),
        ],
      },
    ]);
    const held = (version: number, subscription = 'mail') =>
      store.held(
        subscription,
        [...streams, 'dead but let by', 'started', 'far', 'no such'].map((stream) => ({ stream, version })),
      );
    assert.deepEqual(await held(3), [true, true, false, false, false, false, true, true, false]);
    assert.deepEqual(await held(2), new Array(9).fill(false));
    assert.deepEqual(await held(3, 'other'), new Array(9).fill(false));
    assert.deepEqual(await store.held('mail', []), []);
  });

  test('agrees with a plain list about what may run and what is in the way, whatever happens in which order', async ({ store }) => {
    const states: readonly ParkedState[] = ['scheduled', 'scheduled', 'dead', 'done', 'discarded', 'superseded'];
    const leases = (await own(store)).map(refOf);
    const fc = await loadFastCheck();
    const steps = fc.array(
      fc.record({
        lane: fc.nat({ max: 1 }),
        version: fc.integer({ min: 1, max: 5 }),
        state: fc.constantFrom(...states),
        holds: fc.boolean(),
        started: fc.boolean(),
      }),
      { minLength: 1, maxLength: 25 },
    );
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        runs += 1;
        const lanes = streamsIn(store, runs % store.shards, 2).map((name) => `${name} ${runs}`);
        const model = new Map<string, ParkedDelivery>();
        for (const { lane, version, state, holds, started } of taken) {
          const stream = lanes[lane] ?? '';
          const record = delivery(store, stream, version, { state, holds, startedAt: started && state === 'scheduled' ? 1 : null });
          const before = model.get(record.id);
          await mustCommit(store, [{ park: [{ record, expect: before?.revision ?? 'absent' }] }]);
          model.set(record.id, { ...record, revision: (before?.revision ?? 0) + 1 });
          const inWay = [...model.values()].filter((one) => one.state === 'scheduled' || (one.state === 'dead' && one.holds));
          const isHeld = (name: string, at: number) => inWay.some((one) => one.stream === name && one.version < at);
          const runnable = inWay.filter((one) => one.state === 'scheduled' && one.startedAt === null && !isHeld(one.stream, one.version));
          const due = (await store.due(leases, 1000)).deliveries.map(({ parked }) => parked).filter((one) => model.has(one.id));
          assert.deepEqual(due.map(({ id }) => id).sort(), runnable.map(({ id }) => id).sort());
          const heads = lanes.flatMap((name) => [1, 2, 3, 4, 5, 6].map((at) => ({ stream: name, version: at })));
          assert.deepEqual(
            await store.held('mail', heads),
            heads.map((head) => isHeld(head.stream, head.version)),
          );
        }
        await mustCommit(
          store,
          [...model.values()].map((record) => ({ park: [{ record: { ...record, state: 'done' as const }, expect: record.revision }] })),
        );
      }),
      { numRuns: 30 },
    );
  });
};
