import type { Reporter, TestModule, TestSuite } from 'vitest/node';

/** Names every suite that did not run, such as those that need a server, so that nobody takes silence for a pass. */
export default class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const names = modules.flatMap((module) => [...module.children.suites()].flatMap(skippedBelow));
    for (const name of names) console.log(`skipped: ${name}`);
  }
}

const skippedBelow = (suite: TestSuite): readonly string[] =>
  suite.options.mode === 'skip' ? [suite.fullName] : [...suite.children.suites()].flatMap(skippedBelow);
