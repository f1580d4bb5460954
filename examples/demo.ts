import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createOrders, isLeft } from 'orderfold';
import { auditOf, tableOf } from './demo-audit.ts';
import { orderSaga } from './saga.ts';
import { simulatedServices } from './services/simulated.ts';
import { readSettings, refusedStart, refuseToStart } from './settings.ts';
import { drainOnStop } from './shutdown.ts';
import { storeOf } from './store.ts';
import { transportOf } from './transport.ts';

/** Impatient, so that the outage outlasts the retries. What the environment says comes first. */
const IMPATIENT = { RETRY_BASE_MS: '20', RETRY_MAX_MS: '200', RETRY_MAX_ATTEMPTS: '4', SEED: '1' };
const OPERATOR = { by: 'demo', reason: 'the payment service is back' };
const SHOW_EVERY_MS = 500;
const STUCK_MS = 60_000;

type Standing = 'under way' | 'confirmed' | 'cancelled' | 'stalled';
const MEANS: Readonly<Record<string, Standing>> = {
  OrderConfirmed: 'confirmed',
  OrderCancelled: 'cancelled',
  StepDeadLettered: 'stalled',
  DeadLetterRedriven: 'under way',
};

const ordersWanted = (): number => {
  try {
    const { values } = parseArgs({ options: { orders: { type: 'string', default: '200' } } });
    if (/^[1-9]\d{0,4}$/.test(values.orders)) return Number(values.orders);
  } catch {
    // Said below.
  }
  return refuseToStart(['expected --orders N, with N from 1 to 99999']);
};

const wanted = ordersWanted();
const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== undefined && value !== ''));
const folder = given.DATABASE_URL === undefined ? mkdtempSync(path.join(tmpdir(), 'orderfold-demo-')) : undefined;
const database = folder === undefined ? {} : { DATABASE_URL: `sqlite:${path.join(folder, 'orders.db')}` };
const { settings, refused } = readSettings({ ...IMPATIENT, ...given, ...database });
if (refused.length > 0) refuseToStart(refused);

const services = simulatedServices(settings.simulation);
const orders = createOrders({
  store: storeOf(settings.database),
  transport: transportOf(settings.broker),
  saga: orderSaga(services, settings),
});
const worker = orders.worker({ concurrency: settings.concurrency, leaseMs: settings.leaseMs, graceMs: settings.graceMs });

const standings = new Map<string, Standing>();
const counts = { retried: 0, dead: 0, redriven: 0 };
const begun = performance.now();
const interrupted = new AbortController();

const say = (text: string): void => console.log(`${((performance.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${text}`);
const how = (standing: Standing): string[] => [...standings].filter(([, is]) => is === standing).map(([orderId]) => orderId);
const progress = (): string =>
  `placed ${standings.size}, confirmed ${how('confirmed').length}, cancelled ${how('cancelled').length}, ` +
  `stalled ${how('stalled').length}, under way ${how('under way').length}; retries ${counts.retried}`;

orders.on('retry', () => {
  counts.retried += 1;
});
orders.on('dead', () => {
  counts.dead += 1;
});
orders.on('appended', ({ stream, events }) => {
  for (const { type } of events) {
    if (type === 'OrderPlaced') standings.set(stream, 'under way');
    else if (MEANS[type] !== undefined && standings.has(stream)) standings.set(stream, MEANS[type]);
  }
});

const place = async (count: number): Promise<void> => {
  for (let placed = 0; placed < count; placed += 50) {
    const batch = Array.from({ length: Math.min(50, count - placed) }, async (_, index) => {
      const items = [{ sku: `sku-${index % 7}`, quantity: 1 + (index % 3), unitPriceMinor: 995 + 10 * index }];
      const taken = await orders.place({ customerId: `customer-${index}`, currency: 'EUR', items });
      if (isLeft(taken)) throw new Error(taken.left.message);
    });
    await Promise.all(batch);
  }
};

/** Shows how it goes until `done`; gives up when nothing moves any more. */
const until = async (done: () => boolean | Promise<boolean>): Promise<void> => {
  let shown = '';
  let movedAt = performance.now();
  while (!(await done())) {
    await sleep(SHOW_EVERY_MS, undefined, { signal: interrupted.signal });
    if (progress() !== shown) movedAt = performance.now();
    if (performance.now() - movedAt > STUCK_MS) throw new Error(`nothing moved for ${STUCK_MS / 1000} s`);
    shown = progress();
    say(shown);
  }
};

const lettersOfOurs = async (): Promise<string[]> => {
  const ids: string[] = [];
  for (let cursor: string | undefined, more = true; more; ) {
    const page = await orders.deadLetters.list({ limit: 500, cursor });
    ids.push(...page.deadLetters.filter(({ stream }) => standings.has(stream)).map(({ id }) => id));
    cursor = page.nextCursor ?? undefined;
    more = cursor !== undefined;
  }
  return ids;
};

const redrive = async (): Promise<void> => {
  const ids = await lettersOfOurs();
  if (ids.length === 0) return;
  const { changed } = await orders.deadLetters.redrive({ ids }, OPERATOR);
  counts.redriven += changed.length;
  say(`redrove ${changed.length} dead letters`);
};

const showHeld = async (): Promise<void> => {
  const held = how('stalled');
  say(`${held.length} orders are stalled; the others did not wait for them. Held until somebody redrives them, such as:`);
  for (const orderId of held.slice(0, 3)) {
    const order = await orders.get(orderId);
    const steps = Object.entries(order?.steps ?? {}).map(
      ([name, { status, attempt }]) => `${name} ${status}${attempt > 0 ? ` (attempt ${attempt})` : ''}`,
    );
    say(`  ${orderId}: ${steps.join(', ')}`);
  }
};

/** Only what this process did is in its services' books, so the orders of others are left alone. */
const run = async (): Promise<void> => {
  await worker.start().catch(refusedStart);
  const first = Math.floor(wanted / 2);
  say(`placing ${first} orders; the payment service fails in ${100 * settings.simulation.paymentFailureRate} % of all calls`);
  await place(first);
  await until(() => how('under way').length <= first / 4);

  say(`the payment service goes down; placing ${wanted - first} more`);
  services.setPaymentOutage(true);
  await place(wanted - first);
  await until(() => how('under way').length === 0);
  await showHeld();

  say('the payment service is back');
  services.setPaymentOutage(false);
  await redrive();
  await until(async () => {
    if (how('under way').length > 0) return false;
    await redrive();
    return how('under way').length + how('stalled').length === 0;
  });
  await worker.stop();

  const audit = await auditOf(orders, standings.keys(), services.account);
  say(`all ${standings.size} are settled\n\n${tableOf(audit, counts)}\n`);
  for (const fault of audit.faults.slice(0, 20)) console.error(fault);
  console.log(audit.faults.length === 0 ? 'the audit holds' : `the audit FAILS in ${audit.faults.length} points`);
  process.exitCode = audit.faults.length === 0 ? 0 : 1;
};

const cleanUp = async (): Promise<void> => {
  await orders.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
};

drainOnStop(settings.graceMs + settings.leaseMs + 5000, async () => {
  process.exitCode = 130;
  interrupted.abort();
  await cleanUp();
});
try {
  await run();
} catch (error) {
  if (!interrupted.signal.aborted) {
    console.error('the demo broke off:', error);
    process.exitCode = 1;
  }
} finally {
  await cleanUp();
}
