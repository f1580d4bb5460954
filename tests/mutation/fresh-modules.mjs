// Loads the sandbox's modules again whenever asked to, so that no mutant finds what another has left in them.
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const standIn = new URL('vitest-stand-in.mjs', import.meta.url).href;
const sources = new Map();
let generation = 0;

const sourceOf = (url) => {
  const path = fileURLToPath(url);
  if (!sources.has(path)) sources.set(path, stripTypeScriptTypes(readFileSync(path, 'utf8')));
  return sources.get(path);
};

/** From now on `vitest` is its stand-in, and what is imported from below `folder` is of the generation that is in force. */
export const keepFresh = (folder) => {
  const home = pathToFileURL(`${folder}/`).href;
  registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier === 'vitest') return { url: standIn, shortCircuit: true };
      const resolved = next(specifier, context);
      const ours = resolved.url.startsWith(home) && !resolved.url.includes('/node_modules/') && !resolved.url.includes('?');
      return ours ? { ...resolved, url: `${resolved.url}?generation=${generation}` } : resolved;
    },
    load: (url, context, next) =>
      url.startsWith(home) && /\.ts\?/.test(url) ? { format: 'module', source: sourceOf(url), shortCircuit: true } : next(url, context),
  });
};

/** Begins a new generation. */
export const renew = () => {
  generation += 1;
};
