import assert from 'node:assert/strict';
import type { Store, Unit } from '../../../core/store.ts';
import {
  absent,
  append,
  batchOf,
  change,
  commitOne,
  delivery,
  events,
  handOver,
  mustCommit,
  own,
  recordOf,
  refOf,
  type StoreCase,
  tick,
  timer,
} from './subject.ts';

const KEY = { key: "o'1 %", fingerprint: 'of what was asked', stream: 'order-1' };
const STATE = '{"name":"é😀","of":1}';
const PAYLOADS = ['{"a":"\\u0000\\ud800","big":12345678901234567890}', '{"__proto__":{"a":1}}', '{"cut'];
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const DELIVERIES = ['mail:order-1@1', 'mail:order-1@3', 'mail:order-2@1', 'mail:order-1#deadline'];

/**
 * Writes what an upgrade has to keep, and leaves its leases held, as a crash does. Run it with the release whose schema is about to
 * be left, into a new store of the default number of shards over `virtualSystem()`; keep what it wrote for `older` to open copies of.
 * It uses what stores have held from the first release on and nothing newer, so it runs under each of them.
 */
export const writeOlderData = async (store: Store): Promise<void> => {
  const leases = await own(store);
  const fold = { state: STATE, status: 'placed', fingerprint: 'f1' };
  const placed: Unit[] = [
    { key: KEY, appends: [{ stream: 'order-1', expected: 'none', events: events(3, (index) => PAYLOADS[index] ?? ''), fold }] },
    { appends: [append('order-2', 'none', 2)] },
  ];
  await store.commit({ owner: 'placing', id: 'first', units: placed, progress: [] });
  const [dead, later, other, deadline] = [
    delivery(store, 'order-1', 1, { state: 'dead', cause: 'timeout', attempts: 6, detail: '{"kept":1}' }),
    delivery(store, 'order-1', 3),
    delivery(store, 'order-2', 1, { dueAt: 0, attempts: 2, generation: 1 }),
    timer(store, 'order-1', 'deadline'),
  ];
  const shard = dead.shard;
  const lease = refOf(leases[shard] ?? assert.fail());
  const units: Unit[] = [
    { lease, done: [1], park: [absent(dead, { failed: true })] },
    { lease, done: [3], park: [absent(later), absent(other, { failed: true }), absent(deadline)] },
  ];
  assert.equal(await store.lookUp('worker', 'never came'), null);
  await store.commit({ owner: 'worker', id: 'last', units, progress: [{ lease, done: [], startMark: 3 }] });
};

export const olderCases = (test: StoreCase): void => {
  test(
    'keeps events, states, keys, parked deliveries, timers, counts, replies and refusals that an earlier schema wrote',
    async ({ older }) => {
      for (const store of await older()) {
        assert.deepEqual(
          (await store.events('order-1', 0, 10)).map(({ version, data, type }) => [version, data, type]),
          PAYLOADS.map((data, index) => [index + 1, data, 'Happened']),
        );
        assert.equal((await store.events('order-2', 0, 10)).length, 2);
        const row = { stream: 'order-1', version: 3, status: 'placed', state: STATE, stateVersion: 3, fingerprint: 'f1' };
        assert.deepEqual(await store.stream('order-1'), row);
        assert.deepEqual((await store.streams({ status: 'placed' }, 10, null)).rows, [row]);
        assert.deepEqual(await commitOne(store, { key: { ...KEY, stream: 'z' } }), { won: false, why: 'key', taken: KEY });
        const [dead] = (await store.dead({ cause: 'timeout' }, 10, null)).rows;
        assert.deepEqual([dead?.id, dead?.attempts, dead?.detail, dead?.revision], [DELIVERIES[0], 6, '{"kept":1}', 1]);
        assert.equal((await store.causes({}))[0]?.letters, 1);
        for (const id of DELIVERIES) assert.equal((await recordOf(store, id)).closedAt, null);
        assert.equal((await recordOf(store, 'mail:order-2@1')).generation, 1);
        const { mail } = (await store.counts()).subscriptions;
        assert.deepEqual(mail, { backlog: 3, scheduled: 3, dead: 1, retries: 2 });
        assert.equal((await store.lookUp('worker', 'last'))?.units.length, 2);
        await assert.rejects(store.commit(batchOf([], { owner: 'worker', id: 'never came' })));
      }
    },
    'older',
  );

  test(
    'frees what was leased under an earlier schema after leaseMs, with its checkpoints, start marks and what is parked',
    async ({ older, system }) => {
      const stores = await older();
      await system.advance(10_000);
      for (const store of stores) {
        const { gained } = await tick(store, 'next');
        assert.equal(gained.length, store.shards);
        const lease = gained.find(({ startMark }) => startMark > 0);
        assert.deepEqual([lease?.checkpoint, lease?.startMark, lease?.clean], [{ low: 1, done: [[3, 3]] }, 3, false]);
        const due = async () => (await store.due(gained.map(refOf), 10)).deliveries.map(({ parked }) => parked.id).sort();
        assert.deepEqual(await due(), ['mail:order-1#deadline', 'mail:order-2@1']);
        await change(store, 'mail:order-1@1', { state: 'discarded' });
        assert.deepEqual(await due(), ['mail:order-1#deadline', 'mail:order-1@3', 'mail:order-2@1']);
      }
    },
    'older',
  );

  test(
    'does over older data all that it does over its own',
    async ({ older, system }) => {
      const stores = await older();
      await system.advance(10_000);
      for (const store of stores) {
        const [traced] = events(1);
        assert.ok(traced);
        const more = [{ ...traced, traceparent: TRACE }, traced];
        await mustCommit(store, [{ appends: [{ stream: 'order-1', expected: 3, events: more }, append('new', 'none')] }]);
        assert.deepEqual(
          (await store.events('order-1', 0, 10)).map(({ version, traceparent }) => [version, traceparent]),
          [
            [1, undefined],
            [2, undefined],
            [3, undefined],
            [4, TRACE],
            [5, undefined],
          ],
        );
        const put = { collection: 'view', key: 'k', value: 'v', expect: 'absent' } as const;
        const pause = { of: 'stream', name: 'order-1', by: 'anna', reason: 'looking into it' } as const;
        await mustCommit(store, [{ documents: [put], pause: [pause] }]);
        assert.equal((await store.documents('view', ['k']))[0]?.value, 'v');
        assert.deepEqual(await store.held('mail', [{ stream: 'order-1', version: 1 }]), [true]);
        await mustCommit(store, [{ resume: [pause] }]);
        await change(store, 'mail:order-1@1', { state: 'done' });
        await system.advance(1);
        assert.equal(await store.prune(0, 10), 1);
        const { gained } = await tick(store, 'a');
        const [next] = await handOver(store, gained, 'a', 'b');
        assert.equal(next?.clean, true);
        await mustCommit(store, [{ rebuild: ['mail'] }]);
        assert.deepEqual((await store.counts()).subscriptions.mail, { backlog: 8, scheduled: 0, dead: 0, retries: 2 });
      }
    },
    'older',
  );
};
