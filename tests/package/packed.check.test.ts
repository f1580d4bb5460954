import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectWithin, median } from './budget.ts';
import { npm, root, run, runWell } from './process.ts';

const nodes = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'] as const;
const kinds = ['esm', 'cjs'] as const;
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const modules = path.join(root, 'node_modules');
const temporary = realpathSync(mkdtempSync(path.join(tmpdir(), 'orderfold-packed-')));
const folder = (name: string): string => path.join(temporary, name);
const nodeBinary = (version: string): string =>
  path.join(folder(`node-${version}`), 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');

const changedAt = (file: string): number => statSync(file).mtimeMs;

/** What a simulated run told on each Node, as a hash. */
const told = new Set<string>();
let tarball = '';
let packed: readonly string[] = [];

const project = (name: string, content: object): string => {
  mkdirSync(folder(name), { recursive: true });
  writeFileSync(path.join(folder(name), 'package.json'), JSON.stringify({ name, private: true, ...content }));
  return folder(name);
};

/** An application that has installed the tarball, and nothing of this working tree. */
const consumer = async (kind: (typeof kinds)[number]): Promise<void> => {
  const devDependencies = Object.fromEntries(['@types/node', 'fast-check'].map((name) => [name, manifest.devDependencies[name]]));
  const app = project(kind, {
    type: kind === 'esm' ? 'module' : 'commonjs',
    dependencies: { orderfold: `file:${tarball}` },
    devDependencies,
  });
  cpSync(path.join(root, 'tests/package/consumer'), app, { recursive: true });
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    // A library of one's own that exports a saga has to be able to name its types.
    declaration: true,
  };
  writeFileSync(
    path.join(app, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['memory.ts', 'sqlite.ts', 'testing.ts', 'rabbitmq.ts'] }),
  );
  await npm(['install'], app);
};

const otherNode = async (version: string): Promise<void> => {
  await npm(['install'], project(`node-${version}`, { dependencies: { node: version }, allowScripts: { node: true } }));
};

beforeAll(async () => {
  // `npm run check` has just built; by hand, `npm run build` comes first.
  const built = path.join(root, 'dist/index.js');
  const newest = Math.max(
    ...readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((file) => changedAt(path.join(root, 'src', file))),
  );
  if (!existsSync(built) || changedAt(built) < newest) throw new Error('dist is missing or older than src: run `npm run build` first');
  const { stdout } = await npm(['pack', '--json', '--pack-destination', temporary], root);
  const answer = JSON.parse(stdout);
  const { filename, files } = Array.isArray(answer) ? answer[0] : answer.orderfold;
  tarball = path.join(temporary, filename);
  packed = files.map((file: { path: string }) => file.path);
  await Promise.all([...kinds.map(consumer), ...nodes.map(otherNode)]);
});

afterAll(() => rmSync(temporary, { recursive: true, force: true, maxRetries: 3 }));

describe('the packed package', () => {
  it('holds dist, src and its papers, and nothing else', () => {
    expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json', 'src/index.ts']));
    expect(packed.filter((file) => !/^(dist|src)\/|^(LICENSE|README\.md|CHANGELOG\.md|package\.json)$/.test(file))).toEqual([]);
  });

  it('has every file its exports name', () => {
    const named = JSON.stringify(manifest.exports).match(/\.\/[^"]*\.[a-z]+/g) ?? [];
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((file) => !packed.includes(file.slice(2)))).toEqual([]);
  });

  it('brings what its source maps refer to', () => {
    const maps = packed.filter((file) => file.endsWith('.map'));
    const sources = maps.flatMap((file) => {
      const { sources: names, sourcesContent } = JSON.parse(readFileSync(path.join(root, file), 'utf8'));
      return names.map((name: string, index: number) => ({
        name: path.posix.join(path.posix.dirname(file), name),
        inside: typeof sourcesContent?.[index] === 'string',
      }));
    });
    expect(sources.length).toBeGreaterThan(0);
    // What is inlined of other packages is not in the package, so its map carries it.
    expect(sources.filter(({ name, inside }) => !packed.includes(name) && !(inside && name.startsWith('node_modules/')))).toEqual([]);
  });

  it('runs nothing at install, and brings only fp-ts with it, for its types', async () => {
    const hooks = ['preinstall', 'install', 'postinstall', 'prepublish', 'prepare'];
    expect(hooks.filter((hook) => manifest.scripts[hook] !== undefined)).toEqual([]);
    // Without fast-check, which is an application's own.
    await npm(['install'], project('plain', { dependencies: { orderfold: `file:${tarball}` } }));
    const { stdout } = await npm(['ls', '--all', '--omit=dev', '--parseable'], folder('plain'));
    const names = stdout
      .trim()
      .split(/\r?\n/)
      .slice(1)
      .map((line) => path.basename(line));
    expect(names.sort()).toEqual(['fp-ts', 'orderfold']);
  });

  it('satisfies publint', async () => {
    const { stdout } = await runWell([path.join(modules, 'publint/src/cli.js'), 'run', tarball, '--strict'], { cwd: temporary });
    expect(stdout).toContain('All good!');
  });

  it('satisfies attw for every way Node resolves types', async () => {
    await runWell([path.join(modules, '@arethetypeswrong/cli/dist/index.js'), tarball, '--profile', 'node16', '--no-emoji'], {
      cwd: temporary,
    });
  });

  it('can be published without a warning', async () => {
    const { stderr } = await npm(['publish', '--dry-run', '--ignore-scripts', '--access', 'public', '--tag', 'latest'], root);
    // What npm says about this machine and its login is not about the package.
    const said = stderr
      .split(/\r?\n/)
      .filter((line) => /^npm (warn|error)/i.test(line) && !/(user|env|project) config|logged in/.test(line));
    expect(said).toEqual([]);
  });
});

describe.each(kinds)('the %s application', (kind) => {
  const app = folder(kind);

  it('type-checks the package and its dependencies to the last library', async () => {
    await runWell([path.join(modules, 'typescript/bin/tsc'), '--project', app], { cwd: app });
    expect(existsSync(path.join(app, 'sqlite.js'))).toBe(true);
  });

  it.each(nodes)('takes an order to confirmed on Node %s', async (version) => {
    const node = nodeBinary(version);
    expect((await runWell(['--version'], { cwd: app, node })).stdout.trim()).toBe(`v${version}`);
    const { stdout } = await runWell(['memory.js'], { cwd: app, node });
    expect(stdout.trim().split(/\r?\n/)).toEqual(['notified', 'confirmed']);
  });

  it.each(nodes)(
    'R30 tests an application on Node %s, and tells of a broken one what every other Node tells, byte for byte',
    async (version) => {
      const { stdout } = await runWell(['testing.js'], { cwd: app, node: nodeBinary(version) });
      const [settled, hash] = stdout.trim().split(/\r?\n/);
      expect(settled).toBe('1 confirmed, 0 left');
      told.add(hash ?? '');
      expect([...told]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    },
  );

  it.each(nodes)('says on Node %s which client its transport needs', async (version) => {
    const { stdout } = await runWell(['rabbitmq.js'], { cwd: app, node: nodeBinary(version) });
    expect(stdout.trim()).toBe('CONFIG rabbitmqTransport needs amqplib: npm install amqplib');
  });

  // Node 20 has no node:sqlite.
  it.each(nodes.filter((version) => !version.startsWith('20.')))(
    'takes an order to confirmed in an SQLite file on Node %s',
    async (version) => {
      const file = path.join(app, `orders-${version}.db`);
      const { stdout } = await runWell(['sqlite.js', file], { cwd: app, node: nodeBinary(version) });
      expect(stdout.trim().split(/\r?\n/)).toEqual(['notified', 'confirmed']);
      expect(existsSync(file)).toBe(true);
    },
  );

  it('is less than 56 kB when bundled, minified and gzipped', async () => {
    const names = 'createOrders, EventBus, DeadLetterStore, OrderSaga, RetryPolicy, isLeft, memoryStore, refused';
    const entry = path.join(app, 'bundle-entry.js');
    const use = `console.log(${names});`;
    writeFileSync(
      entry,
      kind === 'esm' ? `import { ${names} } from 'orderfold'; ${use}` : `const { ${names} } = require('orderfold'); ${use}`,
    );
    const format = kind;
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      platform: 'node',
      format,
      write: false,
      logLevel: 'silent',
    });
    const bundle = outputFiles[0]?.contents ?? new Uint8Array();
    const file = path.join(app, kind === 'esm' ? 'bundle.mjs' : 'bundle.cjs');
    writeFileSync(file, bundle);
    await runWell([file], { cwd: app });
    const kilobytes = gzipSync(bundle, { level: 9 }).length / 1000;
    console.log(`${kind} bundle: ${kilobytes.toFixed(1)} kB gzipped`);
    expectWithin(`the ${kind} bundle, gzipped`, kilobytes, 56, 'kB');
    expect(() => expectWithin(`the ${kind} bundle, gzipped`, kilobytes, 0.1, 'kB')).toThrow(
      new RegExp(`^the ${kind} bundle, gzipped: \\d+\\.\\d kB, but at most 0\\.1 kB are allowed$`),
    );
  });

  // 34 ms on the machine the limit was set on, where acorn, a file as long, takes 14.4. In one run, as machines have busy hours.
  it("imports the package in less than 34 ms, told by acorn's time", async () => {
    const yardstick =
      kind === 'esm' ? pathToFileURL(path.join(modules, 'acorn/dist/acorn.mjs')).href : path.join(modules, 'acorn/dist/acorn.js');
    const program = (name: string, what: string): string => {
      const file = path.join(app, name);
      const load = kind === 'esm' ? `await import(${JSON.stringify(what)})` : `createRequire(import.meta.url)(${JSON.stringify(what)})`;
      writeFileSync(
        file,
        `import { createRequire } from 'node:module'; const t = performance.now(); ${load}; console.log(performance.now() - t, typeof createRequire);`,
      );
      return file;
    };
    const ours = program('import-time.mjs', 'orderfold');
    const theirs = program('import-time-beside.mjs', yardstick);
    const timeOf = async (file: string) => Number.parseFloat((await runWell([file], { cwd: app, node: nodeBinary('26.10.0') })).stdout);
    const times: number[] = [];
    const ratios: number[] = [];
    for (let i = 0; i < 21; i++) {
      const ms = await timeOf(ours);
      times.push(ms);
      ratios.push(ms / (await timeOf(theirs)));
    }
    const ratio = median(ratios);
    console.log(`${kind} import: ${median(times).toFixed(1)} ms, ${ratio.toFixed(2)} times acorn's (medians of ${times.length})`);
    expectWithin(`the ${kind} import`, ratio, 34 / 14.4, "times acorn's");
    expect(() => expectWithin(`the ${kind} import`, ratio, 0.01, "times acorn's")).toThrow(
      new RegExp(`^the ${kind} import: \\d+\\.\\d times acorn's, but at most 0\\.01 times acorn's are allowed$`),
    );
  });
});

describe('the compiler, in an application', () => {
  const compile = (file: string, source: string) => {
    const app = folder('esm');
    writeFileSync(path.join(app, file), source);
    const options = ['--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023', '--types', 'node', '--strict', '--ignoreConfig'];
    const output = ['--declaration', '--emitDeclarationOnly', '--outDir', 'types'];
    return run([path.join(modules, 'typescript/bin/tsc'), ...options, ...output, file], { cwd: app });
  };

  it('can name the types of all that an application might export in turn', async () => {
    const { code, stdout } = await compile(
      'library.ts',
      [
        `import { createOrders, EventBus, DeadLetterStore, memoryStore, OrderSaga, RetryPolicy } from 'orderfold';`,
        `import { sqliteStore } from 'orderfold/sqlite';`,
        `export const retry = RetryPolicy.exponential({ baseMs: 200, capMs: 60_000, jitter: 'full' }).maxAttempts(6);`,
        `export const saga = OrderSaga.define({ deadlineMs: 60_000 }).step('payment', { do: async () => ({ chargeId: 'c' }), undo: async () => {}, retry });`,
        `export const store = memoryStore();`,
        `export const file = () => sqliteStore({ path: 'orders.db' });`,
        `export const orders = createOrders({ store, saga });`,
        `export const worker = orders.worker();`,
        `export const place = () => orders.place({ customerId: 'c', currency: 'EUR', items: [] });`,
        `export const settled = () => orders.settled('o');`,
        `export const bus = EventBus.create<{ UserSignedUp: { userId: string } }>({ store });`,
        `export const dead = DeadLetterStore.of(bus);`,
      ].join('\n'),
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  it('refuses a wrong use of it', async () => {
    const { code, stdout } = await compile(
      'wrong.ts',
      `import { memoryStore } from 'orderfold';\nexport const store: string = memoryStore();\n`,
    );
    expect(code).not.toBe(0);
    expect(stdout).toContain('wrong.ts(2,14): error TS2322');
  });
});
