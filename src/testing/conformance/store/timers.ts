import assert from 'node:assert/strict';
import { absent, append, change, commit, delivery, mustCommit, own, recordOf, refOf, type StoreCase, timer } from './subject.ts';

export const timerCases = (test: StoreCase): void => {
  test("S18 hands a timer out when it is due by the store's clock, not before, and never again once it is over", async ({
    store,
    system,
  }) => {
    const leases = (await own(store)).map(refOf);
    const ids = async () => (await store.due(leases, 10)).deliveries.map(({ parked }) => parked.id);
    await mustCommit(store, [{ park: [absent(timer(store, 'a', 'deadline'), { delayMs: 1000 })] }]);
    assert.deepEqual(await store.due(leases, 10), { deliveries: [], nextInMs: 1000 });
    await system.advance(999);
    assert.deepEqual(await ids(), []);
    await system.advance(1);
    assert.deepEqual(await ids(), ['mail:a#deadline']);
    await change(store, 'mail:a#deadline', { state: 'done' });
    await system.advance(100_000);
    assert.deepEqual(await store.due(leases, 10), { deliveries: [], nextInMs: null });
  });

  test('S18 lets the event of a timer win once of all who would fire it', async ({ store, another }) => {
    const elsewhere = (await another?.()) ?? store;
    const record = timer(store, 'a', 'deadline');
    await mustCommit(store, [{ park: [absent(record)] }]);
    const fire = { park: [{ record: { ...record, state: 'done' as const }, expect: 1 }], appends: [append('a', 'any')] };
    const results = await Promise.all([store, elsewhere, store, elsewhere].map((one, i) => commit(one, [fire], { owner: `worker-${i}` })));
    assert.equal(results.flatMap(({ units }) => units).filter(({ won }) => won).length, 1);
    assert.equal((await store.events('a', 0, 10)).length, 1);
  });

  test('S19 drops a timer with the unit that makes it pointless, and keeps it where that unit loses', async ({ store }) => {
    await mustCommit(store, [{ park: [absent(timer(store, 'a', 'deadline'))] }]);
    const { units } = await commit(store, [{ appends: [append('a', 7)], drop: ['mail:a#deadline'] }]);
    assert.equal(units[0]?.won, false);
    assert.equal((await recordOf(store, 'mail:a#deadline')).state, 'scheduled');
    await mustCommit(store, [{ appends: [append('a', 'none')], drop: ['mail:a#deadline'] }]);
    assert.equal(await store.parked('mail:a#deadline'), null);
  });

  test('sets a timer anew under its name, and keeps timers of one name apart by stream and subscription', async ({ store, system }) => {
    const leases = [...(await own(store)), ...(await own(store, 'worker', 'stock'))].map(refOf);
    await mustCommit(store, [
      {
        park: [
          absent(timer(store, 'a', 'x'), { delayMs: 10 }),
          absent(timer(store, 'b', 'x'), { delayMs: 20 }),
          absent(timer(store, 'a', 'x', { subscription: 'stock' }), { delayMs: 30 }),
          absent(delivery(store, 'b', 1), { delayMs: 40 }),
        ],
      },
    ]);
    await change(store, 'mail:a#x', {}, { delayMs: 50 });
    const order: string[] = [];
    for (let i = 0; i < 4; i += 1) {
      await system.advance((await store.due(leases, 10)).nextInMs ?? assert.fail());
      for (const { parked } of (await store.due(leases, 10)).deliveries) {
        order.push(parked.id);
        await change(store, parked.id, { state: 'done' });
      }
    }
    assert.deepEqual(order, ['mail:b#x', 'stock:a#x', 'mail:b@1', 'mail:a#x']);
  });
};
