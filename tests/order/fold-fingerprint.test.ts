import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { FOLD_FINGERPRINT } from '../../src/order/fold-fingerprint.ts';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../../src/order');

/** The fold and all of `src/order` it runs: imports that are more than types. */
const foldingFiles = (file: string, found = new Set<string>()): ReadonlySet<string> => {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, path] of readFileSync(file, 'utf8').matchAll(/^import (?!type )[^;]*?from '(\.\/[^']+)';/gm)) {
    foldingFiles(resolve(dirname(file), path as string), found);
  }
  return found;
};

it('changes its name whenever the code that folds changes, so that no state of other code is trusted', () => {
  const files = [...foldingFiles(join(folder, 'fold.ts'))].sort();
  const hash = createHash('sha256');
  // Line ends differ between checkouts.
  for (const file of files) hash.update(readFileSync(file, 'utf8').replaceAll('\r\n', '\n'));
  const fingerprint = `fold-${hash.digest('hex').slice(0, 12)}`;
  const names = files.map((file) => file.slice(folder.length + 1));
  expect(names).toEqual(['events.ts', 'evolve.ts', 'fold.ts', 'frozen-copy.ts', 'names.ts', 'plan.ts']);
  expect(
    FOLD_FINGERPRINT,
    `One of ${names.join(', ')} changed. If you meant to: set FOLD_FINGERPRINT in src/order/fold-fingerprint.ts to '${fingerprint}'. ` +
      'Every stored state is then folded afresh from its events.',
  ).toBe(fingerprint);
});
