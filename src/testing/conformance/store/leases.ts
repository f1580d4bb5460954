import assert from 'node:assert/strict';
import type { LeaseRef, Store } from '../../../core/store.ts';
import { loadFastCheck } from '../../fast-check.ts';
import { absent, change, commit, delivery, handOver, mustCommit, own, refOf, type StoreCase, streamsIn, tick, timer } from './subject.ts';

const shardsOf = (leases: readonly LeaseRef[]): number[] => leases.map(({ shard }) => shard).sort((a, b) => a - b);

/** What one owner believes it holds; ticks until then keep it, and it lets go of what is beyond its share. */
const worker = (store: Store, owner: string, subscriptions: readonly string[] = ['mail']) => {
  let held: readonly LeaseRef[] = [];
  let surplus: readonly LeaseRef[] = [];
  return {
    owner,
    holds: () => held,
    async tick(claim = true) {
      const result = await tick(store, owner, { subscriptions, claim, release: surplus.map((lease) => ({ lease, clean: true })) });
      held = [...result.held, ...result.gained].map(refOf);
      surplus = subscriptions.flatMap((name) => held.filter(({ subscription }) => subscription === name).slice(result.share[name]));
      return result;
    },
    forget() {
      held = [];
    },
  };
};

export const leaseCases = (test: StoreCase): void => {
  test('gives a lone owner every shard, clean and with nothing started, and holds them while it ticks', async ({ store, system }) => {
    const leases = await own(store);
    assert.deepEqual(
      shardsOf(leases),
      Array.from({ length: store.shards }, (_, shard) => shard),
    );
    for (const lease of leases) {
      assert.deepEqual(
        { ...lease, epoch: 0, shard: 0 },
        { subscription: 'mail', shard: 0, epoch: 0, checkpoint: { low: 0, done: [] }, startMark: 0, clean: true, parked: 0, started: [] },
      );
    }
    for (let i = 0; i < 5; i += 1) {
      await system.advance(9999);
      const { held, gained, share } = await tick(store, 'worker');
      assert.deepEqual([shardsOf(held), gained, share], [shardsOf(leases), [], { mail: store.shards }]);
      assert.deepEqual(new Set(held.map(({ epoch }) => epoch)), new Set(leases.map(({ epoch }) => epoch)));
    }
  });

  test('spreads the shards of each subscription fairly over the owners that want it', async ({ store }) => {
    await store.register([
      { name: 'mail', start: 'head' },
      { name: 'stock', start: 'head' },
    ]);
    const [a, b, c] = [worker(store, 'a', ['mail', 'stock']), worker(store, 'b', ['mail']), worker(store, 'c', ['mail'])] as const;
    for (let round = 0; round < 4; round += 1) for (const one of [a, b, c]) await one.tick();
    const fair = Math.ceil(store.shards / 3);
    const mail = [a, b, c].map((one) => one.holds().filter(({ subscription }) => subscription === 'mail'));
    for (const held of mail) assert.ok(held.length <= fair, `${held.length} shards where ${fair} are fair`);
    assert.deepEqual(
      shardsOf(mail.flat()),
      Array.from({ length: store.shards }, (_, shard) => shard),
    );
    assert.equal(a.holds().filter(({ subscription }) => subscription === 'stock').length, store.shards);
    assert.deepEqual((await a.tick()).share, { mail: fair, stock: store.shards });
  });

  test('claims nothing for an owner that is stopping, and does not count it among those who share', async ({ store }) => {
    await store.register([{ name: 'mail', start: 'head' }]);
    const [old, next] = [worker(store, 'old'), worker(store, 'next')] as const;
    await old.tick();
    const { held, gained } = await old.tick(false);
    assert.deepEqual([held.length, gained.length], [store.shards, 0]);
    assert.deepEqual((await next.tick()).share, { mail: store.shards });
    assert.equal(next.holds().length, 0, 'a lease that is held was given away');
    await tick(store, 'old', { claim: false, release: held.map((lease) => ({ lease, clean: true })) });
    await next.tick();
    assert.equal(next.holds().length, store.shards);
  });

  test('R13 gives nothing away that is renewed in time, and R11 all that is not, once leaseMs is over', async ({ store, system }) => {
    const first = await own(store, 'dies');
    await system.advance(9999);
    assert.equal((await tick(store, 'heir')).gained.length, 0);
    await system.advance(1);
    const { gained } = await tick(store, 'heir');
    assert.deepEqual(shardsOf(gained), shardsOf(first));
    for (const lease of gained) {
      assert.equal(lease.clean, false);
      assert.ok(lease.epoch > (first.find(({ shard }) => shard === lease.shard)?.epoch ?? Infinity));
    }
    assert.deepEqual((await tick(store, 'dies')).held, []);
  });

  test('counts an owner that died among those who share only until its leaseMs is over', async ({ store, system }) => {
    await store.register([{ name: 'mail', start: 'head' }]);
    await tick(store, 'dies');
    assert.equal((await tick(store, 'lives')).share.mail, Math.ceil(store.shards / 2));
    await system.advance(10_000);
    assert.equal((await tick(store, 'lives')).share.mail, store.shards);
  });

  test('R29 changes no lease when the wall clock is stepped', async ({ store, system }) => {
    await own(store, 'worker');
    for (const step of [3_600_000, -7_200_000]) {
      system.stepWallClock(step);
      assert.equal((await tick(store, 'other')).gained.length, 0);
      assert.equal((await tick(store, 'worker')).held.length, store.shards);
    }
  });

  test('tells the next owner whether the last one let go with nothing in flight', async ({ store, system }) => {
    let leases = await own(store, 'a');
    leases = await handOver(store, leases, 'a', 'b', true);
    assert.deepEqual(new Set(leases.map(({ clean }) => clean)), new Set([true]));
    leases = await handOver(store, leases, 'b', 'c', false);
    assert.deepEqual(new Set(leases.map(({ clean }) => clean)), new Set([false]));
    leases = await handOver(store, leases, 'c', 'd', true);
    assert.deepEqual(new Set(leases.map(({ clean }) => clean)), new Set([true]));
    await system.advance(10_000);
    leases = (await tick(store, 'e')).gained;
    assert.deepEqual(new Set(leases.map(({ clean }) => clean)), new Set([false]));
  });

  test("ignores the release of a lease that is another's by now", async ({ store }) => {
    const first = await own(store, 'a');
    await handOver(store, first, 'a', 'b');
    await tick(store, 'a', { release: first.map((lease) => ({ lease: refOf(lease), clean: true })), claim: false });
    await tick(store, 'b', { release: first.map((lease) => ({ lease: refOf(lease), clean: true })) });
    assert.equal((await tick(store, 'b')).held.length, store.shards);
  });

  test('R10 tells the next owner what is parked, and what was started and never told its outcome', async ({ store, system }) => {
    await own(store, 'a');
    const [x, y, z] = streamsIn(store, 0, 3) as [string, string, string];
    await mustCommit(store, [
      {
        park: [
          absent(delivery(store, x, 1, { startedAt: 5, lostStarts: 1 })),
          absent(delivery(store, y, 1)),
          absent(timer(store, z, 'deadline')),
        ],
      },
      {
        park: [
          absent(delivery(store, x, 2, { state: 'dead' })),
          absent(delivery(store, y, 2, { state: 'done' })),
          absent(delivery(store, z, 3, { startedAt: 6 })),
        ],
      },
    ]);
    await change(store, `mail:${z}@3`, { startedAt: null });
    await system.advance(10_000);
    const { gained } = await tick(store, 'b');
    const lease = gained.find(({ shard }) => shard === 0);
    assert.equal(lease?.parked, 5);
    assert.deepEqual(lease?.started, [(await store.parked(`mail:${x}@1`))?.parked]);
    for (const other of gained) if (other.shard !== 0) assert.deepEqual([other.parked, other.started], [0, []]);
    await change(store, `mail:${y}@1`, { state: 'done' });
    await change(store, `mail:${x}@2`, { state: 'discarded' });
    await mustCommit(store, [{ drop: [`mail:${z}#deadline`] }]);
    const [after] = await handOver(store, gained, 'b', 'c');
    assert.equal(after?.parked, 2);
  });

  test('R11 never lets two owners hold one shard, whatever the order of ticks, deaths and waits', async ({ store, system }) => {
    await store.register([{ name: 'mail', start: 'head' }]);
    const fc = await loadFastCheck();
    const action = fc.record({
      who: fc.nat({ max: 3 }),
      does: fc.constantFrom('tick', 'tick', 'tick', 'stop', 'die', 'wait'),
      waitMs: fc.integer({ min: 1, max: 12_000 }),
    });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        runs += 1;
        await system.advance(10_000);
        const workers = [0, 1, 2, 3].map((who) => ({ ...worker(store, `run ${runs}, ${who}`), until: 0 }));
        for (const { who, does, waitMs } of actions) {
          const one = workers[who];
          if (one === undefined) continue;
          if (does === 'wait') await system.advance(waitMs);
          else if (does === 'die') one.forget();
          else {
            await one.tick(does === 'tick');
            one.until = system.monotonic() + 10_000;
          }
          const live = workers
            .filter(({ until }) => system.monotonic() < until)
            .flatMap((other) => other.holds().map(({ shard, epoch }) => ({ shard, epoch, owner: other.owner })));
          assert.equal(new Set(live.map(({ shard }) => shard)).size, live.length, `two owners of a shard: ${JSON.stringify(live)}`);
          for (const { shard, epoch, owner } of live) {
            const lease = { subscription: 'mail', shard, epoch };
            assert.deepEqual((await commit(store, [{ lease }], { owner })).units[0]?.won, true, 'a lease that is held was refused');
          }
        }
      }),
      { numRuns: 25 },
    );
  });
};
