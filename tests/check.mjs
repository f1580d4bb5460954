// All that CI runs, one stage after another, red at the first failure. The last line is the count of the tests that ran.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);
if (!((major === 22 && minor >= 18) || (major === 24 && minor >= 11) || major >= 26)) {
  console.error(
    `This is Node ${process.versions.node}; the checks need 22.18 or newer, 24.11 or newer, or 26.\n` +
      'The Node this project brings with it was not installed: run `npm rebuild node`, or install such a Node yourself.',
  );
  process.exit(1);
}

const scratch = mkdtempSync(join(tmpdir(), 'orderfold-check-'));
const totals = { passed: 0, failed: 0, skipped: 0 };

const node = (args, env = {}) =>
  spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;

/** Runs vitest and adds what its own report says to the totals; a file that could not even be loaded is one failure. */
const tests = (name, env) => {
  const report = join(scratch, `${name}.json`);
  const reporters = [
    '--reporter=default',
    '--reporter=./tests/support/skipped-reporter.ts',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const green = node(['node_modules/vitest/vitest.mjs', 'run', '--config', 'tests/vitest.config.ts', ...reporters], env);
  let failed = 0;
  try {
    const { numPassedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    for (const file of testResults) {
      const inFile = file.assertionResults.filter(({ status }) => status === 'failed').length;
      failed += file.status === 'failed' ? Math.max(1, inFile) : inFile;
    }
    totals.passed += numPassedTests;
    totals.skipped += numPendingTests + numTodoTests;
    if (green && numPassedTests === 0) throw new Error('not one test ran');
  } catch (error) {
    console.error(`no report of the ${name} tests: ${error.message}`);
    failed += 1;
  }
  if (!green && failed === 0) failed = 1;
  totals.failed += failed;
  return failed === 0;
};

/** A stage that is not made of tests counts only when it fails. */
const tool = (...args) => {
  const green = node(args);
  if (!green) totals.failed += 1;
  return green;
};

const stages = [
  [
    'format and lint',
    () => tool('node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--config-path=tests/biome.config.json'),
  ],
  ['types', () => tool('node_modules/typescript/bin/tsc', '--noEmit', '--project', 'tsconfig.json')],
  ['tests, public API, README', () => tests('fast', {})],
  ['build', () => tool('node_modules/tsup/dist/cli-default.js')],
  ['packed install, examples', () => tests('packed', { ORDERFOLD_CHECK: '1' })],
];

let green = true;
for (const [name, run] of stages) {
  const start = Date.now();
  green = run();
  console.log(`${green ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  if (!green) break;
}
rmSync(scratch, { recursive: true, force: true });
console.log(`${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''}`);
process.exit(green ? 0 : 1);
