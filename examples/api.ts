import { ordersOf } from './orders.ts';
import { startProducer } from './producer.ts';
import { refusedStart, settingsOrExit } from './settings.ts';
import { drainOnStop } from './shutdown.ts';
import { tellParent } from './tell-parent.ts';

const settings = settingsOrExit('api');
const orders = ordersOf(settings);
const producer = await startProducer(orders, settings).catch(refusedStart);

drainOnStop(settings.graceMs + 5000, async () => {
  await producer.close();
  await orders.close();
});
console.log(`listening on ${producer.url}`);
tellParent({ ready: true, port: producer.port });
