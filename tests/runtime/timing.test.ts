import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import type { StreamModel } from '../../src/runtime/model.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { createCluster } from '../../src/testing/simulation/cluster.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { busCluster } from '../support/bus-cluster.ts';

/** Rings a second after it was set, unless it is stopped; what it wakes runs at once. */
const alarm: StreamModel<{ readonly rang: number }> = {
  fingerprint: 'alarm 1',
  fold: (events, from) => ({ rang: (from?.rang ?? 0) + events.filter(({ type }) => type === 'Rang').length }),
  status: ({ rang }) => `rang ${rang}`,
  consequences: (events) => ({
    timers: events.some(({ type }) => type === 'Set') ? [{ name: 'bell', delayMs: 1000 }] : [],
    dropTimers: events.some(({ type }) => type === 'Stopped') ? ['bell'] : [],
    wake: events.some(({ type }) => type === 'Woken') ? ['mail:s@1'] : [],
  }),
  onTimer: () => () => E.right([{ type: 'Rang', data: {} }]),
};

type Events = { Set: object; Stopped: object; Rang: object; Woken: object; Busy: object };

/** One process, told of nobody's commits: what it sets and wakes itself it has to know. */
const setUp = (handle: () => unknown = () => {}) => {
  const system = virtualSystem();
  const process = createCluster(system, createMemoryStore(system, 1)).process('w');
  const bus = createEventBus<Events, { readonly rang: number }>(process.system, { store: process.store, model: alarm });
  bus.subscribe('mail', {
    on: { Set: () => handle() as never, Busy: () => new Promise((done) => void system.setTimer(50_000, () => done())) },
    retry: RetryPolicy.fixed({ delayMs: 50_000 }),
    timeoutMs: 100_000,
  });
  const happens = (type: keyof Events) => system.run(bus.execute('s', () => E.right([{ type, data: {} }])));
  return { system, bus, happens };
};

describe('timing', () => {
  it('S18 a timer set by the process itself fires once, no earlier than due and 60 ms late at most', async () => {
    const { system, bus, happens } = setUp();
    await system.run(bus.start({ leaseMs: 3_600_000 }));
    await system.advance(5000);
    await happens('Set');
    await system.advance(999);
    expect((await system.run(bus.state('s'))).state).toEqual({ rang: 0 });
    await system.advance(60);
    expect((await system.run(bus.state('s'))).state).toEqual({ rang: 1 });
    await system.advance(100_000);
    expect((await system.run(bus.state('s'))).state).toEqual({ rang: 1 });
  });

  it('S19 a timer that was called off never fires', async () => {
    const { system, bus, happens } = setUp();
    await system.run(bus.start());
    await happens('Set');
    await system.advance(900);
    await happens('Stopped');
    await system.advance(100_000);
    expect((await system.run(bus.events('s'))).map(({ type }) => type)).toEqual(['Set', 'Stopped']);
  });

  it('a retry that is woken by the process itself runs at once', async () => {
    let starts = 0;
    const { system, bus, happens } = setUp(() => {
      starts += 1;
      if (starts === 1) throw new Error('no');
    });
    await system.run(bus.start({ leaseMs: 3_600_000 }));
    await happens('Set');
    await system.advance(5000);
    expect(starts).toBe(1);
    await happens('Woken');
    await system.advance(60);
    expect(starts).toBe(2);
  });

  it('a delivery that is woken while it waits in its lane is not forgotten', async () => {
    let starts = 0;
    const { system, bus, happens } = setUp(() => {
      starts += 1;
      if (starts === 1) throw new Error('no');
    });
    await system.run(bus.start({ leaseMs: 3_600_000, concurrency: 1 }));
    await happens('Set');
    await system.advance(10_000);
    await system.run(bus.execute('long', () => E.right([{ type: 'Busy', data: {} }])));
    // Its time comes while the only slot is taken, and so does the wake.
    await system.advance(45_000);
    await happens('Woken');
    await system.advance(10_000);
    expect(starts).toBe(2);
  });

  it('R13 a handler that takes ten leases is neither aborted nor started again, as long as they are renewed', async () => {
    let aborted = false;
    const { system, member, publish, starts } = busCluster({
      mail: {
        handle: ({ signal }, process) => {
          signal.addEventListener('abort', () => {
            aborted = true;
          });
          return process.sleep(10_000);
        },
      },
    });
    await member('w1').work({ leaseMs: 1000 });
    await publish('s', 'a');
    await member('w2').work({ leaseMs: 1000 });
    await system.advance(30_000);
    expect(starts).toEqual(['mail:a.0.1']);
    expect(aborted).toBe(false);
  });

  it('R3 a handler that outlives its time has failed, whatever it does afterwards', async () => {
    const codes: string[] = [];
    const { system, witness, member, publish, starts } = busCluster({
      mail: {
        handle: async ({ signal, attempt }, process) => {
          if (attempt > 1) return undefined;
          await process.sleep(500);
          codes.push((signal.reason as { code: string }).code);
          return [{ type: 'Other' as const, data: {} }];
        },
        timeoutMs: 200,
        retry: RetryPolicy.fixed({ delayMs: 50 }).maxAttempts(2),
      },
    });
    await member('w').work();
    await publish('s', 'a');
    await system.advance(5000);
    expect(codes).toEqual(['HANDLER_TIMEOUT']);
    expect(starts).toEqual(['mail:a.0.1', 'mail:a.0.2']);
    expect(witness.events.get('s')).toHaveLength(1);
  });
});
