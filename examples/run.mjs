// Runs a .ts of this folder in this very process: no second process that signals, exit codes and kills would have to get past.
import fs from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { nodeProblem } from './node-check.mjs';

const root = new URL('../', import.meta.url);

/** What `--conditions=orderfold-source` does: `orderfold` is the source of this working tree, not a build of it. */
const takeOrderfoldFromSource = () => {
  const manifest = JSON.parse(fs.readFileSync(new URL('package.json', root), 'utf8'));
  const sources = new Map();
  for (const subpath of Object.keys(manifest.exports)) {
    const source = manifest.exports[subpath]['orderfold-source'];
    if (source) sources.set(manifest.name + subpath.slice(1), new URL(source, root).href);
  }
  module.registerHooks({
    resolve: (specifier, context, next) => next(sources.get(specifier) || specifier, context),
  });
};

/** What `--disable-warning=ExperimentalWarning` does: node:sqlite is stable enough for an example. */
const hushExperimentalWarnings = () => {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning, options, ...rest) => {
    const type = typeof options === 'object' && options !== null ? options.type : options;
    if (type !== 'ExperimentalWarning') emitWarning.call(process, warning, options, ...rest);
  };
};

/** Checks Node, then imports `file`; what that throws ends the process with 1. */
export const run = (file) => {
  const problem = nodeProblem();
  if (problem !== '') {
    fs.writeSync(2, problem);
    process.exit(1);
  }
  // From the second start on, nothing has to be compiled again: half the time.
  module.enableCompileCache(fileURLToPath(new URL('node_modules/.cache/orderfold-examples', root)));
  takeOrderfoldFromSource();
  hushExperimentalWarnings();
  import(new URL(file, import.meta.url).href).catch((error) => {
    console.error(error);
    process.exit(1);
  });
};
