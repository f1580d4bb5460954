import { parseArgs } from 'node:util';
import { hasRabbitmq, ownRabbitmq } from '../support/own-rabbitmq.ts';
import { openShopBroker } from './broker/shop-broker.ts';
import { type ChaosOptions, runChaos } from './chaos-run.ts';
import { reportOn } from './report.ts';

const USAGE = 'npm run chaos -- [--seconds N] [--seed S] [--workers W] [--orders-per-second R] [--broker amqp://USER:PASSWORD@HOST|own]';

const refuse = (problem: string): never => {
  console.error(`${problem}\n${USAGE}`);
  process.exit(2);
};

const wholeNumber = (name: string, text: string, most: number): number => {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= most) return value;
  return refuse(`expected --${name} to be a whole number from 1 to ${most}, got ${JSON.stringify(text)}`);
};

/** Where it is, `own` for one that is started here and may be struck itself, or nothing. What is refused may hold a password. */
const brokerAddress = (text: string): string => {
  if (text === 'own' && !hasRabbitmq) refuse('expected rabbitmq-server to be installed for a broker of its own');
  if (text !== '' && text !== 'own' && !/^amqp:\/\/[^/]/.test(text)) refuse('expected a broker at amqp://HOST, or own, or none');
  return text;
};

const optionsOf = (): ChaosOptions & { readonly at: string } => {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '60' },
        seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1_000_000)) },
        workers: { type: 'string', default: '3' },
        'orders-per-second': { type: 'string', default: '20' },
        broker: { type: 'string', default: process.env.TRANSPORT_URL ?? '' },
      },
    });
    return {
      seconds: wholeNumber('seconds', values.seconds, 86_400),
      seed: wholeNumber('seed', values.seed, Number.MAX_SAFE_INTEGER),
      workers: wholeNumber('workers', values.workers, 16),
      ordersPerSecond: wholeNumber('orders-per-second', values['orders-per-second'], 1000),
      at: brokerAddress(values.broker),
    };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
};

const { at, ...options } = optionsOf();
const begun = performance.now();
const say = (text: string): void => console.log(`${((performance.now() - begun) / 1000).toFixed(1).padStart(7)} s  ${text}`);

const { seconds, seed, workers, ordersPerSecond } = options;
console.log(`chaos for ${seconds} s, seed ${seed}, ${workers} workers, ${ordersPerSecond} orders a second`);
const own = at === 'own' ? await ownRabbitmq() : undefined;
if (own !== undefined) say('a broker of its own is up');
const reached = at === '' ? undefined : openShopBroker({ url: own?.url ?? at, own }, seed);
const broker = await reached?.catch((error: unknown) =>
  refuse(`the broker can't be reached: ${error instanceof Error ? error.message : String(error)}`),
);
if (broker !== undefined) say(`the events go over the topic ${broker.topic} of ${broker.shown}`);
const leaveBroker = async (): Promise<void> => {
  await broker?.close();
  await own?.remove();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void leaveBroker().finally(() => process.exit(1)));
const { evidence, forget } = await runChaos({ ...options, broker }, say).finally(leaveBroker);
const { faults, text } = await reportOn(evidence);
console.log(`\n${text}\n`);
if (faults.length === 0) {
  await forget();
  console.log(`the audit holds (seed ${seed})`);
} else {
  console.log(`the audit FAILS in ${faults.length} points; seed ${seed}, database ${evidence.database}`);
  process.exitCode = 1;
}
