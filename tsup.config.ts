import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { defineConfig, type Options } from 'tsup';

/** Every subpath of the package: its name in dist and its source. The same names stand in `exports` of package.json. */
const entries = {
  index: 'src/index.ts',
  sqlite: 'src/stores/sqlite/index.ts',
  rabbitmq: 'src/transports/rabbitmq/index.ts',
  testing: 'src/testing/index.ts',
};

/**
 * What the core uses of these comes inlined, from their ES modules, so that only what is used is loaded: as packages they
 * weigh 13 kB gzipped more in a CommonJS bundle and double the time of an import.
 */
const inlined: Readonly<Record<string, string>> = {
  'cockatiel/dist/breaker/ConsecutiveBreaker.js': 'cockatiel/dist/breaker/ConsecutiveBreaker.js',
  'fp-ts/lib/Either.js': 'fp-ts/es6/Either.js',
  immer: 'immer/dist/immer.production.mjs',
  mitt: 'mitt/dist/mitt.mjs',
};

const root = import.meta.dirname;
const inline: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'inline',
  setup(build) {
    build.onResolve({ filter: /^(cockatiel\/.*|fp-ts\/.*|immer|mitt)$/ }, ({ path: specifier }) => {
      const file = inlined[specifier];
      if (file === undefined) return { errors: [{ text: `${specifier} has no place in tsup.config.ts` }] };
      return { path: path.join(root, 'node_modules', file), sideEffects: false };
    });
  },
};

/** Their licences ask to travel with the copies. */
const writeLicences = async (): Promise<void> => {
  const texts = ['cockatiel', 'fp-ts', 'immer', 'mitt'].map(
    (name) => `${name}\n\n${readFileSync(path.join(root, 'node_modules', name, 'LICENSE'), 'utf8').trim()}\n`,
  );
  writeFileSync(path.join(root, 'dist/THIRD-PARTY-LICENSES.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`));
};

const compilerOptions = { noEmit: false };

// The two parts are built side by side, so neither may do it.
rmSync(path.join(root, 'dist'), { recursive: true, force: true });

export default defineConfig([
  {
    entry: entries,
    // Every subpath is one file with its own copy of what it needs of the core: each file more would cost the root entry a tenth of its time to load.
    format: ['esm', 'cjs'],
    splitting: false,
    target: 'node20',
    platform: 'node',
    // Otherwise `node:sqlite` becomes `sqlite`, which does not exist.
    removeNodeProtocol: false,
    noExternal: [/^fp-ts/, /^cockatiel/, 'immer', 'mitt'],
    esbuildPlugins: [inline],
    dts: { entry: { index: entries.index, sqlite: entries.sqlite, rabbitmq: entries.rabbitmq }, compilerOptions },
    sourcemap: true,
    onSuccess: writeLicences,
  },
  {
    // Types of its own: shared with the root entry's, they would lie in a file whose names nobody's declarations may use.
    entry: { testing: entries.testing },
    format: ['esm', 'cjs'],
    dts: { only: true, compilerOptions },
  },
]);
