// The benchmarks beside their peers: `npm run bench [-- --only NAME] --json FILE]`.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeProblem } from '../../examples/node-check.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const problem = nodeProblem();
if (problem !== '') {
  console.error(problem);
  process.exit(1);
}

// The peers have a lock of their own, so that nobody who only wants the library installs them.
if (!existsSync(`${here}node_modules/.package-lock.json`)) {
  const npm = process.env.npm_execpath;
  const [command, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const { status } = spawnSync(command, [...args, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: here,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    console.error('the peers could not be installed: run `npm ci` in tests/bench');
    process.exit(1);
  }
}

const { bench } = await import('./bench.ts');
process.exitCode = (await bench(process.argv.slice(2))) ? 0 : 1;
