import { describe, expect, it } from 'vitest';
import type { Message, Received, Transport } from '../../src/core/transport.ts';
import { transportSuite } from '../../src/testing/conformance/transport-suite.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { createMemoryTransport } from '../../src/transports/memory/memory-transport.ts';
import { IN_MEMORY } from './gaps.ts';

const system = virtualSystem();

transportSuite(
  { describe, it },
  'memory',
  async () => {
    const transport = createMemoryTransport(system);
    return { transport, another: async () => transport.another(), close: () => transport.close() };
  },
  IN_MEMORY,
);

const numbered = (from: number, to: number): Message[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ id: `a@${from + i}`, stream: 'a', shard: 0, type: 'T', body: String(from + i) }));

const firstBatch = async (transport: Transport, subscription: string): Promise<readonly Received[]> => {
  for await (const batch of transport.receive(subscription, [0], new AbortController().signal)) {
    for (const { ack } of batch) ack();
    return batch;
  }
  throw new Error('the receiver ended');
};

describe('the memory of a memory transport', () => {
  it('R27 is bounded: a shard that is full of what somebody has not acked answers BUSY and publishes nothing of the batch', async () => {
    const transport = createMemoryTransport(system, { keep: 4 });
    await transport.open({ subscriptions: ['mail', 'stock'], shards: 2 });
    await transport.publish(numbered(1, 4));
    const busy = { code: 'BUSY', retryable: true };
    await expect(transport.publish(numbered(5, 5))).rejects.toMatchObject(busy);
    expect(await firstBatch(transport, 'mail')).toHaveLength(4);
    await expect(transport.publish([{ ...numbered(9, 9)[0], shard: 1 } as Message, ...numbered(5, 5)])).rejects.toMatchObject(busy);
    expect(await firstBatch(transport, 'stock')).toHaveLength(4);
    await transport.publish(numbered(5, 7));
    expect((await firstBatch(transport, 'mail')).map(({ body }) => body)).toEqual(['5', '6', '7']);
  });

  it('is not used up by what nobody subscribes to, and forgets the oldest first', async () => {
    const transport = createMemoryTransport(system, { keep: 3 });
    for (let i = 1; i <= 50; i += 1) await transport.publish(numbered(i, i));
    await transport.open({ subscriptions: ['late'], shards: 1 });
    expect((await firstBatch(transport, 'late')).map(({ body }) => body)).toEqual(['48', '49', '50']);
  });

  it('refuses a subscription that was never opened, and options out of range', async () => {
    const transport = createMemoryTransport(system);
    await expect(firstBatch(transport, 'nobody')).rejects.toMatchObject({ code: 'CONFIG' });
    expect(() => createMemoryTransport(system, { keep: 0 })).toThrow(/memoryTransport: expected keep to be a whole number of at least 1/);
  });

  it('lets a busy shard keep no other waiting', async () => {
    const transport = createMemoryTransport(system);
    await transport.open({ subscriptions: ['mail'], shards: 2 });
    await transport.publish([...numbered(1, 2000), { ...numbered(1, 1)[0], id: 'b@1', shard: 1, body: 'quiet' } as Message]);
    let pulls = 0;
    for await (const batch of transport.receive('mail', [0, 1], new AbortController().signal)) {
      pulls += 1;
      if (batch.some(({ body }) => body === 'quiet')) break;
    }
    expect(pulls).toBeLessThanOrEqual(2);
  });

  it('ignores an ack that comes after its receiver has ended, so that a double shows what a broker may do', async () => {
    const transport = createMemoryTransport(system);
    await transport.open({ subscriptions: ['mail'], shards: 1 });
    await transport.publish(numbered(1, 1));
    const stop = new AbortController();
    const pulled = await transport.receive('mail', [0], stop.signal)[Symbol.asyncIterator]().next();
    stop.abort();
    for (const { ack } of pulled.done === true ? [] : pulled.value) ack();
    expect((await firstBatch(transport, 'mail')).map(({ body }) => body)).toEqual(['1']);
  });
});
