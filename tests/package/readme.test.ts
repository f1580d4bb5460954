import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from './process.ts';
import { type Block, blocksOf, commandsOf, isProgram, isTypeScript } from './readme.ts';
import { typeErrors } from './type-errors.ts';

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const readme = blocksOf(readFileSync(path.join(root, 'README.md'), 'utf8'));

/** A folder where `import 'orderfold'` finds this working tree, as it would an installed package. */
const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'orderfold-readme-')));
mkdirSync(path.join(scratch, 'node_modules'));
symlinkSync(root, path.join(scratch, 'node_modules/orderfold'), 'junction');
writeFileSync(path.join(scratch, 'package.json'), '{ "type": "module" }');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const write = (block: Block): string => {
  const file = path.join(scratch, `line-${block.line}.ts`);
  writeFileSync(file, `${block.given === '' ? '' : `${block.given}\n`}${block.text}\nexport {};\n`);
  return file;
};

const run = (file: string) =>
  promisify(execFile)(process.execPath, ['--conditions=orderfold-source', file], { cwd: scratch, timeout: 15_000 });

describe('README.md', () => {
  it('has TypeScript that compiles', () => {
    expect(typeErrors(readme.filter(isTypeScript).map(write))).toEqual([]);
  });

  const programs = readme.filter(isProgram);
  it.skipIf(programs.length === 0).each(programs)('has a program at line $line that runs to its end', async (block) => {
    await run(write(block));
  });

  it('names only commands that exist', () => {
    const { scripts, files } = commandsOf(readme);
    expect(scripts.filter((script) => manifest.scripts[script] === undefined)).toEqual([]);
    expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });
});

describe('the check of README.md', () => {
  const fenced = (info: string, text: string, before = ''): readonly Block[] =>
    blocksOf(`# x\n\n${before}\`\`\`${info}\n${text}\n\`\`\`\n`);

  it('finds a block that does not compile', () => {
    expect(typeErrors(fenced('ts', 'const x: string = 1;').map(write))).toEqual([
      expect.stringContaining("not assignable to type 'string'"),
    ]);
    expect(typeErrors(fenced('ts', `import { gone } from 'orderfold';`).map(write))).toEqual([expect.stringContaining('gone')]);
  });

  it('lets a fragment take declarations for granted that the reader does not see', () => {
    expect(typeErrors(fenced('ts', 'const y: number = x;', '<!-- given\ndeclare const x: number;\n-->\n').map(write))).toEqual([]);
  });

  it('finds a program that fails', async () => {
    const [program] = fenced('ts run', `const reason: string = 'planted'; throw new Error(reason);`).filter(isProgram).map(write);
    await expect(run(program ?? '')).rejects.toThrow('planted');
  });

  it('finds the commands of a shell block', () => {
    const shell = fenced('sh', 'npm ci && npm start   # both\nPORT=0 npm run api\nnpm test\n$ npm run -s demo\nnode examples/x.mjs | cat');
    expect(commandsOf(shell)).toEqual({ scripts: ['start', 'api', 'test', 'demo'], files: ['examples/x.mjs'] });
  });
});
