import { ordersOf } from './orders.ts';
import { refusedStart, settingsOrExit } from './settings.ts';
import { drainOnStop } from './shutdown.ts';
import { tellParent } from './tell-parent.ts';
import { logWork } from './worker-log.ts';

const settings = settingsOrExit('worker');
const { concurrency, leaseMs, graceMs } = settings;

const orders = ordersOf(settings);
logWork(orders, settings);

const worker = orders.worker({ concurrency, leaseMs, graceMs });
await worker.start().catch(refusedStart);

drainOnStop(graceMs + leaseMs + 5000, async () => {
  await worker.stop();
  await orders.close();
});
console.log('worker ready');
tellParent({ ready: true });
