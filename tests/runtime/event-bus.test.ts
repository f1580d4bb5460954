import { describe, expect, it } from 'vitest';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

type Events = { Registered: { name: string }; Left: { why: string } };

describe('event bus', () => {
  it('delivers what was published, in version order per stream', async () => {
    const system = virtualSystem();
    const store = createMemoryStore(system);
    const bus = createEventBus<Events>(system, { store });
    const seen: string[] = [];
    bus.subscribe('mail', { on: { Registered: ({ data, version }) => void seen.push(`${data.name}${version}`) } });
    await system.run(
      (async () => {
        for (const name of ['a', 'b', 'c']) await bus.publish({ stream: 's', type: 'Registered', data: { name } });
        await bus.start();
      })(),
    );
    await system.advance(1000);
    expect(seen).toEqual(['a1', 'b2', 'c3']);
    await system.run(bus.close());
    expect(system.pending).toBe(0);
  });

  it('retries by the policy, then dead-letters, holds the later ones and runs them in order after a redrive', async () => {
    const system = virtualSystem();
    const store = createMemoryStore(system);
    const bus = createEventBus<Events>(system, { store });
    const seen: string[] = [];
    let broken = true;
    bus.subscribe('mail', {
      on: {
        Registered: ({ data, attempt, generation }) => {
          seen.push(`${data.name}.${generation}.${attempt}`);
          if (broken && data.name === 'a') throw new Error('no');
        },
      },
      retry: RetryPolicy.fixed({ delayMs: 100 }).maxAttempts(3),
    });
    await system.run(
      (async () => {
        await bus.start();
        for (const name of ['a', 'b', 'c']) await bus.publish({ stream: 's', type: 'Registered', data: { name } });
        await bus.publish({ stream: 'other', type: 'Registered', data: { name: 'o' } });
      })(),
    );
    await system.advance(5000);
    expect(seen.toSorted()).toEqual(['a.0.1', 'a.0.2', 'a.0.3', 'o.0.1']);
    const { deadLetters } = await system.run(bus.deadLetters.list());
    expect(deadLetters).toMatchObject([{ id: 'mail:s@1', attempts: 3, subscription: 'mail' }]);
    broken = false;
    await system.run(bus.deadLetters.redrive({ filter: {} }, { by: 'op', reason: 'fixed' }));
    await system.advance(5000);
    expect(seen.slice(4)).toEqual(['a.1.1', 'b.0.1', 'c.0.1']);
    await system.run(bus.close());
    expect(system.pending).toBe(0);
  });
});
