import { existsSync, readFileSync } from 'node:fs';
import { invariants } from 'orderfold/testing';
import { describe, expect, it } from 'vitest';
import { root } from './process.ts';
import { namedIn, testTitles } from './test-titles.ts';

/** One line of the table that says what holds a promise. */
interface Held {
  readonly promise: string;
  readonly invariant: string;
  readonly says: string;
  readonly files: readonly string[];
}

/** The section of this name. */
const sectionOf = (markdown: string, name: string): string =>
  markdown.split(/^## /m).find((section) => section.startsWith(`${name}\n`)) ?? '';

/** The bold words that the points of a list begin with. */
const promisesIn = (section: string): readonly string[] =>
  [...section.matchAll(/^- \*\*(.+?)\.?\*\*/gm)].map(([, promise = '']) => promise);

/** A promise stands in the first line of those that hold it. */
const heldIn = (section: string): readonly Held[] => {
  let promise = '';
  return [...section.matchAll(/^\|([^|]*)\| ([SR]\d+) \|([^|]*)\|([^|]*)\|$/gm)].map(
    ([, first = '', invariant = '', says = '', files = '']) => {
      promise = first.trim() || promise;
      return { promise, invariant, says: says.trim(), files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file) };
    },
  );
};

const titlesOf = (file: string): readonly string[] | undefined =>
  existsSync(root + file) ? testTitles(readFileSync(root + file, 'utf8')) : undefined;

/** What is wrong with the account of the promises, one line a fault. */
const faultsOf = (section: string, titles: (file: string) => readonly string[] | undefined): readonly string[] => {
  const held = heldIn(section);
  const promises = promisesIn(section);
  const untested = promises.filter((promise) => !held.some((one) => one.promise === promise)).map((promise) => `nothing holds: ${promise}`);
  const unknown = held.filter(({ promise }) => !promises.includes(promise)).map(({ promise }) => `no such promise: ${promise}`);
  const missing = held.flatMap(({ invariant, files }) => {
    if (files.length === 0) return [`${invariant} names no test`];
    return files.flatMap((file) => {
      const found = titles(file);
      if (found === undefined) return [`${invariant}: ${file} does not exist`];
      return found.some((title) => namedIn(title).has(invariant)) ? [] : [`${invariant}: ${file} has no test of it`];
    });
  });
  const reworded = held.flatMap(({ invariant, says }) => {
    const known = invariants.find(({ id }) => id === invariant);
    return known === undefined || known.says === says ? [] : [`${invariant} reads otherwise in \`invariants\`: ${known.says}`];
  });
  return [...untested, ...unknown, ...missing, ...reworded];
};

describe('what README.md promises', () => {
  const section = sectionOf(readFileSync(`${root}README.md`, 'utf8'), 'What is promised');

  it('is held, point by point, by tests that exist and name the invariant', () => {
    expect(promisesIn(section).length).toBeGreaterThan(5);
    expect(faultsOf(section, titlesOf)).toEqual([]);
  });
});

describe('the check of the promises', () => {
  const says = invariants.find(({ id }) => id === 'R19')?.says;
  const promised = (...rows: readonly string[]): string =>
    ['- **One**. It is so.', '- **Two.** That too.', '', '| promise | | | |', '| --- | --- | --- | --- |', ...rows].join('\n');
  const good = [
    `| One | R19 | ${says} | \`a.test.ts\` |`,
    '|  | S23 | a race has one winner | `a.test.ts`, `b.test.ts` |',
    '| Two | R99 | x | `b.test.ts` |',
  ];
  const titles = (file: string): readonly string[] | undefined =>
    ({ 'a.test.ts': ['R19 once', 'S1 to S25 R3 hold'], 'b.test.ts': ['S23 R99 also'] })[file];

  it('takes what is well', () => {
    expect(faultsOf(promised(...good), titles)).toEqual([]);
  });

  it('finds a promise that nothing holds, and a line of no promise', () => {
    expect(faultsOf(promised(...good.slice(0, 2)), titles)).toEqual(['nothing holds: Two']);
    expect(faultsOf(promised(...good, '| Three | S23 | x | `b.test.ts` |'), titles)).toEqual(['no such promise: Three']);
  });

  it('finds a file that is gone, a number that no title names, and a line without a test', () => {
    const rows = ['| One | R98 | x | `a.test.ts` |', '| Two | S23 | x | `gone.test.ts` |', '|  | R99 | x | none |'];
    expect(faultsOf(promised(...rows), titles)).toEqual([
      'R98: a.test.ts has no test of it',
      'S23: gone.test.ts does not exist',
      'R99 names no test',
    ]);
  });

  it('finds an invariant in other words than the library has for it', () => {
    expect(faultsOf(promised('| One | R19 | roughly that | `a.test.ts` |', ...good.slice(1)), titles)).toEqual([
      `R19 reads otherwise in \`invariants\`: ${says}`,
    ]);
  });

  it('reads ranges in titles, and titles of every form but those that are skipped', () => {
    expect([...namedIn('S1 to S3 R7, R9: it holds')]).toEqual(['S1', 'S2', 'S3', 'R7', 'R9']);
    const source = `
      it('R1 a', () => {}); it.each([['R9 no title']])('R2 %s', () => {}); it.skipIf(x).each(y)(\`R3 \${z} b\`, () => {});
      test('R4 c', async (open) => {}, 'another'); it.skip('R5 d', () => {}); describe('R6 e', () => {}); it('R7 f', { timeout: 1 }, () => {});`;
    expect(testTitles(source)).toEqual(['R1 a', 'R2 %s', 'R3  b', 'R4 c', 'R7 f']);
  });
});
