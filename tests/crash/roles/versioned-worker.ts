import { httpServices } from '../../../examples/services/http.ts';
import { createOrders } from '../../../src/index.ts';
import { sqliteStore } from '../../../src/stores/sqlite/index.ts';
import { LEASE_MS, leaveMark, told, work } from './role.ts';
import { saga1, saga2 } from './versioned-sagas.ts';

const services = httpServices({ url: new URL(told('SERVICES_URL')), timeoutMs: 8000 });
const score = (orderId: string): number => {
  leaveMark({ scored: orderId });
  return 1;
};
const store = sqliteStore({ path: told('DATABASE') });
const orders =
  told('VERSION') === '1' ? createOrders({ store, saga: saga1(services) }) : createOrders({ store, saga: saga2(services, score) });
const worker = orders.worker({ leaseMs: LEASE_MS });
await work({ start: worker.start, close: orders.close, on: orders.on });
