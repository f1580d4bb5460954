import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { permanent } from '../../src/core/permanent.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { SECRETS } from '../../src/testing/simulation/outside.ts';
import type { StoreFault } from '../../src/testing/simulation/store-fault.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { busCluster, type Handle } from '../support/bus-cluster.ts';

const { card: CARD, password: PASSWORD } = SECRETS;
const audit = { by: 'op', reason: 'the gateway is back' };
const twice = RetryPolicy.fixed({ delayMs: 20 }).maxAttempts(2);

/** Fails while the world is broken. */
const world = () => {
  const state = { broken: true };
  const handle: Handle = ({ data }) => {
    if (state.broken && (data as { name: string }).name.startsWith('bad')) throw new Error('no');
  };
  return { state, handle };
};

describe('dead letters', () => {
  it('R17 R18 a dead letter holds its own stream back and nobody else, for as long as it lies there', async () => {
    const { state, handle } = world();
    const { system, member, publish, starts } = busCluster({ mail: { handle, retry: twice } }, { shards: 1 });
    const worker = member('w');
    await worker.work({ concurrency: 2 });
    await publish('s', 'bad', 'b', 'c');
    await system.advance(1000);
    for (let round = 0; round < 20; round += 1) {
      await publish('t', `t${round}`);
      await publish('s', `s${round}`);
      await system.advance(1000);
      expect(starts.at(-1)).toBe(`mail:t${round}.0.1`);
    }
    state.broken = false;
    await system.run(worker.bus.deadLetters.redrive({ filter: {} }, audit));
    await system.advance(1000);
    expect(starts.slice(22)).toEqual([
      'mail:bad.1.1',
      'mail:b.0.1',
      'mail:c.0.1',
      ...Array.from({ length: 20 }, (_, round) => `mail:s${round}.0.1`),
    ]);
  });

  it('R19 redrive gives exactly one new generation, however often, from wherever and over whatever lost replies it is asked', async () => {
    const fault = fc.record({
      of: fc.constantFrom<StoreFault['of']>('commit', 'lookUp', 'stream'),
      nth: fc.integer({ min: 1, max: 6 }),
      kind: fc.constantFrom<StoreFault['kind']>('rejectBefore', 'rejectAfter', 'slow', 'crashAfter', 'crashBefore'),
    });
    const asks = fc.array(
      fc.record({ at: fc.nat(40), from: fc.nat(2), what: fc.constantFrom('redrive' as const, 'redrive' as const, 'discard' as const) }),
      { minLength: 1, maxLength: 8 },
    );
    const given = fc.record({ seed: fc.nat(), asks, faults: fc.array(fc.array(fault, { maxLength: 3 }), { minLength: 3, maxLength: 3 }) });
    await fc.assert(
      fc.asyncProperty(given, async ({ seed, asks, faults }) => {
        const { state, handle } = world();
        const { system, witness, member, publish, starts } = busCluster({ mail: { handle, retry: twice } }, { seed });
        await member('w').work();
        const operators = faults.map((own, index) => member(`op${index}`, { faults: own, latencyMs: 4 }));
        await publish('s', 'bad', 'b');
        await publish('t', 'bad2');
        await system.advance(1000);
        state.broken = false;
        const changed: string[] = [];
        const failed: string[] = [];
        for (const { at, from, what } of asks) {
          system.setTimer(at, () => {
            operators[from]?.bus.deadLetters[what]({ filter: {} }, audit).then(
              (changes) => changed.push(...changes.changed.map((id) => `${what} ${id}`)),
              ({ code }) => failed.push(code),
            );
          });
        }
        await system.advance(20_000);
        for (const [id, after] of [
          ['mail:s@1', 'bad'],
          ['mail:t@1', 'bad2'],
        ] as const) {
          const record = witness.parked.get(id);
          const told = changed.filter((one) => one.endsWith(id));
          expect(told.length).toBeLessThanOrEqual(1);
          expect(record?.generation).toBe(record?.state === 'done' ? 1 : 0);
          expect(starts.filter((start) => start.startsWith(`mail:${after}.1.`))).toHaveLength(record?.state === 'done' ? 1 : 0);
          if (told.length === 1) expect(record?.state).toBe(told[0]?.startsWith('redrive') ? 'done' : 'discarded');
        }
        expect(failed.every((code) => code === 'STORE')).toBe(true);
        expect(witness.faults).toEqual([]);
      }),
      { numRuns: Number(process.env.ORDERFOLD_RUNS ?? 100) },
    );
  }, 3_600_000);

  it('R19 R20 a redriven letter that dies again keeps its place, its bytes and every attempt, and can be redriven again', async () => {
    const { state, handle } = world();
    const { system, member, publish, starts } = busCluster({ mail: { handle, retry: twice } });
    const worker = member('w');
    await worker.work();
    await publish('s', 'bad', 'b');
    await system.advance(1000);
    const first = await system.run(worker.bus.deadLetters.get('mail:s@1'));
    await system.advance(5000);
    expect((await system.run(worker.bus.deadLetters.redrive({ ids: ['mail:s@1', 'mail:s@1', 'mail:x@1'] }, audit))).changed).toEqual([
      'mail:s@1',
    ]);
    await system.advance(1000);
    const second = await system.run(worker.bus.deadLetters.get('mail:s@1'));
    expect(second).toMatchObject({
      state: 'dead',
      generation: 1,
      attempts: 2,
      raw: first?.raw,
      actions: [{ action: 'redriven', ...audit, generation: 0 }],
    });
    expect(second?.history.map(({ attempt, generation }) => `${generation}.${attempt}`)).toEqual(['0.1', '0.2', '1.1', '1.2']);
    expect(Date.parse(second?.deadAt ?? '')).toBeGreaterThan(Date.parse(first?.deadAt ?? '') + 5000);
    state.broken = false;
    await system.run(worker.bus.deadLetters.redrive({ filter: { subscription: 'mail' } }, audit));
    await system.advance(1000);
    expect(starts).toEqual(['mail:bad.0.1', 'mail:bad.0.2', 'mail:bad.1.1', 'mail:bad.1.2', 'mail:bad.2.1', 'mail:b.0.1']);
    expect((await system.run(worker.bus.deadLetters.redrive({ ids: ['mail:s@1'] }, audit))).refused).toHaveLength(1);
  });

  it('R21 discard is final, says who and why, and lets the stream go on', async () => {
    const { system, member, publish, starts } = busCluster({ mail: { handle: world().handle, retry: twice } });
    const [worker, operator] = [member('w'), member('op')];
    await worker.work();
    await publish('s', 'bad', 'b');
    await system.advance(1000);
    await system.run(operator.bus.deadLetters.discard({ ids: ['mail:s@1'] }, audit));
    await system.advance(1000);
    expect(starts.at(-1)).toBe('mail:b.0.1');
    expect(await system.run(operator.bus.deadLetters.get('mail:s@1'))).toMatchObject({
      state: 'discarded',
      actions: [{ action: 'discarded', ...audit }],
    });
    expect(await system.run(operator.bus.deadLetters.redrive({ ids: ['mail:s@1'] }, audit))).toMatchObject({
      changed: [],
      refused: [{ id: 'mail:s@1' }],
    });
    await expect(operator.bus.deadLetters.discard({ filter: {} }, { by: '', reason: 'x' })).rejects.toMatchObject({ code: 'CONFIG' });
  });

  it('R31 under `continue` a redriven letter runs although later versions of its stream are done', async () => {
    const { state, handle } = world();
    const { system, member, publish, starts } = busCluster({ mail: { handle, retry: twice, onDead: 'continue' } });
    const worker = member('w');
    await worker.work();
    await publish('s', 'a', 'bad', 'c', 'bad2', 'd');
    await system.advance(1000);
    expect(starts).toEqual(['a.0.1', 'bad.0.1', 'bad.0.2', 'c.0.1', 'bad2.0.1', 'bad2.0.2', 'd.0.1'].map((one) => `mail:${one}`));
    state.broken = false;
    await system.run(worker.bus.deadLetters.redrive({ filter: {} }, audit));
    await system.advance(1000);
    expect(starts.slice(7)).toEqual(['mail:bad.1.1', 'mail:bad2.1.1']);
  });

  it('R15 what fails, dies and is redriven in one subscription is nothing to another', async () => {
    const { system, member, publish, starts } = busCluster({
      mail: { handle: world().handle, retry: twice },
      log: { handle: () => {} },
      slow: { handle: (_, process) => process.sleep(200) },
    });
    const worker = member('w');
    await worker.work();
    await publish('s', 'bad', 'b');
    await system.advance(2000);
    await system.run(worker.bus.deadLetters.redrive({ filter: {} }, audit));
    await system.advance(2000);
    for (const other of ['log', 'slow'])
      expect(starts.filter((start) => start.startsWith(other))).toEqual([`${other}:bad.0.1`, `${other}:b.0.1`]);
  });

  it('R23 an unreadable payload is dead at once with its bytes kept, and no handler saw it', async () => {
    const system = virtualSystem();
    const store = createMemoryStore(system, 1);
    const seen: unknown[] = [];
    const bus = createEventBus<{ Did: { n: number } }>(system, { store, upcasts: { Did: [(data: { n: number }) => ({ n: data.n + 1 })] } });
    bus.subscribe('mail', { on: { Did: ({ data }) => void seen.push(data.n) }, start: 'beginning' });
    const raw = '{"n": 1';
    const event = { type: 'Did', schema: 1, data: raw, time: 0 };
    await system.run(bus.open());
    await store.commit({
      owner: 'x',
      id: '1',
      progress: [],
      units: [{ appends: [{ stream: 's', expected: 'any', events: [event, { ...event, data: '{"n":1}' }] }] }],
    });
    await system.run(bus.start());
    await system.advance(1000);
    expect(seen).toEqual([]);
    const letter = await system.run(bus.deadLetters.get('mail:s@1'));
    expect(letter).toMatchObject({ state: 'dead', raw, attempts: 1, history: [{ error: { code: 'UNDECODABLE' }, delayMs: null }] });
    expect(letter?.envelope).toMatchObject({ id: 's@1', type: 'Did', data: undefined });
    const shown = await system.run(bus.events('s'));
    expect(shown.map(({ id, type, data }) => [id, type, data])).toEqual([
      ['s@1', 'Did', undefined],
      ['s@2', 'Did', { n: 2 }],
    ]);
    await system.run(bus.deadLetters.discard({ filter: {} }, audit));
    await system.advance(1000);
    expect(seen).toEqual([2]);
    await system.run(bus.close());
  });

  it('R23 a schema newer than this code waits, in order and without an attempt, for code that knows it, and is dead after an hour', async () => {
    const system = virtualSystem();
    const store = createMemoryStore(system, 1);
    const seen: string[] = [];
    const bus = (upcasts: object) => {
      const made = createEventBus<{ Did: { n: number } }>(system, { store, upcasts: upcasts as never });
      made.subscribe('mail', { on: { Did: ({ id, attempt }) => void seen.push(`${id}.${attempt}`) }, start: 'beginning' });
      return made;
    };
    const [old, knowing] = [bus({}), bus({ Did: [(data: unknown) => data] })];
    await system.run(old.start({ leaseMs: 1000 }));
    await system.run(knowing.publish({ stream: 's', type: 'Did', data: { n: 1 } }));
    await system.run(old.publish({ stream: 's', type: 'Did', data: { n: 2 } }));
    await system.run(old.publish({ stream: 't', type: 'Did', data: { n: 3 } }));
    await system.advance(1_800_000);
    expect(seen).toEqual(['t@1.1']);
    expect(await store.parkedOf('s', 'open')).toMatchObject([
      { state: 'scheduled', attempts: 0 },
      { state: 'scheduled', attempts: 0 },
    ]);
    await system.run(knowing.publish({ stream: 'u', type: 'Did', data: { n: 1 } }));
    await system.run(old.stop());
    await system.run(knowing.start({ leaseMs: 1000 }));
    await system.advance(10_000);
    expect(seen).toEqual(['t@1.1', 's@1.1', 's@2.1', 'u@1.1']);
    await system.run(knowing.stop());
    await system.run(old.start({ leaseMs: 1000 }));
    await system.run(knowing.publish({ stream: 'v', type: 'Did', data: { n: 1 } }));
    await system.advance(3_700_000);
    expect((await system.run(old.deadLetters.list())).deadLetters).toMatchObject([{ id: 'mail:v@1', attempts: 1 }]);
    for (const each of [old, knowing]) await system.run(each.close());
  });

  it('R24 what is kept of an error is bounded and holds no card number and no password', async () => {
    const hostile: readonly unknown[] = [
      new Error(`card ${CARD} at postgres://user:${PASSWORD}@db/orders, password=${PASSWORD}`),
      Object.assign(new Error('x'.repeat(1_000_000)), { code: `E${'1'.repeat(5000)}` }),
      Object.defineProperty(new Error('getter'), 'message', {
        get() {
          throw new Error('no');
        },
      }),
      { password: PASSWORD, toString: () => PASSWORD },
      permanent(new Error(`{"cardNumber":"${CARD}","apiKey":"${PASSWORD}"}`)),
      new AggregateError([new Error(`authorization: Bearer ${PASSWORD}123`)], 'several'),
      null,
      undefined,
      'just\u0000text \ud800',
    ];
    const { system, witness, member, publish } = busCluster({
      mail: {
        handle: ({ data }) => {
          throw hostile[Number((data as { name: string }).name)];
        },
        retry: RetryPolicy.fixed({ delayMs: 1 }).maxAttempts(30),
      },
    });
    const told: string[] = [];
    const worker = member('w');
    for (const name of ['retry', 'dead'] as const) worker.bus.on(name, (fact) => told.push(JSON.stringify(fact)));
    await worker.work();
    for (const index of hostile.keys()) await publish(`s${index}`, String(index));
    await system.advance(5000);
    const { deadLetters } = await system.run(worker.bus.deadLetters.list());
    expect(deadLetters).toHaveLength(hostile.length);
    const letters = await system.run(Promise.all(deadLetters.map(({ id }) => worker.bus.deadLetters.get(id))));
    const texts = [...witness.parked.values(), ...letters, ...deadLetters].map((one) => JSON.stringify(one)).concat(told);
    for (const text of texts) {
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain(CARD);
      expect(text.length).toBeLessThan(200_000);
    }
  });
});
