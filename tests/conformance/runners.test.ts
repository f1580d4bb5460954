import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('R32 the suites run under node:test as well, with the gaps as skipped', () => {
  const file = fileURLToPath(new URL('under-node-test.ts', import.meta.url));
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined };
  const { stdout, status } = spawnSync(process.execPath, ['--no-warnings', '--test-reporter=tap', file], { encoding: 'utf8', env });
  expect(status, stdout).toBe(0);
  expect(stdout).toMatch(/^# pass 1\d\d$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
  expect(stdout).toMatch(/^# skipped 12$/m);
  expect(stdout).toContain('keeps pauses over a restart (its data is gone with the process) # SKIP');
});
