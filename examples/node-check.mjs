// Read by Nodes of any age, so nothing here is newer than ES modules.
import module from 'node:module';

/** What keeps this Node from running the examples, and what to do about it; an empty text if nothing does. */
export const nodeProblem = () => {
  const typescript = process.features.typescript;
  const sqlite = typeof module.isBuiltin === 'function' && module.isBuiltin('node:sqlite');
  if (typescript && sqlite && typeof module.registerHooks === 'function') return '';
  return (
    `This is Node ${process.versions.node}. The examples are TypeScript that is never built, on node:sqlite; they need Node 22.18, 24.11, 26 or newer.\n` +
    'The Node that this project brings along was not installed: run `npm rebuild node`, or install such a Node yourself.\n'
  );
};
