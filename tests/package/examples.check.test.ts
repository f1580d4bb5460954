import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { journey } from '../support/journey.mjs';
import { root, runWell } from './process.ts';

const temporary = mkdtempSync(path.join(tmpdir(), 'orderfold-examples-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true, maxRetries: 3 }));

describe('the examples', () => {
  it('start, take an order until it is settled, and drain on Ctrl-C', async () => {
    const env = { DATABASE_URL: `sqlite:${path.join(temporary, 'start.db')}` };
    const { status } = await journey(process.execPath, ['examples/start.mjs'], { cwd: root, env });
    expect(['confirmed', 'cancelled']).toContain(status);
  });

  it('run the demo until its audit holds', async () => {
    const { stdout } = await runWell(['examples/demo.mjs', '--orders', '40'], { cwd: root });
    expect(stdout).toMatch(/confirmed/);
  });
});
