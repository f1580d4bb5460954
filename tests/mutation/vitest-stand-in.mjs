// What the tests take from vitest, without vitest: files are loaded anew for every mutant here, and starting a vitest for each takes
// longer than its tests.
import { format } from 'node:util';
import { expect } from 'expect';

export { expectTypeOf } from 'expect-type';
export { expect };

expect.extend({
  toSatisfy: (value, accepts) => ({ pass: accepts(value), message: () => 'the value does not satisfy the predicate' }),
});

let collected = [];
let above = [];

/** Imports a test file and returns its tests, in order: a title that no other of them has, and a function that rejects when it fails. */
export const testsOf = async (url) => {
  collected = [];
  above = [];
  await import(url);
  return collected;
};

export const describe = (title, body) => {
  above.push(title);
  body();
  above.pop();
};

export const it = (title, run) => {
  const full = [...above, title].join(' > ');
  const same = collected.filter((test) => test.full === full).length;
  collected.push({ full, title: same === 0 ? full : `${full} (${same + 1})`, run });
};

it.each = (cases) => (template, run) => {
  const lists = cases.every(Array.isArray);
  for (const [index, one] of cases.entries()) {
    const values = lists ? one : [one];
    const wanted = template.match(/%[a-z]/g)?.length ?? 0;
    it(format(template.replace('%#', String(index)), ...values.slice(0, wanted)), () => run(...values));
  }
};
