import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { audit } from '../../src/testing/audit.ts';
import { recordRun } from '../../src/testing/record-run.ts';
import type { Invariant } from '../../src/testing/recorded-run.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { confirmed } from './support/runs.ts';

describe('recording a run', () => {
  it('reads every stream and every parked delivery of a store, however many pages they are', async () => {
    const system = virtualSystem();
    const store = createMemoryStore(system, 1);
    const bus = createEventBus(system, { store });
    bus.subscribe('mail', {
      on: { Even: async () => Promise.reject(new Error('503')) },
      retry: RetryPolicy.never(),
      onDead: 'continue',
    });
    await system.run(bus.start());
    for (let n = 0; n < 1_200; n += 1) await bus.publish({ stream: `s${n % 70}`, type: n % 2 === 0 ? 'Even' : 'Odd', data: { n } });
    await system.advance(60_000);
    const run = await recordRun(store, { stage: 'quiet' });
    expect([...run.streams.values()].flat()).toHaveLength(1_200);
    expect(run.streams.size).toBe(70);
    expect(run.parked).toHaveLength(600);
    const { checked, violations } = audit(run);
    expect(violations).toEqual([]);
    expect(checked).toMatchObject({ S5: 0, S16: 70, R1: 600, R3: 600, R24: 600 });
    await system.run(bus.close());
  });

  it('finds the dead timers of streams that have no event', async () => {
    const system = virtualSystem();
    const store = createMemoryStore(system, 1);
    const bus = createEventBus(system, { store });
    await bus.schedule({ stream: 'later', type: 'A', data: 1 }, { delayMs: 1 }, { name: 'a' });
    const [timer] = await store.parkedOf('later', 'all');
    if (timer === undefined) throw new Error('nothing was scheduled');
    const unit = { park: [{ record: { ...timer, state: 'dead' as const }, expect: timer.revision }] };
    await store.commit({ owner: 'o', id: 'b', units: [unit], progress: [] });
    expect((await recordRun(store)).parked).toMatchObject([{ stream: 'later', state: 'dead' }]);
    await system.run(bus.close());
  });

  it('says that it runs, that nobody kept its effects and that no clock was set, unless it is told otherwise', async () => {
    const store = createMemoryStore(virtualSystem(), 1);
    expect(await recordRun(store)).toEqual({ streams: new Map(), parked: [], effects: [], stage: 'running', clockWasSet: false });
  });
});

describe("an audit with invariants of one's own", () => {
  it('looks with them alone, or beside those of the library', () => {
    const own: Invariant = {
      id: 'vip',
      says: 'every order is of a VIP',
      check: ({ streams }) => [...streams.keys()].map((orderId) => ({ orderId, text: 'is not' })),
    };
    expect(audit(confirmed(), [own])).toEqual({ checked: { vip: 1 }, violations: [{ invariant: 'vip', orderId: 'o', text: 'is not' }] });
  });

  it('takes as long for a thousand orders as a thousand times one, within reason', () => {
    const [events = []] = confirmed().streams.values();
    const run = (n: number) => ({
      ...confirmed({ effects: [] }),
      streams: new Map(
        Array.from({ length: n }, (_, at) => [
          `o${at}`,
          events.map((event) => ({ ...event, stream: `o${at}`, data: event.data.replaceAll('"o', `"o${at}`) })),
        ]),
      ),
    });
    const timed = (n: number): number => {
      const runs = Array.from({ length: Math.ceil(1_000 / n) }, () => run(n));
      const began = process.cpuUsage().user;
      for (const one of runs) expect(audit(one).violations).toEqual([]);
      return (process.cpuUsage().user - began) / (runs.length * n);
    };
    timed(20);
    const few = timed(20);
    expect(timed(1_000)).toBeLessThan(8 * few);
  });
});
