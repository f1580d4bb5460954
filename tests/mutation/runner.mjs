// Runs the tests of `tests/order` and `tests/core` for Stryker, in this process, every mutant on freshly loaded modules.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { INSTRUMENTER_CONSTANTS } from '@stryker-mutator/api/core';
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import { DryRunStatus, determineHitLimitReached, TestStatus, toMutantRunResult } from '@stryker-mutator/api/test-runner';
import fc from 'fast-check';
import { keepFresh, renew } from './fresh-modules.mjs';
import { testsOf } from './vitest-stand-in.mjs';

// One compares the text of the folding files, which is never the same where mutants are; the other measures a time.
const LEFT_OUT = ['tests/order/fold-fingerprint.test.ts#', 'tests/order/fold.test.ts#the cost of a fold'];

/** Properties take longer, so they come last: most mutants are gone by then. */
const isProperty = (file) => file.includes('.property.');

const load = async (file) => {
  const tests = await testsOf(pathToFileURL(join(process.cwd(), file)).href);
  return tests
    .map((test) => ({ ...test, file, id: `${file}#${test.title}` }))
    .filter(({ id }) => !LEFT_OUT.some((start) => id.startsWith(start)));
};

const runTest = async ({ file, id, title, run }) => {
  const about = { id, name: title, fileName: join(process.cwd(), file) };
  const startedMs = performance.now();
  try {
    await run();
    return { ...about, status: TestStatus.Success, timeSpentMs: performance.now() - startedMs };
  } catch (error) {
    return { ...about, status: TestStatus.Failed, failureMessage: String(error), timeSpentMs: performance.now() - startedMs };
  }
};

const createRunner = () => {
  // Where mutants ask which of them is active and tell that they were reached.
  const mutants = {};
  globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE] = mutants;
  let files = [];

  /** All tests with all they cover. What loading a file runs counts for each of its tests, since each mutant has it loaded again. */
  const dryRun = async () => {
    const mutantCoverage = { static: {}, perTest: {} };
    mutants.mutantCoverage = mutantCoverage;
    const results = [];
    for (const file of files) {
      renew();
      mutants.currentTestId = file;
      const tests = await load(file);
      const whileLoading = mutantCoverage.perTest[file] ?? {};
      delete mutantCoverage.perTest[file];
      for (const [index, test] of tests.entries()) {
        mutants.currentTestId = test.id;
        mutantCoverage.perTest[test.id] = {};
        results.push(await runTest(test));
        const covered = mutantCoverage.perTest[test.id];
        for (const [mutant, hits] of Object.entries(whileLoading)) covered[mutant] = (covered[mutant] ?? 0) + (index === 0 ? hits : 1);
      }
    }
    mutants.currentTestId = undefined;
    return { status: DryRunStatus.Complete, tests: results, mutantCoverage };
  };

  /** The wanted tests of a file. One that can't even be loaded is a test that fails. */
  const wantedOf = async (file, wanted) => {
    try {
      return (await load(file)).filter(({ id }) => wanted.includes(id));
    } catch (error) {
      const id = wanted.find((one) => one.startsWith(`${file}#`));
      return [{ file, id, title: id, run: () => Promise.reject(error) }];
    }
  };

  /** The wanted tests with the mutant active from before they are loaded, up to the first that fails. */
  const mutantRun = async (wanted, bail) => {
    const tests = [];
    renew();
    for (const file of files) {
      if (!wanted.some((id) => id.startsWith(`${file}#`))) continue;
      for (const test of await wantedOf(file, wanted)) {
        tests.push(await runTest(test));
        if (bail && tests.at(-1).status === TestStatus.Failed) return { status: DryRunStatus.Complete, tests };
      }
    }
    return { status: DryRunStatus.Complete, tests };
  };

  return {
    capabilities: () => ({ reloadEnvironment: true }),

    init: async () => {
      files = globSync('tests/{order,core}/**/*.test.ts')
        .map((file) => file.replaceAll('\\', '/'))
        .sort((a, b) => Number(isProperty(a)) - Number(isProperty(b)) || (a < b ? -1 : 1));
      keepFresh(process.cwd());
      // The same cases in every run, so that a mutant has the same fate in each; nobody reads a counterexample, so none is shrunk.
      fc.configureGlobal({ seed: 7, endOnFailure: true, numRuns: Number(process.env.ORDERFOLD_RUNS) });
    },

    dryRun,

    mutantRun: async ({ activeMutant, testFilter = [], hitLimit, disableBail }) => {
      mutants.activeMutant = activeMutant.id;
      mutants.hitCount = hitLimit === undefined ? undefined : 0;
      mutants.hitLimit = hitLimit;
      const result = await mutantRun(testFilter, !disableBail);
      mutants.activeMutant = undefined;
      return toMutantRunResult(determineHitLimitReached(mutants.hitCount, hitLimit) ?? result);
    },
  };
};
createRunner.inject = [];

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'in-process', createRunner)];
