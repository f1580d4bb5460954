import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { EventBus } from '../../src/index.ts';
import { sqliteStore } from '../../src/stores/sqlite/index.ts';
import { WELL } from './careless-services.ts';
import { beginDay } from './day.ts';
import { reportOn } from './report.ts';
import { OPERATOR } from './shop-client.ts';
import { until } from './workplace.ts';

const FROZEN_MS = 7000;

interface Damage {
  readonly name: string;
  readonly data: (text: string) => string;
  readonly schema?: number;
  /** Dead at once; waiting for code that knows it; or settled all the same, as steps go by the folded order. */
  readonly becomes: 'dead' | 'waiting' | 'settled';
}

const DAMAGES: readonly Damage[] = [
  { name: 'is cut off', data: (text) => text.slice(0, 20), becomes: 'dead' },
  { name: 'has a NUL in it', data: (text) => text.replace('{', '{\0'), becomes: 'dead' },
  { name: 'is nested 5,000 deep', data: () => '['.repeat(5000) + ']'.repeat(5000), becomes: 'settled' },
  { name: 'is another thing', data: () => 'null', becomes: 'settled' },
  { name: 'is of a newer schema', data: (text) => text, schema: 99, becomes: 'waiting' },
];

/** What no code here knows, under names that are traps. */
const FOREIGN = [
  { stream: "x'; drop table events;--", type: 'constructor' },
  { stream: '__proto__', type: '__proto__' },
  { stream: 'a%_\\\u202e', type: 'toString' },
  { stream: 'plain', type: 'NobodyKnowsThis' },
] as const;

it('R18 R23 rows that nobody can read become dead letters with their bytes, hold up no other order and end no process, and go on when repaired', {
  timeout: 240_000,
}, async ({ onTestFinished }) => {
  const env = { ORDER_DEADLINE_MS: '600000' };
  const day = await beginDay({ seed: 9, ordersPerSecond: 40, workers: 3, leaseMs: 2500, views: true, env });
  onTestFinished(day.forget);
  day.services.behave({ ...WELL, script: undefined });
  const { shop, load } = day;
  const { client, database } = shop;
  const bus = EventBus.create({ store: sqliteStore({ path: database }) });
  onTestFinished(() => bus.close());

  // Nobody works while the rows are damaged.
  const frozen = Promise.all(shop.workers.map((worker) => worker.freeze(FROZEN_MS)));
  const before = load.accepted.size;
  await until('orders have been placed meanwhile', async () => load.accepted.size > before + 20);
  for (const { stream, type } of FOREIGN) await bus.publish({ stream, type, data: { text: '\0', is: type } });
  const fresh = [...load.accepted.values()].slice(before + 5);
  const damaged = DAMAGES.map((damage, index) => ({ ...damage, orderId: fresh[index]?.orderId ?? '' }));
  const db = new DatabaseSync(database, { timeout: 5000 });
  onTestFinished(() => db.close());
  const row = "stream = (SELECT id FROM streams WHERE stream = ?) AND type = 'InventoryRequested'";
  const asWritten = new Map<string, string>();
  for (const { orderId, data, schema = 1 } of damaged) {
    const text = String(db.prepare(`SELECT data FROM events WHERE ${row}`).get(orderId)?.data);
    asWritten.set(orderId, text);
    db.prepare(`UPDATE events SET data = ?, schema = ? WHERE ${row}`).run(data(text), schema, orderId);
  }
  expect(await frozen).toEqual([true, true, true]);
  await until('enough other orders are in', async () => load.accepted.size >= 200, 60_000);
  await load.end(30_000);

  const letterOf = async (orderId: string) => {
    const letters = (await client.once('GET', `/dead-letters?orderId=${orderId}`))?.body?.deadLetters ?? [];
    return letters.find(({ type }: { readonly type: string }) => type === 'InventoryRequested');
  };
  const statusOf = async (orderId: string) => (await client.once('GET', `/orders/${orderId}`))?.body?.status;
  for (const { name, orderId, data, becomes } of damaged) {
    if (becomes === 'settled')
      await until(`what ${name} is settled`, async () => /confirmed|cancelled/.test(await statusOf(orderId)), 60_000);
    if (becomes === 'dead') {
      const { id } = await until(`what ${name} is dead`, () => letterOf(orderId), 60_000);
      const letter = await client.once('GET', `/dead-letters/${encodeURIComponent(id)}`);
      expect(letter?.body.raw).toBe(data(asWritten.get(orderId) ?? ''));
      expect(letter?.body.attempts).toBe(1);
    }
    for (const of of ['/events', '/timeline'])
      expect((await client.once('GET', `/orders/${orderId}${of}`))?.status, `${of} of what ${name}`).toBe(200);
  }
  const waiting = damaged.filter(({ becomes }) => becomes === 'waiting');
  for (const { orderId } of waiting) expect(await letterOf(orderId), 'newer code is waited for').toBeUndefined();

  for (const { orderId } of damaged)
    db.prepare(`UPDATE events SET data = ?, schema = 1 WHERE ${row}`).run(asWritten.get(orderId) ?? '', orderId);
  const redriven = await client.once('POST', '/dead-letters/redrive', { filter: { type: 'InventoryRequested' }, ...OPERATOR });
  expect(redriven?.body.redriven).toBeGreaterThanOrEqual(damaged.filter(({ becomes }) => becomes === 'dead').length);
  await bus.close();
  const { faults, text } = await reportOn(await day.end());
  expect(faults, text).toEqual([]);
});
