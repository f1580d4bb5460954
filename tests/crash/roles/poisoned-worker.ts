import { setTimeout as sleep } from 'node:timers/promises';
import { createOrders } from '../../../src/index.ts';
import { sqliteStore } from '../../../src/stores/sqlite/index.ts';
import { poisonedSaga } from './poisoned-saga.ts';
import { LEASE_MS, leaveMark, told, work } from './role.ts';

const saga = poisonedSaga({
  async pay(customerId, attempt) {
    leaveMark({ customerId, attempt });
    // The good ones are on their way when it ends.
    await sleep(customerId === 'poison' ? 30 : 60);
    if (customerId === 'poison') process.kill(process.pid, 'SIGKILL');
  },
});
const orders = createOrders({ store: sqliteStore({ path: told('DATABASE') }), saga });
const worker = orders.worker({ leaseMs: LEASE_MS });
await work({ start: worker.start, close: orders.close, on: orders.on });
