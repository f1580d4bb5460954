import { drain, fill } from '../backlog.ts';
import { file } from '../files.ts';
import { interleaved, type Row, ratioRow, valueRow } from '../harness.ts';
import { sqliteStore } from '../orderfold.ts';

const DEEP = 1_000_000;
const SHALLOW = 10_000;
const MEGABYTE = 2 ** 20;

/** Draining the first events of a deep backlog beside draining a shallow one whole; then the deep one whole, watching the memory. */
export const run = async (): Promise<readonly Row[]> => {
  for (const [name, events] of [
    ['deep', DEEP],
    ['shallow', SHALLOW],
  ] as const) {
    const store = sqliteStore({ path: file(`${name}.db`) });
    await fill(store, events);
    await store.close();
  }
  const drained = async (name: string, backlog: number): Promise<number> =>
    (await drain(file(`${name}.db`), SHALLOW, backlog)).ratePerSecond;
  const rates = await interleaved(11, { deep: () => drained('deep', DEEP), shallow: () => drained('shallow', SHALLOW) });

  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const sizes: number[] = [];
  const sampler = setInterval(() => sizes.push((process.memoryUsage().rss - before) / MEGABYTE), 20);
  const whole = await drain(file('deep.db'), DEEP);
  clearInterval(sampler);
  const deep = DEEP.toLocaleString('en');
  return [
    ratioRow({
      what: `SQLite: ${SHALLOW.toLocaleString('en')} events out of ${deep}`,
      peer: 'out of as many',
      unit: 'events/s',
      ours: rates.deep,
      beside: rates.shallow,
      limit: { at: 'least', value: 0.9 },
    }),
    valueRow({
      what: `memory gained while ${deep} are worked off, at most`,
      peer: '–',
      unit: 'MB',
      ours: [Math.max(...sizes)],
      beside: [],
      limit: { at: 'most', value: 64 },
      note: `${Math.round(whole.ratePerSecond).toLocaleString('en')} events/s; resident set`,
    }),
  ];
};
