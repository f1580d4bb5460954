import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import type { DeadLetterOptions } from '../../src/runtime/upkeep.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

const HOUR_MS = 3_600_000;
const audit = { by: 'op', reason: 'seen to' };

/** What is called `bad` fails while the world is broken. */
const setUp = (deadLetters?: DeadLetterOptions) => {
  const system = virtualSystem();
  const base = createMemoryStore(system, 1);
  const pruned: number[] = [];
  const store = {
    ...base,
    async prune(olderThanMs: number, limit: number) {
      const removed = await base.prune(olderThanMs, limit);
      pruned.push(removed);
      return removed;
    },
  };
  const state = { broken: true };
  const handled: string[] = [];
  const alarms: { readonly at: number; readonly dead: number; readonly subscription: string }[] = [];
  const bus = createEventBus<{ Did: { name: string } }>(system, { store, deadLetters });
  bus.on('deadLetterAlarm', ({ subscription, dead }) => void alarms.push({ at: system.now(), subscription, dead }));
  bus.subscribe('mail', {
    on: {
      Did: ({ data: { name } }) => {
        if (state.broken && name.startsWith('bad')) throw new Error('no');
        handled.push(name);
      },
    },
    retry: RetryPolicy.immediately().maxAttempts(1),
  });
  const publish = async (name: string, howMany: number) => {
    const all = Array.from({ length: howMany }, (_, n) =>
      bus.publish({ stream: `${name}${n}`, type: 'Did', data: { name: `${name}${n}` } }),
    );
    await system.run(Promise.all(all));
    await system.advance(20_000);
  };
  return { system, base, bus, state, handled, alarms, pruned, publish };
};

describe('the upkeep of dead letters', () => {
  it('tells once when a subscription has too many of them, and again only after they were fewer', async () => {
    const { system, bus, state, alarms, publish } = setUp({ alarmAt: 5 });
    await system.run(bus.start());
    await publish('bad-a', 4);
    expect(alarms).toEqual([]);
    await publish('bad-b', 3);
    await publish('bad-c', 30);
    expect(alarms).toMatchObject([{ subscription: 'mail', dead: 7 }]);
    state.broken = false;
    await system.run(bus.deadLetters.redrive({ filter: {} }, audit));
    await system.advance(20_000);
    state.broken = true;
    await publish('bad-d', 6);
    expect(alarms).toMatchObject([{ dead: 7 }, { dead: 6 }]);
    await system.run(bus.close());
  });

  it('R18 R21 stops nothing and removes nothing that is open, however full the table of dead letters is', async () => {
    const { system, bus, handled, alarms, publish } = setUp({ alarmAt: 1, keepClosedMs: 0 });
    await system.run(bus.start());
    await publish('bad', 3000);
    await system.advance(3 * HOUR_MS);
    expect(alarms).toHaveLength(1);
    expect((await system.run(bus.counts())).subscriptions.mail?.dead).toBe(3000);
    await publish('good', 500);
    expect(handled).toHaveLength(500);
    await publish('bad', 10);
    expect((await system.run(bus.counts())).subscriptions.mail?.dead).toBe(3000);
    await system.run(bus.close());
  });

  it('removes what has been closed long enough, in small pages, and nothing sooner', async () => {
    const { system, base, bus, state, pruned, publish } = setUp({ keepClosedMs: 5 * HOUR_MS });
    await system.run(bus.start());
    await publish('bad', 1200);
    state.broken = false;
    await system.run(bus.deadLetters.redrive({ filter: {} }, audit));
    await system.advance(4 * HOUR_MS);
    expect(await system.run(bus.deadLetters.get('mail:bad7@1'))).toMatchObject({ state: 'done' });
    expect(pruned.every((removed) => removed === 0)).toBe(true);
    await system.advance(2 * HOUR_MS);
    expect(await system.run(bus.deadLetters.get('mail:bad7@1'))).toBeNull();
    expect(await base.parkedOf('bad7', 'all')).toEqual([]);
    expect(pruned.filter((removed) => removed > 0)).toEqual([500, 500, 200]);
    expect(pruned.length).toBeLessThan(12);
    await system.run(bus.close());
  });

  it('takes only options it knows', () => {
    for (const wrong of [{ alarmAt: 0 }, { keepClosedMs: -1 }, { keepMs: 1 }, []])
      expect(() => setUp(wrong as DeadLetterOptions)).toThrow(/deadLetters: expected/);
  });
});
