// The example's worker, which keeps a view beside, and from some day on a second one.
import { orderSaga } from '../../../examples/saga.ts';
import { servicesOf } from '../../../examples/services/services-of.ts';
import { refusedStart, settingsOrExit } from '../../../examples/settings.ts';
import { drainOnStop } from '../../../examples/shutdown.ts';
import { storeOf } from '../../../examples/store.ts';
import { logWork } from '../../../examples/worker-log.ts';
import { createOrders } from '../../../src/index.ts';
import { LATE_VIEW, type Seen, seen, VIEW } from '../views.ts';

const settings = settingsOrExit('worker');
const { concurrency, leaseMs, graceMs } = settings;

const orders = createOrders({ store: storeOf(settings.database), saga: orderSaga(servicesOf(settings), settings) });
orders.project<Seen>(VIEW, seen);
if (process.env.LATE_VIEW === 'yes') orders.project<Seen>(LATE_VIEW, seen);
logWork(orders, settings);

const worker = orders.worker({ concurrency, leaseMs, graceMs });
await worker.start().catch(refusedStart);

drainOnStop(graceMs + leaseMs + 5000, async () => {
  await worker.stop();
  await orders.close();
});
console.log('worker ready');
