import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import { createSqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';
import { system } from '../../src/system.ts';
import { temporaryFile } from './sqlite-files.ts';

type Events = { Sold: { readonly amountMinor: number } };

it('a view on one file, changed over two connections and rebuilt meanwhile, counts every event exactly once', async () => {
  const path = await temporaryFile();
  const member = () => {
    const bus = createEventBus<Events>(system, { store: createSqliteStore({ path }, system) });
    const view = bus.project<number>('sales', {
      types: ['Sold'],
      batch: 20,
      handle: async (events, draft) => {
        for (const { stream, data } of events)
          for (const key of [stream, 'all']) draft.set(key, ((await draft.get(key)) ?? 0) + data.amountMinor);
      },
    });
    return { bus, view };
  };
  const [first, second] = [member(), member()];
  for (const { bus } of [first, second]) await bus.start({ leaseMs: 1000 });
  const publish = (from: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: 400 }, (_, index) =>
        first.bus.publish({ stream: `s${index % 20}`, type: 'Sold', data: { amountMinor: from + index } }),
      ),
    );
  await publish(0);
  await second.view.rebuild({ by: 'op', reason: 'test' });
  await publish(400);
  while (!(await second.view.progress()).caughtUp) await sleep(20);
  expect(await first.view.get('all')).toBe((799 * 800) / 2);
  const { rows } = await second.view.list({ prefix: 's' });
  expect(rows).toHaveLength(20);
  expect(rows.reduce((sum, { row }) => sum + row, 0)).toBe((799 * 800) / 2);
  for (const { bus } of [first, second]) await bus.close();
});
