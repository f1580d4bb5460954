import type { StoredEvent } from '../../src/core/records.ts';
import type { EventBus } from '../../src/runtime/event-bus.ts';
import type { ProjectOptions } from '../../src/runtime/projection.ts';
import type { View } from '../../src/runtime/view.ts';
import type { Process } from '../../src/testing/simulation/process.ts';
import type { Witness } from '../../src/testing/simulation/witness.ts';
import type { Events } from './bus-cluster.ts';

/** How many events, of one stream or of all, and which came last. */
export interface Count {
  readonly events: number;
  readonly last: string;
}

export const COUNTING = 'counting';
export const SUM = 'sum of all streams';

export type CountingOptions = Partial<ProjectOptions<Events, Count>>;
/** What a call of the handler does before it counts; it may throw. */
export type Before = (names: readonly string[], process: Process) => unknown;

const nameOf = (data: unknown): string => (data as Partial<Events['Did']> | null)?.name ?? '';

/** A view with a row per stream and one that every shard changes. */
export const projectCounts = (
  bus: EventBus<Events>,
  process: Process,
  before: Before = () => {},
  options: CountingOptions = {},
): View<Count> =>
  bus.project<Count>(COUNTING, {
    types: ['Did'],
    handle: (events, view) =>
      process.inside(async () => {
        await before(
          events.map(({ data }) => nameOf(data)),
          process,
        );
        for (const { stream, data } of events) {
          const [own, all] = await Promise.all([view.get(stream), view.get(SUM)]);
          view.set(stream, { events: (own?.events ?? 0) + 1, last: nameOf(data) });
          view.set(SUM, { events: (all?.events ?? 0) + 1, last: '' });
        }
      }),
    ...options,
  });

/** The rows as a fold of the log from nothing has them, but for events of which `skipped` says yes. */
export const countsOf = (witness: Witness, skipped: (event: StoredEvent) => boolean = () => false): Record<string, Count> => {
  const rows: Record<string, Count> = {};
  let sum = 0;
  for (const event of [...witness.events.values()].flat()) {
    if (event.type !== 'Did' || skipped(event)) continue;
    sum += 1;
    rows[event.stream] = { events: (rows[event.stream]?.events ?? 0) + 1, last: nameOf(JSON.parse(event.data)) };
  }
  return sum === 0 ? rows : { ...rows, [SUM]: { events: sum, last: '' } };
};

/** The rows as they are stored. */
export const storedCounts = async (witness: Witness): Promise<Record<string, Count>> => {
  const { rows } = await witness.store.documentPage(COUNTING, '', 1000, null);
  return Object.fromEntries(rows.map(({ key, value }) => [key, JSON.parse(value) as Count]));
};
