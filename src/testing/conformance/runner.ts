import assert from 'node:assert/strict';

/**
 * What runs the cases of a suite: `{ describe, it }` of vitest, of jest or of `node:test`. Some cases take seconds where a store
 * writes to a disk, so give them 20 s where the runner's own limit is shorter (vitest and jest: 5 s).
 */
export interface Runner {
  readonly describe: (title: string, body: () => void) => unknown;
  readonly it: {
    (title: string, body: () => Promise<void>): unknown;
    readonly skip: (title: string, body: () => Promise<void>) => unknown;
  };
}

/** Anything a case works on, ended after it. */
interface Subject {
  readonly close: () => Promise<void>;
}

/** Why something can't be promised or tried, by the name of the promise or of the part of the subject that it would need. */
export type Gaps<Need extends string> = { readonly [Name in Need]?: string };

/**
 * Registers cases, each with a subject of its own, so that they may run side by side. A case that needs what `gaps` declares is
 * skipped with the reason in its title; what is not declared has to be there, and what is declared must not.
 * @param has whether an open subject has what a case may need.
 */
export const caseRunner =
  <Open extends Subject, Need extends string>(
    { it }: Runner,
    open: () => Promise<Open>,
    gaps: Gaps<Need>,
    needs: readonly Need[],
    has: (subject: Open, need: Need) => boolean,
  ) =>
  (title: string, body: (subject: Open) => Promise<void>, ...needed: readonly Need[]): void => {
    const reason = needed.map((need) => gaps[need]).find((gap) => gap !== undefined);
    if (reason !== undefined) return void it.skip(`${title} (${reason})`, async () => {});
    it(title, async () => {
      const subject = await open();
      try {
        for (const name of needs) {
          const problem = has(subject, name) ? 'there, yet declared as a gap' : 'not there: declare it as a gap, with the reason';
          assert.equal(has(subject, name), gaps[name] === undefined, `"${name}" is ${problem}`);
        }
        await body(subject);
      } finally {
        await subject.close();
      }
    });
  };
