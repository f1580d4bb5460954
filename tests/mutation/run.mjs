// Mutation testing of `src/order` and `src/core`: `npm run mutation [-- --mutate src/order/names.ts]`. Fails below the score in its config.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeProblem } from '../../examples/node-check.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const problem = nodeProblem();
if (problem !== '') {
  console.error(problem);
  process.exit(1);
}

// Stryker has a lock of its own, so that nobody who only wants the library installs it.
if (!existsSync(`${here}node_modules/.package-lock.json`)) {
  const npm = process.env.npm_execpath;
  const [command, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const { status } = spawnSync(command, [...args, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: here, stdio: 'inherit' });
  if (status !== 0) {
    console.error('Stryker could not be installed: run `npm ci` in tests/mutation');
    process.exit(1);
  }
}

const stryker = `${here}node_modules/@stryker-mutator/core/bin/stryker.js`;
const { status } = spawnSync(process.execPath, [stryker, 'run', `${here}stryker.config.json`, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  // A property finds a mutant in a few cases or in none.
  env: { ...process.env, ORDERFOLD_RUNS: '40' },
});
process.exitCode = status ?? 1;
