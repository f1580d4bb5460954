import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Row, skippedRow } from './harness.ts';
import { from } from './orderfold.ts';
import { table } from './table.ts';

const NAMES = [
  'memory',
  'fold',
  'accept',
  'backlog',
  'orders',
  'plainjob',
  'two-processes',
  'latency',
  'relay',
  'receive',
  'relayed-latency',
  'retries',
  'deep-backlog',
  'dead-letters',
  'retry-crowd',
  'http',
] as const;

/** Longer than any of them takes, even beside much else. */
const LONGEST_MS = 300_000;

interface Measured {
  readonly rows: readonly Row[];
  readonly failed: boolean;
}

const failed = (name: string, why: string): Measured => ({ rows: [skippedRow(name, '', `failed: ${why}`)], failed: true });

const measure = async (name: string): Promise<Measured> => {
  const child = fork(fileURLToPath(new URL('one.ts', import.meta.url)), [name], {
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    env: { ...process.env, NODE_ENV: 'production', BENCH_FROM: from },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let rows: readonly Row[] | null = null;
  child.on('message', (message) => {
    rows = message as readonly Row[];
  });
  const tooLong = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  const [code, signal] = await once(child, 'exit');
  clearTimeout(tooLong);
  return rows !== null && code === 0 ? { rows, failed: false } : failed(name, `ended with ${signal ?? code}`);
};

/** Runs the benchmarks one after another and prints what came of them. Resolves with whether nothing failed and no limit was missed. */
export const bench = async (args: readonly string[]): Promise<boolean> => {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'string' }, only: { type: 'string', multiple: true } },
  });
  const unknown = values.only?.filter((name) => !NAMES.some((one) => one === name)) ?? [];
  if (unknown.length > 0) throw new Error(`--only: expected ${NAMES.join(', ')}, got ${unknown.join(', ')}`);

  const machine = {
    cpu: `${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? 'unknown'}`,
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.platform()} ${os.arch()} ${os.release()}`,
    node: process.versions.node,
    sqlite: process.versions.sqlite,
    date: new Date().toISOString(),
    loadBefore: os.loadavg()[0]?.toFixed(1),
    measured: from,
  };
  const rows: Row[] = [];
  let green = true;
  for (const name of values.only ?? NAMES) {
    const start = performance.now();
    const measured = await measure(name);
    rows.push(...measured.rows);
    if (measured.failed || measured.rows.some(({ verdict }) => verdict === 'missed')) green = false;
    console.error(`${name} (${((performance.now() - start) / 1000).toFixed(0)} s)`);
  }

  const loadAfter = os.loadavg()[0]?.toFixed(1);
  console.log(`
${machine.cpu}, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, SQLite ${machine.sqlite}, ${machine.date}
measured from ${from === 'dist' ? 'the build in dist' : 'the sources, there is no fresh build'}; load ${machine.loadBefore} before, ${loadAfter} after
Medians of interleaved pairs. A limit is missed when the whole interval is outside it, and unclear when the median is.

${table(rows)}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ ...machine, loadAfter, rows }, null, 2)}\n`);
  return green;
};
