import ts from 'typescript';

const TESTS = new Set(['it', 'test']);

/** What is called in the end: `it` of `it.each(…)(…)` and of `it.skipIf(…)(…)`; undefined where it is always skipped. */
const rootOf = (callee: ts.Expression): string | undefined => {
  if (ts.isIdentifier(callee)) return callee.text;
  if (ts.isCallExpression(callee)) return rootOf(callee.expression);
  if (!ts.isPropertyAccessExpression(callee) || callee.name.text === 'skip' || callee.name.text === 'todo') return undefined;
  return rootOf(callee.expression);
};

/** The titles of all tests in a source text, as they are written, a template's without its values. */
export const testTitles = (source: string): readonly string[] => {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    const title = ts.isCallExpression(node) && TESTS.has(rootOf(node.expression) ?? '') ? node.arguments[0] : undefined;
    if (title !== undefined && ts.isStringLiteralLike(title)) titles.push(title.text);
    if (title !== undefined && ts.isTemplateExpression(title))
      titles.push(title.head.text + title.templateSpans.map(({ literal }) => literal.text).join(''));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('tests.ts', source, ts.ScriptTarget.Latest));
  return titles;
};

/** The invariants that a title names: `S1 to S3 R7 …` names S1, S2, S3 and R7. */
export const namedIn = (title: string): ReadonlySet<string> => {
  const named = new Set<string>();
  for (const [, kind = '', from = '', to = from] of title.matchAll(/\b([SR])(\d+)(?: to \1(\d+))?\b/g))
    for (let number = Number(from); number <= Number(to); number += 1) named.add(kind + number);
  return named;
};
