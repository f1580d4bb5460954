import assert from 'node:assert/strict';
import type { Store } from '../../../core/store.ts';
import {
  absent,
  append,
  batchOf,
  commitOne,
  delivery,
  folded,
  handOver,
  mustCommit,
  own,
  refOf,
  type StoreCase,
  streamsIn,
  tick,
  timer,
  wholeLog,
} from './subject.ts';

export const restartCases = (test: StoreCase): void => {
  test(
    'R10 keeps everything over a restart: log, states, keys, checkpoints, leases, parked deliveries, counts and the last reply',
    async ({ store, system, reopen }) => {
      const leases = await own(store);
      const lease = refOf(leases[0] ?? assert.fail());
      const [a, b] = streamsIn(store, 0, 2) as [string, string];
      const last = batchOf(
        [
          {
            appends: [folded(a, 'none', 'placed'), append(b, 'none', 3)],
            key: { key: 'k', fingerprint: 'f', stream: a },
            lease,
            done: [1, 3],
          },
          {
            park: [
              absent(delivery(store, a, 1), { failed: true, delayMs: 500 }),
              absent(delivery(store, b, 2, { state: 'dead', position: 3 })),
              absent(delivery(store, b, 3)),
            ],
          },
        ],
        { owner: 'worker', progress: [{ lease, done: [], startMark: 'head' }] },
      );
      const result = await store.commit(last);
      assert.equal(await store.lookUp('worker', 'absent for good'), null);
      const ids = [`mail:${a}@1`, `mail:${b}@2`, `mail:${b}@3`];
      const everything = async (from: Store) => ({
        shards: from.shards,
        log: await wholeLog(from),
        heads: await from.heads(),
        row: await from.stream(a),
        streams: await from.streams({}, 10, null),
        parked: await Promise.all(ids.map((id) => from.parked(id))),
        dead: await from.dead({}, 10, null),
        due: await from.due(leases.map(refOf), 10),
        held: await from.held('mail', [
          { stream: b, version: 3 },
          { stream: b, version: 2 },
        ]),
        counts: await from.counts(),
        reply: await from.lookUp('worker', last.id),
      });
      const before = await everything(store);
      assert.deepEqual(before.reply, result);
      const again = await reopen();
      assert.deepEqual(await everything(again), before);
      assert.deepEqual(await commitOne(again, { key: { key: 'k', fingerprint: 'g', stream: 'z' } }), {
        won: false,
        why: 'key',
        taken: { key: 'k', fingerprint: 'f', stream: a },
      });
      await assert.rejects(again.commit(batchOf([], { owner: 'worker', id: 'absent for good' })));
      assert.equal((await commitOne(again, { appends: [append(a, 1)], lease }, { owner: 'worker' })).won, true);
      assert.equal((await tick(again, 'worker')).held.length, again.shards);
      await system.advance(500);
      assert.deepEqual(
        (await again.due(leases.map(refOf), 10)).deliveries.map(({ parked }) => parked.id),
        [`mail:${a}@1`],
      );
      const [next] = await handOver(again, leases, 'worker', 'next');
      assert.deepEqual([next?.checkpoint, next?.startMark], [{ low: 1, done: [[3, 3]] }, 4]);
      assert.ok((next?.epoch ?? 0) > lease.epoch);
    },
    'reopen',
  );

  test(
    'R10 keeps timers, closed deliveries, documents and pauses over a restart',
    async ({ store, system, reopen }) => {
      const leases = (await own(store)).map(refOf);
      const pause = { of: 'subscription', name: 'stock', by: 'anna', reason: 'gateway is down' } as const;
      await mustCommit(store, [
        {
          park: [
            absent(timer(store, 'a', 'deadline'), { delayMs: 700 }),
            absent(delivery(store, 'a', 1, { state: 'dead', cause: 'c' })),
            absent(delivery(store, 'b', 1, { state: 'done' })),
            absent(delivery(store, 'c', 1, { startedAt: 5, lostStarts: 1 })),
          ],
          documents: [
            { collection: 'view', key: 'k', value: 'é\0\ud800', expect: 'absent' },
            { collection: 'view', key: 'l', value: '', expect: 'absent' },
          ],
          pause: [pause, { ...pause, of: 'stream', name: 'z' }],
        },
        { resume: [{ ...pause, of: 'stream', name: 'z' }] },
      ]);
      const everything = async (from: Store) => ({
        parked: await Promise.all(['a', 'b', 'c'].map((stream) => from.parkedOf(stream, 'all'))),
        causes: await from.causes({}),
        due: await from.due(leases, 10),
        documents: await from.documents('view', ['k', 'l']),
        page: await from.documentPage('view', '', 10, null),
        pauses: [await from.pauses(), await from.pauses('z')],
        counts: await from.counts(),
      });
      const before = await everything(store);
      const again = await reopen();
      assert.deepEqual(await everything(again), before);
      await system.advance(700);
      assert.deepEqual(
        (await again.due(leases, 10)).deliveries.map(({ parked }) => parked.id),
        ['mail:a#deadline'],
      );
      assert.equal(await again.prune(699, 10), 1);
    },
    'reopen',
  );

  test(
    'R11 keeps leases over a restart until leaseMs is over, then frees them with what was started and never told',
    async ({ store, system, reopen }) => {
      const leases = await own(store, 'dies');
      const [a] = streamsIn(store, 0, 1) as [string];
      const lease = refOf(leases[0] ?? assert.fail());
      const progress = [{ lease, done: [], startMark: 'head' as const }];
      await mustCommit(store, [{ appends: [append(a, 'none', 2)], park: [absent(delivery(store, a, 1, { startedAt: 5 }))] }], {
        owner: 'dies',
        progress,
      });
      const again = await reopen();
      await system.advance(9999);
      assert.deepEqual((await tick(again, 'heir')).gained, []);
      await system.advance(1);
      const { gained } = await tick(again, 'heir');
      assert.equal(gained.length, again.shards);
      const first = gained.find(({ shard }) => shard === 0);
      assert.ok((first?.epoch ?? 0) > lease.epoch);
      assert.deepEqual([first?.clean, first?.startMark, first?.started.map(({ id }) => id)], [false, 2, [`mail:${a}@1`]]);
      assert.deepEqual(await commitOne(again, { lease, done: [1] }, { owner: 'dies' }), { won: false, why: 'lease' });
    },
    'reopen',
  );
};
