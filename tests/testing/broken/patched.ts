import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** One place in the source, and what stands there instead. `find` has to occur exactly once. */
export interface Patch {
  /** Below `src/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const applied = (patches: readonly Patch[]): Plugin => ({
  name: 'patches',
  setup(builder) {
    builder.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path: file }) => {
      let contents = readFileSync(file, 'utf8');
      const below = path.relative(path.join(root, 'src'), file).replaceAll('\\', '/');
      for (const { find, replace } of patches.filter((patch) => patch.file === below)) {
        if (contents.split(find).length !== 2) throw new Error(`${below}: expected exactly one ${JSON.stringify(find)}`);
        contents = contents.replace(find, () => replace);
      }
      return { contents, loader: 'ts' };
    });
  },
});

/** `orderfold/testing` over a source with these changes, loaded for `body` and gone afterwards. */
export const withPatches = async <T>(
  patches: readonly Patch[],
  body: (testing: typeof import('../../../src/testing/index.ts')) => Promise<T>,
): Promise<T> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'orderfold-broken-'));
  try {
    const outfile = path.join(folder, 'testing.mjs');
    await build({
      entryPoints: [path.join(root, 'src/testing/index.ts')],
      absWorkingDir: root,
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile,
      logLevel: 'silent',
      plugins: [applied(patches)],
      // Node finds it from here, and the bundle lies elsewhere.
      alias: { 'fast-check': fileURLToPath(import.meta.resolve('fast-check')) },
    });
    return await body((await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as typeof import('../../../src/testing/index.ts'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
