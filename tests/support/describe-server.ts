import { describe, it } from 'vitest';

/** A suite against a real server, whose URL stands in an environment variable. Without it the suite is skipped by name. */
export const describeServer = (variable: `TEST_${string}_URL`, name: string, suite: (url: string) => void): void => {
  const url = process.env[variable];
  if (url) describe(name, () => suite(url));
  else describe.skip(`${name} (needs ${variable})`, () => it('runs against a real server', () => {}));
};
