import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import type { Due, Store } from '../../src/core/store.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { createCluster } from '../../src/testing/simulation/cluster.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { busCluster } from '../support/bus-cluster.ts';

type Events = { Did: { readonly name: string }; Remind: { readonly days: number } };

const audit = { by: 'op', reason: 'test' };

/** One process with a bus that notes what it handles. */
const setUp = (store = (system: ReturnType<typeof virtualSystem>): Store => createMemoryStore(system, 2), upcasts = {}) => {
  const system = virtualSystem();
  const shared = store(system);
  const seen: string[] = [];
  const bus = createEventBus<Events>(system, { store: shared, upcasts });
  bus.subscribe('mail', { on: { Did: ({ id, data, effectKey }) => void seen.push(`${id} ${data.name} ${effectKey}`) } });
  const did = (name: string, stream = 's') => ({ stream, type: 'Did' as const, data: { name } });
  return { system, store: shared, bus, seen, did };
};

describe('scheduling events', () => {
  it('S18 appends an event when it is due, no earlier, as an ordinary event with ordinary deliveries', async () => {
    const { system, bus, seen, did } = setUp();
    await system.run(bus.start());
    await system.run(bus.publish(did('now')));
    const { id } = await system.run(bus.schedule(did('later'), { delayMs: 60_000 }));
    await system.run(bus.schedule(did('at'), { at: new Date(system.now() + 90_000) }));
    await system.run(bus.schedule(did('first'), { at: new Date(system.now() + 30_000).toISOString() }, { name: 'one of mine' }));
    expect(await system.run(bus.scheduled('s'))).toMatchObject([
      { name: 'one of mine', type: 'Did', dueAt: '2026-01-01T00:00:30.000Z', data: { name: 'first' } },
      { id, dueAt: '2026-01-01T00:01:00.000Z', data: { name: 'later' } },
      { dueAt: '2026-01-01T00:01:30.000Z', data: { name: 'at' } },
    ]);
    await system.advance(59_900);
    expect(seen).toEqual(['s@1 now s@1:mail', 's@2 first s@2:mail']);
    await system.advance(200);
    expect(seen.slice(2)).toEqual(['s@3 later s@3:mail']);
    expect(await system.run(bus.unschedule(id))).toBe(false);
    await system.advance(100_000);
    expect(seen.slice(3)).toEqual(['s@4 at s@4:mail']);
    expect(await system.run(bus.scheduled('s'))).toEqual([]);
    await system.run(bus.close());
    expect(system.pending).toBe(0);
  });

  it('takes back what waits, as often as asked, and nothing else', async () => {
    const { system, bus, seen, did } = setUp();
    await system.run(bus.start());
    const { id } = await system.run(bus.schedule(did('never'), { delayMs: 1000 }));
    expect(await system.run(Promise.all([bus.unschedule(id), bus.unschedule(id)]))).toEqual([true, true]);
    await system.advance(100_000);
    expect(seen).toEqual([]);
    expect(await system.run(bus.unschedule(id))).toBe(true);
    expect(await system.run(bus.unschedule('timers:s#user:nobody'))).toBe(false);
    await system.run(bus.publish(did('now')));
    expect(await system.run(bus.unschedule('mail:s@1'))).toBe(false);
  });

  it('lets the last word under a name win, in time and payload, and keeps names of different streams apart', async () => {
    const { system, bus, seen, did } = setUp();
    await system.run(bus.start());
    const ids: string[] = [];
    for (const [name, stream, delayMs] of [
      ['early', 'a', 10],
      ['late', 'a', 5000],
      ['hash', 'a#b', 5000],
    ] as const)
      ids.push((await system.run(bus.schedule(did(name, stream), { delayMs }, { name: 'n' }))).id);
    ids.push((await system.run(bus.schedule(did('other', 'a'), { delayMs: 5000 }, { name: 'b#n' }))).id);
    expect(new Set(ids).size).toBe(3);
    await system.advance(4900);
    expect(seen).toEqual([]);
    await system.advance(200);
    expect(seen.map((line) => line.split(' ')[1]).sort()).toEqual(['hash', 'late', 'other']);
    await system.run(bus.schedule(did('again', 'a'), { delayMs: 10 }, { name: 'n' }));
    await system.advance(100);
    expect(seen.at(-1)).toBe('a@3 again a@3:mail');
  });

  it('S18 does not fire what was set anew because of a late answer about what was due before', async () => {
    let late: Due | null = null;
    const holdingBack = (system: ReturnType<typeof virtualSystem>): Store => {
      const store = createMemoryStore(system, 1);
      const due: Store['due'] = async (leases, limit, but) => {
        const answer = late ?? (await store.due(leases, limit, but));
        if (late === null && answer.deliveries.length > 0) late = answer;
        else late = null;
        return answer;
      };
      return { ...store, due };
    };
    const { system, bus, seen, did } = setUp(holdingBack);
    await system.run(bus.start());
    await system.run(bus.schedule(did('one'), { delayMs: 10 }, { name: 'n' }));
    bus.on('appended', ({ events }) => {
      if (events[0]?.version === 1) void bus.schedule(did('two'), { delayMs: 5000 }, { name: 'n' });
    });
    await system.advance(4900);
    expect(seen).toEqual(['s@1 one s@1:mail']);
    await system.advance(1000);
    expect(seen).toEqual(['s@1 one s@1:mail', 's@2 two s@2:mail']);
  });

  it('goes on while the stream is paused', async () => {
    const { system, store, bus, did } = setUp();
    await system.run(bus.schedule(did('anyway'), { delayMs: 10 }));
    const pause = [{ of: 'stream' as const, name: 's', ...audit }];
    await store.commit({ owner: 'op', id: '1', units: [{ pause }], progress: [] });
    await system.run(bus.start());
    await system.advance(1000);
    expect(await system.run(bus.events('s'))).toMatchObject([{ data: { name: 'anyway' } }]);
  });

  it('reads a payload with the code of the day it fires', async () => {
    const store = createMemoryStore(virtualSystem(), 2);
    const [system, shared] = [virtualSystem(), store];
    const before = createEventBus<Events>(system, { store: shared });
    await system.run(before.schedule({ stream: 's', type: 'Remind', data: { days: 2 } }, { delayMs: 0 }));
    const inHours = (data: { days: number }) => ({ hours: data.days * 24 });
    const after = createEventBus<Events>(system, { store: shared, upcasts: { Remind: [inHours as never] } });
    expect(await system.run(after.scheduled('s'))).toMatchObject([{ data: { hours: 48 } }]);
    await system.run(after.start());
    await system.advance(1000);
    expect(await system.run(after.events('s'))).toMatchObject([{ type: 'Remind', schema: 2, data: { hours: 48 } }]);
  });

  it('R23 a payload of newer code waits for it up to an hour, then is a dead letter that can be redriven', async () => {
    const { system, store, bus } = setUp();
    const knowing = createEventBus<Events>(system, { store, upcasts: { Did: [(data) => data] } });
    const { id } = await system.run(knowing.schedule({ stream: 's', type: 'Did', data: { name: 'new' } }, { delayMs: 1000 }));
    await system.run(bus.start());
    await system.advance(1_800_000);
    expect((await system.run(bus.deadLetters.list())).deadLetters).toEqual([]);
    expect(await system.run(bus.scheduled('s'))).toMatchObject([{ id, data: undefined }]);
    await system.advance(1_900_000);
    expect((await system.run(bus.deadLetters.list({ subscription: 'timers' }))).deadLetters).toMatchObject([
      { id, type: 'Did', stream: 's' },
    ]);
    const letter = await system.run(bus.deadLetters.get(id));
    expect(letter).toMatchObject({
      state: 'dead',
      raw: '{"name":"new"}',
      envelope: { type: 'Did', stream: 's', schema: 2, data: undefined },
    });
    expect(letter?.history).toMatchObject([{ error: { code: 'UNDECODABLE' } }]);
    await system.run(bus.stop());
    await system.run(knowing.start());
    expect((await system.run(knowing.deadLetters.redrive({ ids: [id] }, audit))).changed).toEqual([id]);
    await system.advance(100);
    expect(await system.run(knowing.events('s'))).toMatchObject([{ data: { name: 'new' } }]);
    expect(await system.run(bus.deadLetters.get(id))).toMatchObject({ state: 'done', actions: [{ action: 'redriven' }] });
  });

  it('R21 what nobody can read is dead at once, and one that was discarded, or taken back when dead, never fires', async () => {
    const { system, store, bus, did } = setUp();
    const broken = createEventBus<Events>(system, { store, upcasts: { Did: [() => JSON.parse('{') as unknown] } });
    const ids = [];
    for (const name of ['a', 'b', 'c']) ids.push((await system.run(bus.schedule(did(name), { delayMs: 10 }, { name }))).id);
    await system.run(broken.start());
    await system.advance(1000);
    expect((await system.run(bus.deadLetters.list())).deadLetters).toHaveLength(3);
    const [discarded = '', takenBack = '', anew = ''] = ids;
    await system.run(bus.deadLetters.discard({ ids: [discarded] }, audit));
    expect(await system.run(Promise.all([discarded, takenBack].map(bus.unschedule)))).toEqual([true, true]);
    expect((await system.run(bus.deadLetters.redrive({ ids: [discarded, takenBack] }, audit))).changed).toEqual([]);
    await system.run(bus.schedule(did('anew'), { delayMs: 10 }, { name: 'c' }));
    expect(await system.run(bus.deadLetters.get(anew))).toMatchObject({
      state: 'scheduled',
      history: [{ error: { code: 'UNDECODABLE' } }],
    });
    await system.run(broken.stop());
    await system.run(bus.start());
    await system.advance(10_000);
    expect(await system.run(bus.events('s'))).toMatchObject([{ data: { name: 'anew' } }]);
  });

  it('R4 one whose payload ends its process is charged for it and dies', async () => {
    const system = virtualSystem();
    const store = createMemoryStore(system, 1);
    const cluster = createCluster(system, store);
    const api = createEventBus<Events>(system, { store });
    const { id } = await system.run(api.schedule({ stream: 's', type: 'Did', data: { name: 'killer' } }, { delayMs: 10 }));
    await system.run(api.schedule({ stream: 't', type: 'Remind', data: { days: 1 } }, { delayMs: 10 }));
    let starts = 0;
    for (let lives = 0; lives < 12; lives += 1) {
      const process = cluster.process(`w${lives}`);
      const kill = (): never => {
        starts += 1;
        process.crash();
        throw new Error('nobody hears this');
      };
      const bus = createEventBus<Events>(process.system, { store: process.store, upcasts: { Did: [kill] } });
      await system.run(bus.start({ leaseMs: 1000 }));
      await system.advance(70_000);
      if (process.alive) await system.run(bus.close());
    }
    expect(starts).toBeLessThanOrEqual((RetryPolicy.default.attempts ?? 0) + 2);
    expect((await system.run(api.deadLetters.list())).deadLetters).toMatchObject([{ id }]);
    expect(await system.run(api.events('t'))).toHaveLength(1);
  });

  it('refuses what it cannot keep or does not understand', async () => {
    const { system, bus, did } = setUp();
    const schedule = bus.schedule as (...given: unknown[]) => Promise<unknown>;
    for (const [event, when, options, message] of [
      [did('x'), {}, {}, 'expected either delayMs or at'],
      [did('x'), { delayMs: 1, at: new Date(0) }, {}, 'expected either delayMs or at'],
      [did('x'), { delayMs: -1 }, {}, 'delayMs'],
      [did('x'), { at: '2026-01-01T00:00:00' }, {}, 'with its offset from UTC'],
      [did('x'), { at: new Date(Number.NaN) }, {}, 'with its offset from UTC'],
      [{ ...did('x'), expected: 1 }, { delayMs: 1 }, {}, 'expected only the options'],
      [did('x', '\ud800'), { delayMs: 1 }, {}, 'well-formed'],
      [did('x'), { delayMs: 1 }, { name: '\ud800' }, 'well-formed'],
      [did('x'), { delayMs: 1 }, { name: 'x'.repeat(201) }, 'name'],
      [{ ...did('x'), data: 1n }, { delayMs: 1 }, {}, 'JSON'],
    ] as const)
      await expect(system.run(schedule(event, when, options)), message).rejects.toThrow(message);
  });

  it('R27 fires 10,000 that are due at one moment, each once, with a bounded number in hand', async () => {
    let most = 0;
    const { system, bus } = setUp((system) => {
      const store = createMemoryStore(system, 4);
      const due: Store['due'] = async (leases, limit, but) => {
        const answer = await store.due(leases, limit, but);
        most = Math.max(most, answer.deliveries.length);
        return answer;
      };
      return { ...store, due };
    });
    const streams = Array.from({ length: 10_000 }, (_, index) => `s${index % 5000}`);
    const all = streams.map((stream, index) =>
      bus.schedule({ stream, type: 'Remind', data: { days: index } }, { at: new Date(system.now() + 60_000) }),
    );
    await system.run(Promise.all(all));
    await system.run(bus.start({ concurrency: 64 }));
    await system.advance(70_000);
    const events = (await Promise.all([...new Set(streams)].map((stream) => bus.events(stream)))).flat();
    expect(new Set(events.map(({ data }) => (data as { days: number }).days)).size).toBe(10_000);
    expect(events).toHaveLength(10_000);
    expect(most).toBe(512);
    await system.run(bus.close());
  });
});

describe('scheduling over processes', () => {
  it('S18 runs on the worker that is left, though the one that scheduled and the one that was to fire are gone', async () => {
    const { system, member, starts } = busCluster({ mail: { handle: () => {} } });
    const [api, first] = [member('a'), member('w1')];
    await first.work();
    await system.run(api.bus.schedule({ stream: 's', type: 'Did', data: { name: 'x' } }, { delayMs: 5000 }));
    api.crash();
    await system.advance(4999);
    first.crash();
    await member('w2').work();
    await system.advance(3000);
    expect(starts).toEqual(['mail:x.0.1']);
  });
});
