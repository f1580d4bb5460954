import { describe, expect, it } from 'vitest';
import { run, runWell } from '../package/process.ts';
import { root } from './processes.ts';

const example = (file: string, ...args: string[]) => runWell(['--conditions=orderfold-source', `examples/${file}`, ...args], { cwd: root });

describe.concurrent('the small examples', () => {
  it('own-event-bus.ts retries, dies, is redriven, and keeps the order of a user', async () => {
    const lines = (await example('own-event-bus.ts')).stdout.trim().split('\n');
    expect(lines[0]).toMatch(/^dead letter mail:u1@1/);
    expect(lines.filter((line) => line.startsWith('  attempt'))).toHaveLength(3);
    expect(lines.slice(-2)).toEqual([expect.stringMatching(/^welcome, u1@example\.org/), 'goodbye, u1']);
  });

  it('custom-step.ts checks its orders, asks after a lost reply, and refuses a fraud', async () => {
    expect((await example('custom-step.ts')).stdout.trim().split('\n')).toEqual([
      'not taken: seats: expected 1 or more',
      'alice: confirmed',
      'mallory: cancelled, too likely a fraud',
    ]);
  });

  it('orders-by-customer.ts lists by customer, and the same again after a rebuild', async () => {
    const lines = (await example('orders-by-customer.ts')).stdout.trim().split('\n');
    const rows = ['  alice: 1980 confirmed, 250000 cancelled', '  bob: 700 confirmed'];
    expect(lines.slice(0, 3)).toEqual(['as the orders went:', ...rows]);
    expect(lines[3]).toMatch(/^rebuilding: [1-9]\d* of \d+ events to go$/);
    expect(lines.slice(4)).toEqual(['made anew from the log:', ...rows]);
  });

  it.each(['import-esm.mjs', 'import-cjs.cjs'])('%s takes an order', async (file) => {
    expect((await example(file)).stdout).toBe('confirmed at 2500\n');
  });
});

describe.concurrent('the demo', () => {
  it('dead-letters, redrives and settles all of its orders, and its audit holds', async () => {
    const { stdout } = await runWell(['examples/demo.mjs', '--orders', '60'], { cwd: root, env: { DATABASE_URL: '' } });
    expect(stdout).toMatch(/orders are stalled/);
    expect(stdout).toMatch(/redrove \d+ dead letters/);
    const cell = (name: string): number => Number(new RegExp(`^ {2}${name} +([\\d.]+)`, 'm').exec(stdout)?.[1]);
    expect(cell('confirmed') + cell('cancelled')).toBe(60);
    expect(cell('dead')).toBeGreaterThan(0);
    // The letters of orders that are cancelled meanwhile are moot.
    expect(cell('redriven')).toBeGreaterThan(0);
    expect(cell('redriven')).toBeLessThanOrEqual(cell('dead'));
    expect(cell('money balance')).toBe(cell('owed by confirmed'));
    expect(stdout).toMatch(/^the audit holds$/m);
  });

  it.each([['--orders', '0'], ['--orders', 'many'], ['--order', '5'], ['5']])('refuses what it does not know: %s %s', async (...args) => {
    const { code, stderr } = await run(['examples/demo.mjs', ...args.filter((arg) => arg !== undefined)], { cwd: root });
    expect(code).toBe(1);
    expect(stderr).toMatch(/--orders N/);
  });
});
