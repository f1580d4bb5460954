import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { EventBus } from '../../src/index.ts';
import { sqliteStore } from '../../src/stores/sqlite/index.ts';
import { type Counted, counted, type Numbers, VIEWS } from './backlog.ts';
import { keep } from './keeper.ts';
import { openWorkplace, until } from './workplace.ts';

const EVENTS = 100_000;
const STREAMS = 1000;
const WORKERS = 3;
const MOST_BYTES = 400 * 1024 * 1024;

/** The most memory a process has had so far; undefined where the system does not tell. */
const peakBytes = async (pid: number | undefined): Promise<number | undefined> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
};

it('R1 R16 R27 a backlog of 100,000 events is worked off by three processes, one of which is killed amid it, each event once and in order', {
  timeout: 180_000,
}, async ({ onTestFinished }) => {
  const place = await openWorkplace(onTestFinished);
  const bus = EventBus.create<Numbers>({ store: sqliteStore({ path: place.database }) });
  onTestFinished(() => bus.close());
  const views = VIEWS.map((name) => bus.project<Counted>(name, counted));
  const streams = Array.from({ length: STREAMS }, (_, index) => `stream ${index}`);
  for (let n = 0; n < EVENTS; n += STREAMS)
    await Promise.all(streams.map((stream, index) => bus.publish({ stream, type: 'Numbered', data: { n: n + index } })));

  const crew = Array.from({ length: WORKERS }, (_, index) =>
    keep(
      {
        name: `worker ${index + 1}`,
        file: 'tests/crash/roles/backlog-worker.ts',
        env: { ...place.env, HARM_MARKS: `${place.folder}/harm` },
        preload: ['tests/crash/harm/preload.ts'],
      },
      /^worker ready$/,
    ),
  );
  onTestFinished(async () => void (await Promise.all(crew.map((one) => one.dispose()))));
  await Promise.all(crew.map((one) => one.ready(60_000)));
  await crew[0]?.kill();
  const peaks = new Map<string, number>();
  const done = async (): Promise<boolean> => {
    for (const { name, pid } of crew) peaks.set(name, Math.max(peaks.get(name) ?? 0, (await peakBytes(pid)) ?? 0));
    const progress = await Promise.all(views.map((view) => view.progress()));
    return progress.every(({ caughtUp }) => caughtUp);
  };
  await until('all views have caught up', done, 150_000);
  expect(await Promise.all(crew.map((one) => one.stop()))).toEqual([0, 0, 0]);
  expect(crew.flatMap(({ surprises }) => surprises)).toEqual([]);

  for (const [index, stream] of streams.entries()) {
    const events = EVENTS / STREAMS;
    const sum = events * index + (STREAMS * (events * (events - 1))) / 2;
    for (const view of views) expect(await view.get(stream)).toEqual({ events, sum, version: events });
  }
  for (const [name, bytes] of peaks) expect(bytes, `${name} has had ${bytes} bytes`).toBeLessThan(MOST_BYTES);
  expect((await bus.deadLetters.list()).deadLetters).toEqual([]);
});
