import { isDeepStrictEqual } from 'node:util';
import { EventBus } from '../../src/index.ts';
import type { ViewDraft } from '../../src/runtime/view-draft.ts';
import { sqliteStore } from '../../src/stores/sqlite/index.ts';
import { until } from './workplace.ts';

/** What the view has seen of one order: its versions, in the order they came. And of all orders, how many events of each type. */
export type Seen = readonly number[] | Readonly<Record<string, number>>;

export const VIEW = 'seen';
/** The same view, which nobody keeps before half of the time is over. */
export const LATE_VIEW = 'seen-late';

/** Both are made from these. */
export const SEEN_TYPES = [
  'OrderPlaced',
  'PaymentRequested',
  'PaymentSucceeded',
  'PaymentUndone',
  'InventorySucceeded',
  'NotificationRequested',
  'OrderConfirmed',
  'OrderCancelled',
] as const;

const TYPES = 'types';

interface SeenEvent {
  readonly stream: string;
  readonly version: number;
  readonly type: string;
}

/** One row that owners of all shards share, and one for each order: an event seen twice, left out or too early shows in either. */
const rowsAfter = ({ stream, version, type }: SeenEvent, of: Seen | null, types: Seen | null): readonly (readonly [string, Seen])[] => {
  const counted = (types ?? {}) as Readonly<Record<string, number>>;
  return [
    [`order ${stream}`, [...((of ?? []) as readonly number[]), version]],
    [TYPES, { ...counted, [type]: (counted[type] ?? 0) + 1 }],
  ];
};

/** How either view is kept. */
export const seen = {
  types: SEEN_TYPES,
  async handle(events: readonly SeenEvent[], view: Pick<ViewDraft<Seen>, 'get' | 'set'>): Promise<void> {
    for (const event of events) {
      const rows = await Promise.all([view.get(`order ${event.stream}`), view.get(TYPES)]);
      for (const [key, row] of rowsAfter(event, ...rows)) view.set(key, row);
    }
  },
} as const;

/** Resolves once these views are made of all there is in the file, which others write. */
export const caughtUp = async (database: string, names: readonly string[], withinMs: number): Promise<void> => {
  const bus = EventBus.create({ store: sqliteStore({ path: database }) });
  try {
    for (const view of names.map((name) => bus.project<Seen>(name, seen)))
      await until('the views have caught up', async () => (await view.progress()).caughtUp, withinMs);
  } finally {
    await bus.close();
  }
};

/** What of the rows of such a view is not what a fresh fold of these events gives. */
export const wrongRows = (rows: ReadonlyMap<string, Seen>, events: readonly SeenEvent[]): readonly string[] => {
  const fresh = new Map<string, Seen>();
  for (const event of events) {
    if (!(SEEN_TYPES as readonly string[]).includes(event.type)) continue;
    for (const [key, row] of rowsAfter(event, fresh.get(`order ${event.stream}`) ?? null, fresh.get(TYPES) ?? null)) fresh.set(key, row);
  }
  return [...new Set([...rows.keys(), ...fresh.keys()])].flatMap((key) =>
    isDeepStrictEqual(rows.get(key), fresh.get(key))
      ? []
      : [`${key} is ${JSON.stringify(rows.get(key))}, not ${JSON.stringify(fresh.get(key))}`],
  );
};
