import { describe, it } from 'vitest';
import { createOrders, isLeft } from '../../src/index.ts';
import { sqliteStore } from '../../src/stores/sqlite/index.ts';
import { keep } from './keeper.ts';
import { MAX_ATTEMPTS, poisonedSaga } from './roles/poisoned-saga.ts';
import { openWorkplace, until } from './workplace.ts';

const items = [{ sku: 'a', quantity: 1, unitPriceMinor: 100 }];
const GOOD = Array.from({ length: 9 }, (_, index) => `good ${index + 1}`);

describe('a delivery that ends its process every time', () => {
  it.concurrent.for([1, 3])(
    'R4 R5 is dead after at most maxAttempts + 2 starts, and nine neighbours lose no attempt, with %i workers',
    { timeout: 60_000 },
    async (workers, { expect, onTestFinished }) => {
      const place = await openWorkplace(onTestFinished);
      const orders = createOrders({ store: sqliteStore({ path: place.database }), saga: poisonedSaga({ pay: async () => undefined }) });
      onTestFinished(() => orders.close());
      const ids = new Map<string, string>();
      for (const customerId of [...GOOD.slice(0, 5), 'poison', ...GOOD.slice(5)]) {
        const placed = await orders.place({ customerId, currency: 'EUR', items });
        if (isLeft(placed)) throw new Error(placed.left.message);
        ids.set(customerId, placed.right.orderId);
      }
      const idOf = (customerId: string): string => ids.get(customerId) ?? '';

      const crew = Array.from({ length: workers }, (_, index) =>
        keep(
          { name: `worker ${index + 1}`, file: 'tests/crash/roles/poisoned-worker.ts', env: place.env },
          /^worker ready$/,
          (ending) => ending === 'SIGKILL',
        ),
      );
      await until('the poison is dead and all others are confirmed', async () => {
        const statuses = await Promise.all([...ids.values()].map(async (id) => (await orders.get(id))?.status));
        return statuses.filter((status) => status === 'confirmed').length === GOOD.length && statuses.includes('stalled');
      });
      const endings = await Promise.all(crew.map((one) => one.stop()));
      expect(endings).toEqual(crew.map(() => 0));
      expect(crew.flatMap(({ surprises }) => surprises)).toEqual([]);

      const marks = await place.marks<{ customerId: string; attempt: number }>();
      const starts = marks.filter(({ customerId }) => customerId === 'poison').length;
      expect(starts).toBeGreaterThanOrEqual(MAX_ATTEMPTS);
      expect(starts).toBeLessThanOrEqual(MAX_ATTEMPTS + 2);
      expect(crew.reduce((sum, one) => sum + one.starts, 0)).toBe(starts + workers);

      const [letter] = (await orders.deadLetters.list()).deadLetters;
      const details = await orders.deadLetters.get(letter?.id ?? '');
      expect(details?.history.map(({ attempt, error }) => [attempt, error.code])).toEqual(
        Array.from({ length: MAX_ATTEMPTS }, (_, index) => [index + 1, 'CRASHED']),
      );
      for (const customerId of GOOD) {
        const timeline = await orders.timeline(idOf(customerId));
        expect(
          timeline.filter(({ kind }) => kind === 'attempt'),
          customerId,
        ).toEqual([]);
        expect(marks.filter((mark) => mark.customerId === customerId).every(({ attempt }) => attempt === 1)).toBe(true);
      }

      await orders.deadLetters.discard({ ids: [letter?.id ?? ''] }, { by: 'ops', reason: 'it kills' });
      expect((await orders.get(idOf('poison')))?.status).toBe('cancelled');
    },
  );
});
