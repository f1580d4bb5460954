import type { Row } from './harness.ts';

// One benchmark in a process of its own: what it leaves in the heap and in the compiler's mind is no other's.
const [name = ''] = process.argv.slice(2);
const { run } = (await import(`./benchmarks/${name}.ts`)) as { readonly run: () => Promise<readonly Row[]> };
const rows = await run();
if (process.send === undefined) console.table(rows.map(({ figure, limit, ...row }) => ({ ...row, ...figure, limit: limit?.value })));
else process.send(rows);
