import { defineConfig } from 'tsup';

/** Every subpath of the package: its name in dist and its source. The same names stand in `exports` of package.json. */
const entries = {
  index: 'src/index.ts',
  sqlite: 'src/stores/sqlite/index.ts',
};

export default defineConfig({
  entry: entries,
  // ESM is split, so that all subpaths share one copy of the core; CJS carries one copy per subpath.
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'node',
  // Otherwise `node:sqlite` becomes `sqlite`, which does not exist.
  removeNodeProtocol: false,
  dts: { compilerOptions: { noEmit: false } },
  sourcemap: true,
  clean: true,
});
