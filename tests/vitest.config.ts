import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** `*.check.test.ts` needs a build and takes its time: those belong to `npm run check`, the others to `npm test`. */
const check = process.env.ORDERFOLD_CHECK === '1';
const conditions = ['orderfold-source', 'module', 'node', 'development|production'];

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: check ? ['tests/**/*.check.test.ts'] : ['tests/**/*.test.ts', 'examples/**/*.test.ts'],
    exclude: check
      ? ['**/node_modules/**', 'tests/mutation/**']
      : ['**/node_modules/**', 'tests/bench/**', 'tests/mutation/**', 'tests/**/*.check.test.ts'],
    testTimeout: check ? 180_000 : 20_000,
    hookTimeout: check ? 300_000 : 20_000,
    // One at a time, so that measured times are those of a quiet machine.
    fileParallelism: !check,
    reporters: ['default', './tests/support/skipped-reporter.ts'],
  },
});
