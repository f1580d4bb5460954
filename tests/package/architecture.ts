import path from 'node:path/posix';
import ts from 'typescript';

/** Path below `src/` (with `/`) to source text. */
export type Sources = ReadonlyMap<string, string>;

/** The folders of the house. Files that lie directly in `src/` are `top`. */
const areaOf = (file: string): string => {
  const [first = '', second = ''] = file.split('/');
  if (!file.includes('/')) return 'top';
  return first === 'stores' || first === 'transports' ? `${first}/${second}` : first;
};

const edges = ['testing', 'http', 'telemetry', 'cli'];
const entry = ['core', 'order', 'runtime', 'top', 'stores/memory'];

const mayImport = (from: string, to: string): boolean => {
  if (from === to) return true;
  if (from === 'core') return false;
  if (from === 'order' || from.startsWith('stores/') || from.startsWith('transports/')) return to === 'core';
  if (from === 'runtime') return to === 'core' || to === 'order';
  if (from === 'top') return entry.includes(to);
  if (edges.includes(from)) return entry.includes(to) || to.startsWith('stores/') || to.startsWith('transports/');
  return false;
};

/** What the root entry consists of has to run in Node, Bun, Deno and the browser, and on these packages. */
const isPortable = (area: string): boolean => entry.includes(area);
/** Where time, randomness and timers are passed in. */
const isPure = (area: string): boolean => area === 'core' || area === 'order' || area === 'runtime';
const portablePackages = (specifier: string): boolean => specifier === 'immer' || specifier === 'mitt' || specifier.startsWith('fp-ts/');
/** One rule of cockatiel's, by its full file: the whole package weighs more than the core. */
const isTripRule = (file: string, specifier: string): boolean =>
  file === 'runtime/breaker.ts' && specifier === 'cockatiel/dist/breaker/ConsecutiveBreaker.js';

const bannedMembers = new Set(['Date.now', 'Math.random', 'AbortSignal.timeout']);
const bannedGlobals = new Set(['setTimeout', 'setInterval', 'setImmediate', 'crypto', 'performance', 'process', 'Buffer', 'globalThis']);

/** Every way of naming another module: import, export from, `import()`, `import('…').T`, `require`. */
const specifiersOf = (root: ts.SourceFile): string[] => {
  const found: string[] = [];
  const add = (node: ts.Node | undefined): void => {
    if (node !== undefined && ts.isStringLiteralLike(node)) found.push(node.text);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    if (ts.isExternalModuleReference(node)) add(node.expression);
    if (ts.isCallExpression(node)) {
      const callee = node.expression;
      if (callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require')) add(node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
};

/** A name that is used as a variable, not the name of a member (`clock.setTimeout`) or of a declaration. */
const isReference = (node: ts.Identifier): boolean => {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isQualifiedName(parent) || ts.isTypeReferenceNode(parent) || ts.isTypeQueryNode(parent)) return false;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  return !('name' in parent && parent.name === node) && !('propertyName' in parent && parent.propertyName === node);
};

const impuritiesOf = (root: ts.SourceFile): string[] => {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const member = `${node.expression.text}.${node.name.text}`;
      if (bannedMembers.has(member)) found.push(member);
    }
    if (ts.isNewExpression(node) && node.expression.getText(root) === 'Date' && !node.arguments?.length) found.push('new Date()');
    if (ts.isIdentifier(node) && bannedGlobals.has(node.text) && isReference(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(root);
  return [...new Set(found)];
};

const notErasable = (root: ts.SourceFile): string[] => {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isEnumDeclaration(node)) found.push('enum');
    if (ts.isModuleDeclaration(node)) found.push('namespace');
    ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
};

/** An adapter's entry is a public face as `index.ts` is, and hands in the real clock and randomness as it does. */
const handsInSystem = (file: string, target: string): boolean =>
  /^(stores|transports)\/[^/]+\/index\.ts$/.test(file) && target === 'system.ts';

const importFault = (file: string, specifier: string, sources: Sources): string | undefined => {
  const area = areaOf(file);
  if (specifier.startsWith('.')) {
    const target = path.join(path.dirname(file), specifier);
    if (target.startsWith('..')) return `imports ${specifier}, which is outside src`;
    if (!specifier.endsWith('.ts')) return `imports ${specifier} without its .ts extension`;
    if (!sources.has(target)) return `imports ${specifier}, which does not exist`;
    return mayImport(area, areaOf(target)) || handsInSystem(file, target)
      ? undefined
      : `imports ${target}: ${area} must not import ${areaOf(target)}`;
  }
  if (specifier.startsWith('fp-ts') && !/^fp-ts\/lib\/[A-Za-z]+\.js$/.test(specifier))
    return `imports ${specifier}: fp-ts only by full file, fp-ts/lib/X.js`;
  if (specifier === 'orderfold' || specifier.startsWith('orderfold/')) return `imports ${specifier}: src imports itself by relative path`;
  if (!isPortable(area)) return undefined;
  if (portablePackages(specifier) || isTripRule(file, specifier)) return undefined;
  if (specifier.startsWith('cockatiel'))
    return `imports ${specifier}: cockatiel only in runtime/breaker.ts, and only its ConsecutiveBreaker.js`;
  return `imports ${specifier}: ${area} may use fp-ts, immer and mitt only`;
};

/** What in `src/` breaks the rules of the house, one line per fault, sorted. Empty when all is well. */
export const architectureFaults = (sources: Sources): string[] => {
  const faults: string[] = [];
  for (const [file, text] of sources) {
    const root = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    for (const specifier of specifiersOf(root)) {
      const fault = importFault(file, specifier, sources);
      if (fault !== undefined) faults.push(`${file} ${fault}`);
    }
    if (isPure(areaOf(file)))
      for (const name of impuritiesOf(root)) faults.push(`${file} uses ${name}: time, randomness and the platform are passed in`);
    for (const kind of notErasable(root)) faults.push(`${file} has ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}: types must be erasable`);
  }
  return faults.sort();
};
