import { ordersOf } from './orders.ts';
import { startProducer } from './producer.ts';
import { refusedStart, type Settings } from './settings.ts';
import { drainOnStop } from './shutdown.ts';
import { logWork } from './worker-log.ts';

/** Producer and worker in this one process, for a store that no second process can see or may touch. */
export const startTogether = async (settings: Settings): Promise<void> => {
  const { concurrency, leaseMs, graceMs } = settings;
  const orders = ordersOf(settings);
  logWork(orders, settings);
  const worker = orders.worker({ concurrency, leaseMs, graceMs });
  await worker.start().catch(refusedStart);
  const producer = await startProducer(orders, settings).catch(refusedStart);

  drainOnStop(2 * graceMs + leaseMs + 5000, async () => {
    await producer.close();
    await worker.stop();
    await orders.close();
  });
  console.log('worker ready');
  console.log(`listening on ${producer.url}`);
};
