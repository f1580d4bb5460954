import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './process.ts';
import { typeErrors } from './type-errors.ts';

const files = readdirSync(path.join(root, 'tests'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test-d.ts') && !file.includes('node_modules'))
  .map((file) => path.join(root, 'tests', file));

describe('what the compiler promises', () => {
  it.each(files.length === 0 ? [] : [files])('holds in every *.test-d.ts', (...all) => {
    expect(typeErrors(all)).toEqual([]);
  });

  it('is seen broken when an expected error does not come', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'orderfold-types-'));
    const file = path.join(folder, 'planted.test-d.mts');
    writeFileSync(file, `// @ts-expect-error\nexport const x: number = 1;\nexport const y: string = 1;\n`);
    expect(typeErrors([file])).toEqual([
      expect.stringContaining(`planted.test-d.mts:1 Unused '@ts-expect-error'`),
      expect.stringContaining(`planted.test-d.mts:3 Type 'number' is not assignable`),
    ]);
    rmSync(folder, { recursive: true });
  });
});
