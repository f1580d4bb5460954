import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import type { ParkedDelivery } from '../../src/core/records.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import type { RedriveReport } from '../../src/runtime/dead-letters/redrive-operation.ts';
import type { StreamModel } from '../../src/runtime/model.ts';
import { detailOf } from '../../src/runtime/parking.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import type { StoreFault } from '../../src/testing/simulation/store-fault.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { busCluster, type Handle, type Subscriptions } from '../support/bus-cluster.ts';

const audit = { by: 'op', reason: 'the gateway is back' };
const once = RetryPolicy.immediately().maxAttempts(1);

/** Everything fails while the world is broken, and what is called `bad…` always does. */
const brokenWorld = (subscriptions: Omit<Subscriptions[string], 'handle'> = {}, shards = 1, seed = 1) => {
  const state = { broken: true };
  const handle: Handle = ({ data }) => {
    if (state.broken || (data as { name: string }).name.startsWith('bad')) throw new Error('no');
  };
  return { state, ...busCluster({ mail: { handle, retry: once, ...subscriptions } }, { shards, seed }) };
};

const redrivenBy = (record: ParkedDelivery | undefined, id?: string): number =>
  record === undefined
    ? 0
    : detailOf(record).actions.filter(({ operation }) => operation !== undefined && operation === (id ?? operation)).length;

describe('a paced redrive', () => {
  it('keeps its pace, tells what became of every letter and leaves its name on each', async () => {
    const { state, system, witness, member, publish, publishMany } = brokenWorld();
    const [worker, operator] = [member('w'), member('op')];
    await worker.work();
    await publishMany(20);
    await publish('x', 'bad');
    await publish('y', 'bad');
    await system.advance(1000);
    state.broken = false;
    const began = system.monotonic();
    const report = await system.run(operator.bus.deadLetters.redriveMany({ subscription: 'mail' }, audit, { perSecond: 4 }));
    expect(report).toMatchObject({ state: 'finished', ...audit, matched: 22, redriven: 22, succeeded: 20, failed: 2, open: 0, refused: 0 });
    expect(system.monotonic() - began).toBeGreaterThanOrEqual(21 * 250);
    expect(system.monotonic() - began).toBeLessThan(22 * 250 + 1000);
    for (const record of witness.parked.values()) expect(redrivenBy(record, report.id)).toBe(1);
    expect((await system.run(operator.bus.deadLetters.list())).deadLetters.map(({ generation }) => generation)).toEqual([1, 1]);
    expect(await system.run(operator.bus.deadLetters.resume(report.id))).toEqual(report);
    expect(await system.run(operator.bus.deadLetters.resume('none'))).toBeNull();
  });

  it('takes only what its filter matches, by age too, and nothing that dies later', async () => {
    const { state, system, member, publish, starts } = brokenWorld();
    const worker = member('w');
    await worker.work();
    const moments: string[] = [];
    for (const stream of ['a', 'b', 'c', 'd']) {
      await publish(stream, stream);
      await system.advance(1000);
      moments.push(new Date(system.now()).toISOString());
    }
    state.broken = false;
    const { deadLetters } = worker.bus;
    const filter = { diedFrom: moments[0], diedBefore: moments[2] };
    expect((await system.run(deadLetters.list(filter))).deadLetters.map(({ stream }) => stream)).toEqual(['c', 'b']);
    expect((await system.run(deadLetters.causes(filter)))[0]).toMatchObject({ letters: 2, latest: 'mail:c@1' });
    expect(await system.run(deadLetters.redriveMany(filter, audit))).toMatchObject({ matched: 2, succeeded: 2 });
    expect(starts.slice(4).sort()).toEqual(['mail:b.1.1', 'mail:c.1.1']);
    expect(await system.run(deadLetters.redriveMany({ stream: 'nobody' }, audit))).toMatchObject({ state: 'finished', matched: 0 });
    for (const wrong of ['yesterday', '2026-02-31T00:00:00Z', '2026-01-01', '2026-01-01T00:00:00+01:00', 5])
      await expect(deadLetters.list({ diedFrom: wrong as string })).rejects.toMatchObject({ code: 'CONFIG' });
  });

  it('goes through each stream in version order, however many letters of it there are and in whatever order they died', async () => {
    const { state, system, member, publish, starts } = brokenWorld({ onDead: 'continue' });
    const worker = member('w');
    await worker.work();
    for (let n = 1; n <= 30; n += 1) await publish('s', `e${n}`);
    await system.advance(1000);
    // The first ones die again, and so last.
    await system.run(worker.bus.deadLetters.redrive({ ids: ['mail:s@3', 'mail:s@4', 'mail:s@7'] }, audit));
    await system.advance(1000);
    state.broken = false;
    const before = starts.length;
    await system.run(worker.bus.deadLetters.redriveMany({}, audit, { perSecond: 8 }));
    expect(starts.slice(before).map((start) => start.split('.')[0])).toEqual(Array.from({ length: 30 }, (_, n) => `mail:e${n + 1}`));
  });

  it('stops itself when too many die again, says why, and can be resumed once they no longer do', async () => {
    const { state, system, member, publishMany } = brokenWorld();
    const worker = member('w');
    await worker.work();
    await publishMany(100);
    await system.advance(1000);
    const { deadLetters } = worker.bus;
    const stopped = await system.run(deadLetters.redriveMany({}, audit, { perSecond: 8, stopAfterFailures: 5 }));
    expect(stopped).toMatchObject({ state: 'stopped', why: expect.stringContaining('died again'), matched: 100, succeeded: 0 });
    expect(stopped.redriven).toBeLessThanOrEqual(7);
    await system.advance(60_000);
    expect((await system.run(deadLetters.redrives())).redrives).toEqual([stopped]);
    state.broken = false;
    const resumed = await system.run(deadLetters.resume(stopped.id));
    expect(resumed).toMatchObject({
      id: stopped.id,
      state: 'finished',
      redriven: 100,
      succeeded: 100 - stopped.failed,
      failed: stopped.failed,
    });
    expect(resumed).not.toHaveProperty('why');
  });

  it('never has more than 200 letters out whose outcome is open', async () => {
    const { state, system, witness, member, publishMany } = brokenWorld();
    const worker = member('w');
    await worker.work();
    await publishMany(300);
    await system.advance(5000);
    expect((await system.run(worker.bus.counts())).subscriptions.mail?.dead).toBe(300);
    await system.run(worker.bus.stop());
    state.broken = false;
    const operator = member('op');
    const abort = new AbortController();
    const redriving = operator.bus.deadLetters.redriveMany({}, audit, { perSecond: 1000, signal: abort.signal });
    await system.advance(10_000);
    expect([...witness.parked.values()].filter(({ state: now }) => now === 'scheduled')).toHaveLength(200);
    abort.abort();
    const report = await system.run(redriving);
    expect(report).toMatchObject({ state: 'interrupted', why: 'it was aborted', redriven: 200, open: 200 });
    await worker.work();
    expect(await system.run(operator.bus.deadLetters.resume(report.id))).toMatchObject({
      state: 'finished',
      redriven: 300,
      succeeded: 300,
    });
  });

  it('is interrupted when its bus is closed, and lets the process end', async () => {
    const { system, member, publishMany } = brokenWorld();
    const [worker, operator, other] = [member('w'), member('op'), member('other')];
    await worker.work();
    await publishMany(10);
    await system.advance(1000);
    const redriving = operator.bus.deadLetters.redriveMany({}, audit, { perSecond: 1 });
    await system.advance(1500);
    await system.run(operator.bus.close());
    expect(await redriving).toMatchObject({ state: 'interrupted', why: 'its bus was closed', redriven: 2 });
    expect((await system.run(other.bus.deadLetters.redrives())).redrives).toMatchObject([{ state: 'interrupted', redriven: 2 }]);
  });

  it('is taken over by whoever resumes it, so that it keeps one pace', async () => {
    const { state, system, member, publishMany } = brokenWorld();
    const [worker, first, second] = [member('w'), member('op1'), member('op2')];
    await worker.work();
    await publishMany(40);
    await system.advance(1000);
    state.broken = false;
    const redriving = first.bus.deadLetters.redriveMany({}, audit, { perSecond: 4 });
    await system.advance(2000);
    const [running] = (await system.run(second.bus.deadLetters.redrives())).redrives;
    expect(running).toMatchObject({ state: 'running', matched: 40 });
    const began = system.monotonic();
    expect(await system.run(second.bus.deadLetters.resume(running?.id ?? ''))).toMatchObject({ state: 'finished', succeeded: 40 });
    expect(system.monotonic() - began).toBeGreaterThan(30 * 250);
    expect(await redriving).toMatchObject({ state: 'interrupted', why: 'it was resumed elsewhere' });
  });

  it('redrives no letter again that died again, also when the clock of the store was set back in the meantime', async () => {
    const { system, witness, member, publishMany } = brokenWorld();
    const worker = member('w');
    await worker.work();
    await publishMany(20);
    await system.advance(1000);
    system.stepWallClock(-3_600_000);
    const { deadLetters } = worker.bus;
    const stopped = await system.run(deadLetters.redriveMany({}, audit, { perSecond: 4, stopAfterFailures: 5 }));
    expect(stopped).toMatchObject({ state: 'stopped', failed: 5 });
    for (let round = 0; round < 4; round += 1) await system.run(deadLetters.resume(stopped.id));
    expect(await system.run(deadLetters.resume(stopped.id))).toMatchObject({ state: 'finished', redriven: 20, failed: 20 });
    for (const record of witness.parked.values()) expect(record.generation).toBe(1);
  });

  it('redrives nothing more for a runner that wakes up late, after another one took it over and was stopped', async () => {
    const { state, system, witness, member, publishMany } = brokenWorld();
    // The second time it is written down, with the first letters taken, the answer needs ten seconds.
    const late = member('late', { faults: [{ of: 'documents', nth: 2, kind: 'stuck' }] });
    const [worker, operator] = [member('w'), member('op')];
    await worker.work();
    await publishMany(40);
    await system.advance(1000);
    state.broken = false;
    const redriving = late.bus.deadLetters.redriveMany({}, audit, { perSecond: 40 });
    await system.advance(1000);
    const [{ id } = { id: '' }] = (await system.run(operator.bus.deadLetters.redrives())).redrives;
    const abort = new AbortController();
    const resumed = operator.bus.deadLetters.resume(id, { signal: abort.signal });
    abort.abort();
    expect(await system.run(resumed)).toMatchObject({ state: 'interrupted', why: 'it was aborted' });
    await system.advance(60_000);
    expect([...witness.parked.values()].filter((record) => redrivenBy(record) > 0)).toEqual([]);
    expect(await redriving).toMatchObject({ state: 'interrupted' });
    expect(await system.run(operator.bus.deadLetters.resume(id))).toMatchObject({ state: 'finished', succeeded: 40 });
  });

  it('counts letters that somebody else was faster to change, and goes on', async () => {
    const { state, system, member, publishMany } = brokenWorld();
    const [worker, operator] = [member('w'), member('op')];
    await worker.work();
    await publishMany(10);
    await system.advance(1000);
    state.broken = false;
    const redriving = operator.bus.deadLetters.redriveMany({}, audit, { perSecond: 4 });
    await system.advance(600);
    await system.run(worker.bus.deadLetters.redrive({ filter: {} }, audit));
    const report = await system.run(redriving);
    expect(report.state).toBe('finished');
    expect(report.redriven).toBe(report.succeeded);
    expect(report.redriven + report.refused).toBeLessThan(10);
  });

  it('counts letters whose stream refuses, or cannot even be asked, and goes on', async () => {
    const system = virtualSystem();
    const model: StreamModel<number> = {
      fingerprint: '1',
      fold: (events, from = 0) => from + events.length,
      status: () => 'open',
      onDeadLetter: ({ kind, stream }) => {
        if (kind === 'redriven' && stream === 's1') throw new Error('no idea');
        return () => (kind === 'redriven' && stream === 's2' ? E.left('not now') : E.right([]));
      },
    };
    const bus = createEventBus<{ Did: number }, number>(system, { store: createMemoryStore(system, 1), model });
    const done: string[] = [];
    const handle = ({ stream, generation }: { readonly stream: string; readonly generation: number }): void => {
      if (generation === 0) throw new Error('no');
      done.push(stream);
    };
    bus.subscribe('mail', { on: { Did: handle }, retry: once });
    await system.run(bus.start());
    for (const stream of ['s0', 's1', 's2', 's3']) await system.run(bus.publish({ stream, type: 'Did', data: 1 }));
    await system.advance(1000);
    expect(await system.run(bus.deadLetters.redrive({ ids: ['mail:s2@1'] }, audit))).toMatchObject({ refused: [{ code: 'REFUSED' }] });
    expect(await system.run(bus.deadLetters.redriveMany({}, audit))).toMatchObject({
      state: 'finished',
      matched: 4,
      redriven: 2,
      succeeded: 2,
      refused: 2,
    });
    expect([...done].sort()).toEqual(['s0', 's3']);
    await system.run(bus.close());
  });

  it('R19 gives every letter exactly one new generation over crashes at any call, lost replies, double clicks and two resumers', async () => {
    const fault = fc.record({
      of: fc.constantFrom<StoreFault['of']>('commit', 'commit', 'any', 'parked', 'dead', 'documents', 'lookUp'),
      nth: fc.integer({ min: 1, max: 40 }),
      kind: fc.constantFrom<StoreFault['kind']>('crashBefore', 'crashAfter', 'rejectBefore', 'rejectAfter', 'slow'),
    });
    const given = fc.record({
      seed: fc.nat(),
      faults: fc.array(fc.array(fault, { minLength: 1, maxLength: 3 }), { minLength: 4, maxLength: 4 }),
      again: fc.array(fc.record({ at: fc.nat(6000), by: fc.integer({ min: 1, max: 3 }) }), { maxLength: 4 }),
      twice: fc.boolean(),
      onDead: fc.constantFrom('hold' as const, 'continue' as const),
      perSecond: fc.constantFrom(2, 12, 1000),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ seed, faults, again, twice, onDead, perSecond }) => {
        const { state, system, witness, member, publish, starts } = brokenWorld({ onDead }, 2, seed);
        await member('w').work();
        for (const stream of ['a', 'b', 'c', 'd', 'e']) await publish(stream, `${stream}1`, `bad ${stream}`, `${stream}2`);
        await system.advance(2000);
        const dead = [...witness.parked.values()].filter((record) => record.state === 'dead').map(({ id }) => id);
        expect(dead).toHaveLength(onDead === 'hold' ? 5 : 15);
        state.broken = false;
        const operators = faults.map((own, index) => member(`op${index}`, { faults: own, latencyMs: 3 }));
        const told: RedriveReport[] = [];
        const failed: string[] = [];
        const hear = (report: Promise<RedriveReport | null>): void =>
          void report.then(
            (one) => one !== null && told.push(one),
            ({ code }) => failed.push(code),
          );
        const options = { perSecond, stopAfterFailures: 1000 };
        hear(operators[0]?.bus.deadLetters.redriveMany({}, audit, options) ?? Promise.resolve(null));
        if (twice) hear(operators[0]?.bus.deadLetters.redriveMany({}, audit, options) ?? Promise.resolve(null));
        for (const { at, by } of again) {
          system.setTimer(at, async () => {
            const deadLetters = operators[by]?.bus.deadLetters;
            const [first] = (await deadLetters?.redrives().catch(() => ({ redrives: [] })))?.redrives ?? [];
            if (deadLetters !== undefined && first !== undefined) hear(deadLetters.resume(first.id));
          });
        }
        await system.advance(60_000);
        // Whatever is left of it all, one more process brings to its end.
        const last = member('last');
        const { redrives } = await system.run(last.bus.deadLetters.redrives());
        const reports = await Promise.all(redrives.map(({ id }) => system.run(last.bus.deadLetters.resume(id))));
        const begun = redrives.length;
        for (const report of reports) {
          expect(report).toMatchObject({ state: 'finished', open: 0 });
          expect(report?.redriven).toBe((report?.succeeded ?? 0) + (report?.failed ?? 0));
          const own = [...witness.parked.values()].filter((record) => redrivenBy(record, report?.id) > 0);
          expect(report?.redriven).toBe(own.length);
        }
        for (const id of dead) {
          const record = witness.parked.get(id);
          expect(redrivenBy(record)).toBe(begun === 0 ? 0 : 1);
          expect(record?.generation).toBe(begun === 0 ? 0 : 1);
          if (begun > 0) expect(record?.state).toBe(record?.version === 2 ? 'dead' : 'done');
        }
        expect(starts.length).toBe(new Set(starts).size);
        expect(failed.every((code) => code === 'STORE')).toBe(true);
        expect(witness.faults).toEqual([]);
      }),
      { numRuns: Number(process.env.ORDERFOLD_RUNS ?? 100) },
    );
  }, 3_600_000);
});
