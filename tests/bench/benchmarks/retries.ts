import { DatabaseSync } from 'node:sqlite';
import { file } from '../files.ts';
import { type Row, valueRow } from '../harness.ts';
import { EventBus, RetryPolicy, sqliteStore } from '../orderfold.ts';
import { pause } from '../pauses.ts';

const ALONE = { events: 200, delayMs: 50 } as const;
const TOGETHER = { events: 1000, delayMs: 1500 } as const;

interface Lateness {
  readonly lateMs: readonly number[];
  readonly timersLateMs: readonly number[];
  readonly early: number;
}

/** Every event fails once; how long after it was due, by the file, did the second attempt start? A bare timer of that length runs beside each. */
const failOnce = async (name: string, events: number, delayMs: number, oneByOne: boolean): Promise<Lateness> => {
  const path = file(`${name}.db`);
  const bus = EventBus.create({ store: sqliteStore({ path }) });
  const startedAt = new Map<string, number>();
  const timersLateMs: number[] = [];
  let retried = (): void => {};
  const all = new Promise<void>((resolve) => {
    bus.subscribe('flaky', {
      on: {
        Tick: async ({ stream, attempt }) => {
          if (attempt === 1) {
            const armedAt = performance.now();
            setTimeout(() => timersLateMs.push(performance.now() - armedAt - delayMs), delayMs);
            throw new Error('not yet');
          }
          startedAt.set(stream, Date.now());
          retried();
          if (startedAt.size === events) resolve();
        },
      },
      retry: RetryPolicy.fixed({ delayMs }).maxAttempts(3),
    });
  });
  await bus.start();
  const published: Promise<unknown>[] = [];
  for (let event = 0; event < events; event += 1) {
    const settled = new Promise<void>((resolve) => {
      retried = resolve;
    });
    published.push(bus.publish({ stream: `s-${event}`, type: 'Tick', data: event }));
    if (oneByOne) await settled.then(() => pause(10, 30));
  }
  await Promise.all([...published, all]);
  await bus.close();
  const rows = new DatabaseSync(path).prepare('SELECT stream, due_at, attempts FROM parked').all();
  if (rows.length !== events) throw new Error(`${rows.length} deliveries were parked`);
  const lateMs = rows.map((row) => (startedAt.get(String(row.stream)) ?? Number.NaN) - Number(row.due_at));
  return { lateMs, timersLateMs, early: lateMs.filter((late) => late < 0).length };
};

/** Second attempts, by the clock that judges when they are due. */
export const run = async (): Promise<readonly Row[]> => {
  const alone = await failOnce('alone', ALONE.events, ALONE.delayMs, true);
  const together = await failOnce('together', TOGETHER.events, TOGETHER.delayMs, false);
  const peer = 'setTimeout of that length';
  const row = (what: string, { lateMs, timersLateMs }: Lateness, most: number): Row =>
    valueRow({ what, peer, unit: 'ms late', ours: lateMs, beside: timersLateMs, share: 0.99, limit: { at: 'most', value: most } });
  const early = alone.early + together.early;
  return [
    valueRow({
      what: 'retries that came too early',
      peer: '–',
      unit: '',
      ours: [early],
      beside: [],
      limit: { at: 'most', value: 0 },
      note: `of ${ALONE.events + TOGETHER.events}`,
    }),
    row('retry on a quiet bus, p99', alone, 10),
    row(`retries of ${TOGETHER.events} that fail together, p99`, together, 50),
  ];
};
