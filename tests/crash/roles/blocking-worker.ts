import { existsSync } from 'node:fs';
import { EventBus } from '../../../src/index.ts';
import { sqliteStore } from '../../../src/stores/sqlite/index.ts';
import { LEASE_MS, leaveMark, told, work } from './role.ts';

/** Until somebody says so, with nothing in between: neither timers nor renewals get a turn. */
const block = (): void => {
  while (!existsSync(told('BLOCKED_UNTIL')));
};

const bus = EventBus.create<{ Asked: { how: 'well' | 'blocks' | 'blocks, then fails' }; Charged: { by: number } }>({
  store: sqliteStore({ path: told('DATABASE') }),
});
const blocks = told('BLOCKS') === 'yes';

bus.subscribe('charge', {
  start: 'beginning',
  on: {
    Asked: async ({ data: { how }, effectKey }) => {
      await fetch(`${told('SERVICES_URL')}/charges`, {
        method: 'POST',
        headers: { 'idempotency-key': effectKey },
        body: '{"amountMinor":1}',
      });
      leaveMark({ effectKey });
      if (blocks && how !== 'well') block();
      if (blocks && how === 'blocks, then fails') throw new Error('too late to fail');
      return [{ type: 'Charged', data: { by: process.pid } }];
    },
  },
});
await work({ start: () => bus.start({ leaseMs: LEASE_MS }), close: bus.close, on: bus.on });
