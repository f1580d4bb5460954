import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from './process.ts';
import { type Block, blocksOf, commandsOf, isProgram, isTypeScript, shownFile } from './readme.ts';
import { typeErrors } from './type-errors.ts';

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const TEXTS = ['README.md', 'examples/test-your-order-flow/README.md', 'examples/write-a-transport/README.md'];

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

/** Blocks that are not, word for word, part of the file they say they are of. */
const strangers = (blocks: readonly Block[], folder: string): readonly string[] =>
  blocks.flatMap((block) => {
    const file = shownFile(block);
    if (file === undefined) return [];
    const source = existsSync(path.join(folder, file)) ? readFileSync(path.join(folder, file), 'utf8') : '';
    return block.text !== '' && source.includes(block.text) ? [] : [`line ${block.line}: ${file}`];
  });

describe.each(TEXTS)('%s', (text) => {
  const blocks = blocksOf(readFileSync(path.join(root, text), 'utf8'));

  it('has TypeScript that compiles', () => {
    expect(typeErrors(blocks.filter(isTypeScript).map(write))).toEqual([]);
  });

  const programs = blocks.filter(isProgram);
  it.skipIf(programs.length === 0).each(programs)('has a program at line $line that runs to its end', async (block) => {
    await run(write(block));
  });

  it('shows parts of files as they are', () => {
    expect(strangers(blocks, path.dirname(path.join(root, text)))).toEqual([]);
  });

  it('names only commands and files that exist', () => {
    const { scripts, files } = commandsOf(blocks);
    expect(scripts.filter((script) => manifest.scripts[script] === undefined)).toEqual([]);
    expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
    const links = [...readFileSync(path.join(root, text), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !existsSync(path.join(root, path.dirname(text), link)))).toEqual([]);
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

  it('finds a part of a file that is not in it, and a file that is not there', () => {
    writeFileSync(path.join(scratch, 'shown.ts'), 'const a = 1;\nconst b = 2;\n');
    expect(strangers(fenced('ts of shown.ts', 'const b = 2;'), scratch)).toEqual([]);
    expect(strangers(fenced('ts of shown.ts', 'const b = 3;'), scratch)).toEqual(['line 3: shown.ts']);
    expect(strangers(fenced('ts of gone.ts', 'const b = 2;'), scratch)).toEqual(['line 3: gone.ts']);
    expect(fenced('ts of shown.ts', 'const b = 2;').filter(isTypeScript)).toEqual([]);
  });

  it('finds the commands of a shell block', () => {
    const shell = fenced('sh', 'npm ci && npm start   # both\nPORT=0 npm run api\nnpm test\n$ npm run -s demo\nnode examples/x.mjs | cat');
    expect(commandsOf(shell)).toEqual({ scripts: ['start', 'api', 'test', 'demo'], files: ['examples/x.mjs'] });
  });
});
