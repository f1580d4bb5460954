import assert from 'node:assert/strict';
import type { PauseWrite } from '../../../core/records.ts';
import type { LeaseRef, Store } from '../../../core/store.ts';
import { absent, append, commitOne, delivery, mustCommit, own, refOf, type StoreCase, timer } from './subject.ts';

const stream = (name: string, reason = 'looking into it'): PauseWrite => ({ of: 'stream', name, by: 'anna', reason });
const subscription = (name: string, reason = 'gateway is down'): PauseWrite => ({ of: 'subscription', name, by: 'ben', reason });

const dueIds = async (store: Store, leases: readonly LeaseRef[]): Promise<readonly string[]> =>
  (await store.due(leases, 100)).deliveries.map(({ parked }) => parked.id).sort();

const dueOn = async (store: Store, name: string): Promise<readonly LeaseRef[]> => (await own(store, 'worker', name)).map(refOf);

export const pauseCases = (test: StoreCase): void => {
  test('tells what is paused since when, by whom and why, the earliest first', async ({ store, system }) => {
    assert.deepEqual(await store.pauses(), []);
    const at = system.now();
    await mustCommit(store, [{ pause: [stream("it's \ud800", 'é\0')] }]);
    await system.advance(5);
    await mustCommit(store, [{ pause: [subscription('mail'), subscription('alpha')] }]);
    assert.deepEqual(await store.pauses(), [
      { ...stream("it's \ud800", 'é\0'), at, resumed: null },
      { ...subscription('mail'), at: at + 5, resumed: null },
      { ...subscription('alpha'), at: at + 5, resumed: null },
    ]);
  });

  test('changes nothing when what is paused is paused and what is not is resumed', async ({ store, system }) => {
    const at = system.now();
    await mustCommit(store, [{ resume: [stream('a'), subscription('mail')] }]);
    assert.deepEqual(await store.pauses('a'), []);
    await mustCommit(store, [{ pause: [stream('a')] }]);
    await system.advance(1);
    await mustCommit(store, [{ pause: [stream('a', 'again')] }, { pause: [stream('a', 'and again'), stream('a', 'once more')] }]);
    assert.deepEqual(await store.pauses(), [{ ...stream('a'), at, resumed: null }]);
    await mustCommit(store, [{ resume: [stream('a', 'fine')] }]);
    const once = [{ ...stream('a'), at, resumed: { at: at + 1, by: 'anna', reason: 'fine' } }];
    await system.advance(1);
    await mustCommit(store, [{ resume: [stream('a', 'fine again')] }]);
    assert.deepEqual([await store.pauses(), await store.pauses('a')], [[], once]);
  });

  test('keeps every pause a stream ever had, and tells it apart from a subscription of that name', async ({ store, system }) => {
    const start = system.now();
    for (const reason of ['first', 'second', 'third']) {
      await mustCommit(store, [{ pause: [stream('a', reason)] }, { pause: [subscription('a')] }, { pause: [stream('b')] }]);
      await system.advance(10);
      if (reason !== 'third') await mustCommit(store, [{ resume: [stream('a', `${reason} over`)] }]);
    }
    assert.deepEqual(await store.pauses('a'), [
      { ...stream('a', 'first'), at: start, resumed: { at: start + 10, by: 'anna', reason: 'first over' } },
      { ...stream('a', 'second'), at: start + 10, resumed: { at: start + 20, by: 'anna', reason: 'second over' } },
      { ...stream('a', 'third'), at: start + 20, resumed: null },
    ]);
    assert.deepEqual(
      (await store.pauses()).map(({ of, name, reason }) => [of, name, reason]),
      [
        ['subscription', 'a', 'gateway is down'],
        ['stream', 'b', 'looking into it'],
        ['stream', 'a', 'third'],
      ],
    );
  });

  test('changes pauses with their unit or not at all, and lets later units of a batch resume what earlier ones paused', async ({
    store,
  }) => {
    await mustCommit(store, [{ appends: [append('a', 'none')] }]);
    const lost = await commitOne(store, { appends: [append('a', 'none')], pause: [stream('a')], resume: [stream('b')] });
    assert.equal(lost.won, false);
    assert.deepEqual(await store.pauses(), []);
    await mustCommit(store, [{ pause: [stream('a'), stream('b')] }, { resume: [stream('a')] }]);
    assert.deepEqual(
      (await store.pauses()).map(({ name }) => name),
      ['b'],
    );
  });

  test('hands out nothing of a paused subscription, not even a timer, and wakes nobody for it', async ({ store, system }) => {
    const [mail, stock] = [await dueOn(store, 'mail'), await dueOn(store, 'stock')];
    const leases = [...mail, ...stock];
    await mustCommit(store, [
      {
        park: [
          absent(delivery(store, 'a', 1)),
          absent(timer(store, 'a', 'deadline')),
          absent(delivery(store, 'b', 1), { delayMs: 50 }),
          absent(delivery(store, 'a', 1, { subscription: 'stock' })),
          absent(delivery(store, 'b', 1, { subscription: 'stock' }), { delayMs: 80 }),
        ],
      },
      { pause: [subscription('mail')] },
    ]);
    assert.deepEqual(await dueIds(store, leases), ['stock:a@1']);
    assert.equal((await store.due(leases, 100)).nextInMs, 80);
    assert.equal((await store.due(leases, 1)).nextInMs, 80);
    assert.deepEqual(await store.due(mail, 100), { deliveries: [], nextInMs: null });
    await system.advance(60);
    assert.deepEqual(await store.due(mail, 100), { deliveries: [], nextInMs: null });
    await mustCommit(store, [{ resume: [subscription('mail')] }]);
    assert.deepEqual(await dueIds(store, mail), ['mail:a#deadline', 'mail:a@1', 'mail:b@1']);
  });

  test('hands out no delivery of a paused stream and wakes nobody for it, but its timers', async ({ store, system }) => {
    const leases = await dueOn(store, 'mail');
    await mustCommit(store, [
      {
        park: [
          absent(delivery(store, 'a', 1)),
          absent(delivery(store, 'b', 1)),
          absent(delivery(store, 'c', 1), { delayMs: 50 }),
          absent(timer(store, 'a', 'deadline')),
          absent(timer(store, 'c', 'later'), { delayMs: 90 }),
        ],
      },
      { pause: [stream('a'), stream('c')] },
    ]);
    assert.deepEqual(await dueIds(store, leases), ['mail:a#deadline', 'mail:b@1']);
    assert.equal((await store.due(leases, 100)).nextInMs, 90);
    assert.equal((await store.due(leases, 2)).nextInMs, 90);
    assert.equal((await store.due(leases, 1)).nextInMs, 0);
    await system.advance(90);
    assert.deepEqual(await dueIds(store, leases), ['mail:a#deadline', 'mail:b@1', 'mail:c#later']);
    assert.equal((await store.due(leases, 100)).nextInMs, null);
    await mustCommit(store, [{ resume: [stream('c')] }]);
    assert.deepEqual(await dueIds(store, leases), ['mail:a#deadline', 'mail:b@1', 'mail:c#later', 'mail:c@1']);
    await mustCommit(store, [{ resume: [stream('a')] }, { pause: [stream('b')] }]);
    assert.deepEqual(await dueIds(store, leases), ['mail:a#deadline', 'mail:a@1', 'mail:c#later', 'mail:c@1']);
  });

  test('holds the deliveries of a paused stream at every version and for every subscription', async ({ store }) => {
    const heads = [
      { stream: 'a', version: 1 },
      { stream: 'b', version: 1 },
      { stream: 'c', version: 2 },
    ];
    await mustCommit(store, [
      { park: [absent(delivery(store, 'c', 1))] },
      { pause: [stream('a'), subscription('mail'), subscription('b')] },
    ]);
    assert.deepEqual(await store.held('mail', heads), [true, false, true]);
    assert.deepEqual(await store.held('stock', heads), [true, false, false]);
    await mustCommit(store, [{ resume: [stream('a')] }]);
    assert.deepEqual(await store.held('stock', heads), [false, false, false]);
  });

  test(
    'keeps pauses over a restart',
    async ({ store, system, reopen }) => {
      await dueOn(store, 'mail');
      await mustCommit(store, [{ park: [absent(delivery(store, 'a', 1))] }, { pause: [stream('a'), stream('b')] }]);
      await mustCommit(store, [{ resume: [stream('b')] }]);
      const history = await store.pauses('b');
      const again = await reopen();
      assert.deepEqual(await again.pauses(), [{ ...stream('a'), at: system.now(), resumed: null }]);
      assert.deepEqual(await again.pauses('b'), history);
      assert.deepEqual(await again.held('mail', [{ stream: 'a', version: 1 }]), [true]);
    },
    'reopen',
  );

  test(
    'heeds at once what another process pauses and resumes',
    async ({ store, another }) => {
      const other = await another();
      const leases = await dueOn(store, 'mail');
      await mustCommit(store, [{ park: [absent(delivery(store, 'a', 1))] }]);
      for (const target of [stream('a'), subscription('mail')]) {
        for (const [mine, theirs] of [
          [store, other],
          [other, store],
        ] as const) {
          assert.deepEqual(await dueIds(mine, leases), ['mail:a@1']);
          await mustCommit(theirs, [{ pause: [target] }]);
          assert.deepEqual(await dueIds(mine, leases), []);
          assert.deepEqual(await mine.held('mail', [{ stream: 'a', version: 1 }]), [target.of === 'stream']);
          await mustCommit(theirs, [{ resume: [target] }]);
        }
      }
      assert.deepEqual(await dueIds(store, leases), ['mail:a@1']);
    },
    'another',
  );
};
