import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import type { StreamModel } from '../../src/runtime/model.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { createCluster } from '../../src/testing/simulation/cluster.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

type Events = { Added: { amount: number }; Summed: { sum: number } };

/** An account that is added to. */
const account: StreamModel<{ readonly sum: number }> = {
  fingerprint: 'account 1',
  fold: (events, from) =>
    events.reduce(
      (state, { data }) => Object.freeze({ sum: state.sum + ((data as Partial<Events['Added']>).amount ?? 0) }),
      from ?? { sum: 0 },
    ),
  status: () => 'open',
};

const add = (amount: number) => () => E.right([{ type: 'Added', data: { amount } }]);
const total = (state: { readonly sum: number } | undefined) => E.right([{ type: 'Summed', data: { sum: state?.sum } }]);

const setUp = async () => {
  const system = virtualSystem();
  const store = createMemoryStore(system, 1);
  const cluster = createCluster(system, store);
  const bus = (name: string) => {
    const process = cluster.process(name);
    return createEventBus<Events, { readonly sum: number }>(process.system, { store: process.store, model: account });
  };
  const [here, there] = [bus('here'), bus('there')];
  await system.run(here.execute('a', add(1)));
  const told = async () => (await system.run(here.events('a'))).map(({ data }) => data);
  return { system, store, here, there, told };
};

describe('two decisions over one stream at once', () => {
  it('S23 the second does not take for granted what the first loses to another process that wrote as many events', async () => {
    const { system, here, there, told, store } = await setUp();
    await system.run(there.execute('a', add(10)));
    await system.run(Promise.all([here.execute('a', add(2)), here.execute('a', total)]));
    const events = await told();
    const [sum] = events.filter((data) => 'sum' in data);
    const before = events.slice(0, events.indexOf(sum as never)) as Events['Added'][];
    expect(sum).toEqual({ sum: before.reduce((all, { amount }) => all + amount, 0) });
    expect(JSON.parse((await store.stream('a'))?.state ?? '')).toEqual({ sum: 13 });
  });

  it('are both taken, in order, when nobody else writes', async () => {
    const { system, here, told } = await setUp();
    await system.run(Promise.all([2, 3, 4].map((amount) => here.execute('a', add(amount)))));
    await system.run(here.execute('a', total));
    expect(await told()).toEqual([{ amount: 1 }, { amount: 2 }, { amount: 3 }, { amount: 4 }, { sum: 10 }]);
  });
});
