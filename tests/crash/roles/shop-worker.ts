// The example's worker, which keeps a view beside, and from some day on a second one.
import { ordersOf } from '../../../examples/orders.ts';
import { refusedStart, settingsOrExit } from '../../../examples/settings.ts';
import { drainOnStop } from '../../../examples/shutdown.ts';
import { logWork } from '../../../examples/worker-log.ts';
import { LATE_VIEW, type Seen, seen, VIEW } from '../views.ts';

const settings = settingsOrExit('worker');
const { concurrency, leaseMs, graceMs } = settings;

const orders = ordersOf(settings);
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
