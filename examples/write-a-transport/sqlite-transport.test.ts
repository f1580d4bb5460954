import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Message, type Transport, transportSuite } from 'orderfold/testing';
import { describe, expect, it } from 'vitest';
import { sqliteTransport } from './sqlite-transport.ts';

transportSuite({ describe, it }, 'SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sqlite-transport-'));
  const path = join(folder, 'log.db');
  const opened: Transport[] = [];
  const another = async () => {
    const transport = sqliteTransport({ path });
    opened.push(transport);
    return transport;
  };
  const closeAll = () => Promise.all(opened.map((one) => one.close()));
  const restart = () => closeAll().then(another);
  // A file is never away, but another program may hold its lock.
  const outage = async (during: () => Promise<void>) => {
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    await during().finally(() => other.close());
  };
  const close = () => closeAll().then(() => rm(folder, { recursive: true }));
  return { transport: await another(), another, restart, outage, close };
});

const numbered = (from: number, to: number): Message[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ id: `a@${from + i}`, stream: 'a', shard: 0, type: 'T', body: String(from + i) }));

/** Acks the first batch, and tells what was in it. */
const firstBatch = async (transport: Transport, subscription: string): Promise<string[]> => {
  for await (const batch of transport.receive(subscription, [0], new AbortController().signal)) {
    for (const { ack } of batch) ack();
    return batch.map(({ body }) => body);
  }
  throw new Error('the receiver ended');
};

it('keeps what somebody has not acked and the newest besides, and takes no more than that', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sqlite-transport-'));
  const transport = sqliteTransport({ path: join(folder, 'log.db'), keep: 4 });
  try {
    await transport.open({ subscriptions: ['mail', 'stock'], shards: 1 });
    await transport.publish(numbered(1, 4));
    expect(await firstBatch(transport, 'mail')).toEqual(['1', '2', '3', '4']);
    await expect(transport.publish(numbered(4, 5))).rejects.toMatchObject({ code: 'BUSY', retryable: true });
    await transport.publish(numbered(1, 4));
    expect(await firstBatch(transport, 'stock')).toEqual(['1', '2', '3', '4']);
    await transport.publish(numbered(4, 6));
    expect(await firstBatch(transport, 'mail')).toEqual(['5', '6']);
    await transport.open({ subscriptions: ['late'], shards: 1 });
    expect(await firstBatch(transport, 'late')).toEqual(['3', '4', '5', '6']);
  } finally {
    await transport.close();
    await rm(folder, { recursive: true });
  }
});
