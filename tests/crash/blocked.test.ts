import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'vitest';
import { EventBus } from '../../src/index.ts';
import { sqliteStore } from '../../src/stores/sqlite/index.ts';
import { startPaymentServer } from '../support/payment-server.ts';
import { startChild } from './child.ts';
import { openWorkplace, until } from './workplace.ts';

const file = 'tests/crash/roles/blocking-worker.ts';

describe('a handler that blocks its process beyond the lease', () => {
  it.concurrent.for(['blocks', 'blocks, then fails'] as const)(
    'R11 R12 is overtaken, and what it reports too late changes nothing: %s',
    { timeout: 120_000 },
    async (how, { expect, onTestFinished }) => {
      const place = await openWorkplace(onTestFinished);
      const services = await startPaymentServer();
      onTestFinished(() => services.close());
      const bus = EventBus.create({ store: sqliteStore({ path: place.database }) });
      onTestFinished(() => bus.close());
      await bus.publish({ stream: 'a', type: 'Asked', data: { how } });
      const free = path.join(place.folder, 'free');
      const env = { ...place.env, SERVICES_URL: services.url, BLOCKED_UNTIL: free };
      const blocked = startChild({ name: 'blocked', file, env: { ...env, BLOCKS: 'yes' } });
      await until('it is asked', async () => (await place.marks()).length === 1);
      const other = startChild({ name: 'other', file, env: { ...env, BLOCKS: 'no' } });
      await other.line(/^worker ready$/);
      const charged = await until('the other takes over', async () => (await bus.events('a')).find(({ type }) => type === 'Charged'));
      expect(charged.data).toEqual({ by: other.process.pid });

      // By now it has been overtaken; it wakes up, reports, and goes on with other streams as if nothing had been.
      await writeFile(free, '');
      await blocked.line(/^lost charge/);
      await Promise.all(
        Array.from({ length: 20 }, (_, index) => bus.publish({ stream: `b${index}`, type: 'Asked', data: { how: 'well' } })),
      );
      const streams = ['a', ...Array.from({ length: 20 }, (_, index) => `b${index}`)];
      await until('all is handled', async () => {
        const all = await Promise.all(streams.map((stream) => bus.events(stream)));
        return all.every((events) => events.length >= 2);
      });
      const endings = await Promise.all(
        [blocked, other].map((child) => {
          child.process.kill('SIGTERM');
          return child.ended;
        }),
      );
      expect(endings).toEqual([0, 0]);

      for (const stream of streams) {
        expect((await bus.events(stream)).map(({ type, version }) => `${version} ${type}`)).toEqual(['1 Asked', '2 Charged']);
      }
      expect((await bus.deadLetters.list()).deadLetters).toEqual([]);
      const records = await bus.parkedOf('a', 'all');
      expect(records).toMatchObject([{ state: 'done', attempts: 0, lostStarts: 1 }]);
      expect(services.books.calls.filter(({ key }) => key === 'a@1:charge')).toHaveLength(2);
      expect([...services.books.charges.keys()].sort()).toEqual(streams.map((stream) => `${stream}@1:charge`).sort());
      expect(new Set((await place.marks()).map(({ pid }) => pid)).size, 'the blocked one works again').toBe(2);
    },
  );
});
