import { expect, it } from 'vitest';
import { runWell } from '../package/process.ts';
import { root } from './processes.ts';

it.each(['import-esm.mjs', 'import-cjs.cjs'])('%s takes an order with the built package', async (file) => {
  expect((await runWell([`examples/${file}`], { cwd: root })).stdout).toBe('confirmed at 2500\n');
});
