import { parseArgs } from 'node:util';
import { type ChaosOptions, runChaos } from './chaos-run.ts';
import { reportOn } from './report.ts';

const USAGE = 'npm run chaos -- [--seconds N] [--seed S] [--workers W] [--orders-per-second R]';

const wholeNumber = (name: string, text: string, most: number): number => {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= most) return value;
  console.error(`expected --${name} to be a whole number from 1 to ${most}, got ${JSON.stringify(text)}\n${USAGE}`);
  process.exit(2);
};

const optionsOf = (): ChaosOptions => {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '60' },
        seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1_000_000)) },
        workers: { type: 'string', default: '3' },
        'orders-per-second': { type: 'string', default: '20' },
      },
    });
    return {
      seconds: wholeNumber('seconds', values.seconds, 86_400),
      seed: wholeNumber('seed', values.seed, Number.MAX_SAFE_INTEGER),
      workers: wholeNumber('workers', values.workers, 16),
      ordersPerSecond: wholeNumber('orders-per-second', values['orders-per-second'], 1000),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
};

const options = optionsOf();
const begun = performance.now();
const say = (text: string): void => console.log(`${((performance.now() - begun) / 1000).toFixed(1).padStart(7)} s  ${text}`);

const { seconds, seed, workers, ordersPerSecond } = options;
console.log(`chaos for ${seconds} s, seed ${seed}, ${workers} workers, ${ordersPerSecond} orders a second`);
const { evidence, forget } = await runChaos(options, say);
const { faults, text } = await reportOn(evidence);
console.log(`\n${text}\n`);
if (faults.length === 0) {
  await forget();
  console.log(`the audit holds (seed ${seed})`);
} else {
  console.log(`the audit FAILS in ${faults.length} points; seed ${seed}, database ${evidence.database}`);
  process.exitCode = 1;
}
