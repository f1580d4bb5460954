import { createOrders } from 'orderfold';
import { orderSaga } from './saga.ts';
import { servicesOf } from './services/services-of.ts';
import { refusedStart, settingsOrExit } from './settings.ts';
import { drainOnStop } from './shutdown.ts';
import { storeOf } from './store.ts';
import { tellParent } from './tell-parent.ts';
import { logWork } from './worker-log.ts';

const settings = settingsOrExit('worker');
const { concurrency, leaseMs, graceMs } = settings;

const orders = createOrders({ store: storeOf(settings.database), saga: orderSaga(servicesOf(settings), settings) });
logWork(orders, settings);

const worker = orders.worker({ concurrency, leaseMs, graceMs });
await worker.start().catch(refusedStart);

drainOnStop(graceMs + leaseMs + 5000, async () => {
  await worker.stop();
  await orders.close();
});
console.log('worker ready');
tellParent({ ready: true });
