import type { ParkedDelivery, StoredEvent, StreamRow } from '../../../src/core/records.ts';
import type { Counts, Store } from '../../../src/core/store.ts';
import { createSqliteStore } from '../../../src/stores/sqlite/sqlite-store.ts';
import { system } from '../../../src/system.ts';

/** One order as the file has it. */
export interface RecordedOrder {
  readonly row: StreamRow;
  readonly events: readonly StoredEvent[];
  readonly parked: readonly ParkedDelivery[];
}

/** Everything a file says, read through the library. */
export interface Recorded {
  readonly orders: readonly RecordedOrder[];
  /** By shard. */
  readonly log: readonly (readonly StoredEvent[])[];
  readonly counts: Counts;
}

const PAGE = 500;

const logOf = async (store: Store, shard: number): Promise<StoredEvent[]> => {
  const log: StoredEvent[] = [];
  for (let more = true; more; ) {
    const page = await store.read(shard, log.at(-1)?.position ?? 0, PAGE);
    log.push(...page);
    more = page.length === PAGE;
  }
  return log;
};

export const readRecorded = async (database: string): Promise<Recorded> => {
  const store = createSqliteStore({ path: database }, system);
  await store.open();
  try {
    const orders: RecordedOrder[] = [];
    for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
      const page: Awaited<ReturnType<Store['streams']>> = await store.streams({}, PAGE, cursor);
      for (const row of page.rows) {
        const events = await store.events(row.stream, 0, 10 * PAGE);
        orders.push({ row, events, parked: await store.parkedOf(row.stream, 'all') });
      }
      cursor = page.nextCursor;
    }
    const log = await Promise.all(Array.from({ length: store.shards }, (_, shard) => logOf(store, shard)));
    return { orders, log, counts: await store.counts() };
  } finally {
    await store.close();
  }
};
