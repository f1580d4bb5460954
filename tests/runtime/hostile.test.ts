import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { OrderfoldError } from '../../src/core/errors.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import type { Batch, Store } from '../../src/core/store.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import type { StreamModel } from '../../src/runtime/model.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { busCluster } from '../support/bus-cluster.ts';

const didPoison = { type: 'Did', schema: 1, data: '{"name":"poison"}', time: 0 };

const lookalike = (rules: unknown): RetryPolicy => ({ rules, attempts: undefined, explain: () => '' }) as unknown as RetryPolicy;

describe('code that can not be trusted', () => {
  it.each([
    ['no rules', undefined, 1],
    ['rules nobody knows', [{ kind: 'sometimes' }, { kind: 'maxAttempts', attempts: 2 }], 2],
    [
      'a wait that is no number',
      [
        { kind: 'fixed', delayMs: Number.NaN, jitter: 'none' },
        { kind: 'maxAttempts', attempts: 2 },
      ],
      2,
    ],
    [
      'a wait without end',
      [
        { kind: 'fixed', delayMs: Infinity, jitter: 'none' },
        { kind: 'maxAttempts', attempts: 2 },
      ],
      2,
    ],
  ])('R3 R18 a policy with %s is the trouble of its own deliveries alone', async (_, rules, attempts) => {
    const retry = lookalike(rules);
    const { system, witness, member, publish, starts } = busCluster({
      mail: {
        handle: ({ data }) => {
          if ((data as { name: string }).name === 'bad') throw new Error('no');
        },
        retry,
      },
    });
    await member('w').work();
    await publish('s', 'bad');
    await publish('t', 'good');
    await system.advance(10_000);
    expect(witness.parked.get('mail:s@1')).toMatchObject({ state: 'dead', attempts });
    expect(starts).toContain('mail:good.0.1');
  });

  it('R1 R18 a stream model that throws over a dead letter keeps it from no one', async () => {
    const model: StreamModel<{ readonly events: number }> = {
      fingerprint: 'counting 1',
      fold: (events, from) => ({ events: (from?.events ?? 0) + events.length }),
      status: () => 'open',
      onDeadLetter: () => () => {
        throw new Error('a bug');
      },
    };
    const system = virtualSystem();
    const bus = createEventBus<{ Did: { name: string } }, { readonly events: number }>(system, {
      store: createMemoryStore(system, 1),
      model,
    });
    const starts: string[] = [];
    bus.subscribe('mail', {
      on: {
        Did: ({ data }) => {
          starts.push(data.name);
          if (data.name === 'bad') throw new Error('no');
        },
      },
      retry: RetryPolicy.never(),
    });
    await system.run(bus.start({ leaseMs: 1000 }));
    for (const name of ['bad', 'good']) await system.run(bus.execute(name, () => E.right([{ type: 'Did', data: { name } }])));
    await system.advance(10_000);
    expect(starts).toEqual(['bad', 'good']);
    expect((await system.run(bus.deadLetters.list())).deadLetters).toHaveLength(1);
    await system.run(bus.close());
  });

  it('R1 R12 an outcome that can not be written counts as a failure of its handler', async () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    const { system, witness, member, publish, starts } = busCluster({
      mail: {
        handle: ({ attempt }) => {
          if (attempt === 1) return [{ type: 'Other' as const, data: cyclic }];
          if (attempt === 2) return [{ type: 'Other' as const, data: undefined }];
          return [{ type: 'Other' as const, data: { attempt } }];
        },
        retry: RetryPolicy.fixed({ delayMs: 10 }).maxAttempts(5),
      },
    });
    await member('w').work();
    await publish('s', 'a');
    await system.advance(5000);
    expect(starts).toEqual(['mail:a.0.1', 'mail:a.0.2', 'mail:a.0.3']);
    expect(witness.events.get('s')?.map(({ data }) => data)).toEqual(['{"name":"a"}', '{"attempt":3}']);
  });

  it('event types and streams may be called like what every object has', async () => {
    const system = virtualSystem();
    const bus = createEventBus<Record<string, unknown>>(system, { store: createMemoryStore(system, 2) });
    const seen: string[] = [];
    const names = ['constructor', 'toString', 'hasOwnProperty', '__proto__'];
    bus.subscribe('mail', { on: Object.fromEntries(names.map((name) => [name, ({ type }: { type: string }) => void seen.push(type)])) });
    await system.run(bus.start());
    for (const name of [...names, 'valueOf']) await system.run(bus.publish({ stream: name, type: name, data: null }));
    await system.advance(1000);
    expect(seen.toSorted()).toEqual(names.toSorted());
    for (const stream of ['\ud800', 'a\0b', '', 'x'.repeat(201)])
      await expect(bus.publish({ stream, type: 'a', data: 1 })).rejects.toMatchObject({ code: 'CONFIG' });
    await system.run(bus.close());
  });

  it('R18 R22 what the store will never take fails alone, and nobody beside it', async () => {
    const system = virtualSystem();
    const memory = createMemoryStore(system, 1);
    const isPoison = ({ units }: Batch) => units.some((unit) => JSON.stringify(unit.appends ?? []).includes('poison'));
    const store: Store = {
      ...memory,
      commit: (batch) =>
        isPoison(batch) ? Promise.reject(new OrderfoldError('STORE', 'too big', { retryable: false })) : memory.commit(batch),
    };
    const bus = createEventBus<{ Did: { name: string }; Other: { name: string } }>(system, { store });
    bus.subscribe('mail', {
      on: { Did: ({ data, attempt }) => (attempt === 1 ? [{ type: 'Other', data }] : []) },
      retry: RetryPolicy.fixed({ delayMs: 10 }).maxAttempts(3),
    });
    await system.run(bus.start());
    const names = ['a', 'poison', 'b', 'c', 'poison', 'd'];
    const published = names.map((name) =>
      bus.publish({ stream: name, type: 'Did', data: { name } }).then(
        () => name,
        ({ code }) => code,
      ),
    );
    expect(await system.run(Promise.all(published))).toEqual(['a', 'STORE', 'b', 'c', 'STORE', 'd']);
    // What a handler leaves behind is no different.
    await memory.commit({
      owner: 'x',
      id: '1',
      progress: [],
      units: [{ appends: [{ stream: 'p', expected: 'none', events: [didPoison] }] }],
    });
    await system.run(bus.publish({ stream: 'e', type: 'Did', data: { name: 'e' } }));
    await system.advance(5000);
    const others = await Promise.all(['a', 'b', 'c', 'd', 'e', 'p'].map(async (stream) => (await memory.events(stream, 0, 10)).length));
    expect(others).toEqual([2, 2, 2, 2, 2, 1]);
    expect(await memory.parkedOf('p', 'all')).toMatchObject([{ state: 'done', attempts: 1 }]);
    await system.run(bus.close());
  });

  it('R1 facts that are no events count as a failure of their handler', async () => {
    const { system, witness, member, publish, starts } = busCluster({
      mail: {
        handle: ({ attempt }) => (attempt < 4 ? [{ type: [undefined, '', 5][attempt - 1], data: {} }] : undefined),
        retry: RetryPolicy.fixed({ delayMs: 10 }).maxAttempts(5),
      },
    });
    await member('w').work();
    await publish('s', 'a');
    await system.advance(5000);
    expect(starts).toHaveLength(4);
    expect(witness.events.get('s')).toHaveLength(1);
  });
});
