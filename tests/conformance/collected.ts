import type { Runner } from '../../src/testing/conformance/runner.ts';

/** What became of one case of a suite. */
export interface Outcome {
  /** With the titles of the sections around it. */
  readonly title: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly error?: unknown;
}

/** Runs what `declare` declares to a runner, or only what is asked for, all at once, and tells what became of each case. */
export const collected = async (
  declare: (runner: Runner) => void,
  isWanted: (title: string) => boolean = () => true,
): Promise<readonly Outcome[]> => {
  const sections: string[] = [];
  const outcomes: Promise<Outcome>[] = [];
  const named = (title: string): string => [...sections, title].join(' > ');
  const it = (title: string, body: () => Promise<void>): void => {
    const name = named(title);
    if (!isWanted(name)) return;
    const started = Promise.resolve().then(body);
    outcomes.push(
      started.then(
        () => ({ title: name, result: 'passed' }),
        (error: unknown) => ({ title: name, result: 'failed', error }),
      ),
    );
  };
  const skip = (title: string): void => {
    const name = named(title);
    if (isWanted(name)) outcomes.push(Promise.resolve({ title: name, result: 'skipped' }));
  };
  const describe = (title: string, body: () => void): void => {
    sections.push(title);
    body();
    sections.pop();
  };
  declare({ describe, it: Object.assign(it, { skip }) });
  return Promise.all(outcomes);
};

/** Titles of the cases that ended so. */
export const titlesOf = (outcomes: readonly Outcome[], result: Outcome['result']): readonly string[] =>
  outcomes.filter((outcome) => outcome.result === result).map(({ title }) => title);
