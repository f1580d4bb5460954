import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import type { StreamModel } from '../../src/runtime/model.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { createCluster } from '../../src/testing/simulation/cluster.ts';
import type { ProcessOptions } from '../../src/testing/simulation/process.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

/** A tap that is open or shut. */
const tap: StreamModel<{ readonly open: boolean }> = {
  fingerprint: 'tap 1',
  fold: (events, from) => events.reduce((_, { type }) => Object.freeze({ open: type === 'Opened' }), from ?? { open: false }),
  status: ({ open }) => (open ? 'open' : 'shut'),
};

type Events = { Opened: object; Shut: object };
type State = { readonly open: boolean } | undefined;

const open = (state: State) => (state?.open === true ? E.left('open already') : E.right([{ type: 'Opened', data: {} }]));
const shut = (state: State) => (state?.open === true ? E.right([{ type: 'Shut', data: {} }]) : E.right([]));

const setUp = () => {
  const system = virtualSystem();
  const shared = createMemoryStore(system, 1);
  const cluster = createCluster(system, shared);
  const bus = (name: string, options?: ProcessOptions) => {
    const process = cluster.process(name, options);
    return createEventBus<Events, { readonly open: boolean }>(process.system, { store: process.store, model: tap });
  };
  return { system, bus };
};

describe('a process whose picture of a stream is old', () => {
  it('S23 refuses nothing and leaves nothing out for that reason', async () => {
    const { system, bus } = setUp();
    const [here, there] = [bus('here'), bus('there')];
    await system.run(here.execute('t', open));
    await system.run(there.execute('t', shut));
    expect(await system.run(here.execute('t', open))).toMatchObject({ kind: 'won', events: [{ type: 'Opened', version: 3 }] });
    expect(await system.run(there.execute('t', shut))).toMatchObject({ kind: 'won', events: [{ type: 'Shut', version: 4 }] });
    expect(await system.run(here.execute('t', shut))).toMatchObject({ kind: 'won', events: [], snapshot: { version: 4 } });
  });

  it('S23 decides nothing by what an earlier unit of the same batch would have written, had it won', async () => {
    const { system, bus } = setUp();
    const slowly = [
      { of: 'commit', nth: 3, kind: 'slow' },
      { of: 'stream', nth: 3, kind: 'lag' },
    ] as const;
    const [here, there] = [bus('here', { faults: slowly }), bus('there')];
    await system.run(here.execute('t', open));
    await system.run(here.execute('u', open));
    await system.run(there.execute('t', shut));
    // Over its old picture the second is refused, so it reads; a slow commit is on its way meanwhile.
    const other = here.execute('u', shut);
    const second = here.execute('t', open);
    await system.advance(10);
    const first = here.publish({ stream: 't', type: 'Opened', data: {}, expected: 2 }).catch(({ code }) => code);
    await system.run(there.execute('t', open));
    await system.run(there.execute('t', shut));
    await system.run(other);
    expect(await system.run(first)).toBe('VERSION_CONFLICT');
    expect(await system.run(second)).toMatchObject({ kind: 'won', events: [{ version: 5 }] });
  });

  it('publishes at the version that is asked for, whoever wrote the ones before', async () => {
    const { system, bus } = setUp();
    const [here, there] = [bus('here'), bus('there')];
    await system.run(here.publish({ stream: 't', type: 'Opened', data: {}, expected: 'none' }));
    await system.run(there.publish({ stream: 't', type: 'Shut', data: {}, expected: 1 }));
    expect(await system.run(here.publish({ stream: 't', type: 'Opened', data: {}, expected: 2 }))).toMatchObject({ version: 3 });
    await expect(system.run(there.publish({ stream: 't', type: 'Shut', data: {}, expected: 2 }))).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
    });
  });
});
