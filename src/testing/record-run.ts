import type { ParkedDelivery, StoredEvent } from '../core/records.ts';
import type { Store } from '../core/store.ts';
import type { Effect, RecordedRun } from './recorded-run.ts';

const PAGE = 500;
/** Streams asked for their parked deliveries beside each other. */
const AT_ONCE = 64;

const readShard = async (store: Store, shard: number, streams: Map<string, StoredEvent[]>): Promise<void> => {
  for (let after = 0, more = true; more; ) {
    const page = await store.read(shard, after, PAGE);
    for (const event of page) {
      const events = streams.get(event.stream);
      if (events === undefined) streams.set(event.stream, [event]);
      else events.push(event);
    }
    after = page.at(-1)?.position ?? after;
    more = page.length === PAGE;
  }
};

/** Streams without an event whose timers lie dead. */
const deadOnly = async (store: Store, known: ReadonlyMap<string, unknown>): Promise<readonly string[]> => {
  const names = new Set<string>();
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Store['dead']>> = await store.dead({}, PAGE, cursor);
    for (const { stream } of page.rows) if (!known.has(stream)) names.add(stream);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return [...names];
};

/**
 * Reads everything a store keeps of its streams and their parked deliveries, in pages. Of a store that is still written to it may be torn:
 * then say that it is `running`. What is only scheduled for a stream that has no event yet is not among it.
 * @param options.effects what the outside world saw, in the order of time. @default none: nothing is said about money
 * @param options.stage @default 'running'
 * @param options.clockWasSet whether a wall clock was set meanwhile. @default false
 * @throws OrderfoldError `STORE`, `CLOSED`
 */
export const recordRun = async (
  store: Store,
  options: Partial<Pick<RecordedRun, 'effects' | 'stage' | 'clockWasSet'>> = {},
): Promise<RecordedRun> => {
  await store.open();
  const streams = new Map<string, StoredEvent[]>();
  await Promise.all(Array.from({ length: store.shards }, (_, shard) => readShard(store, shard, streams)));
  const parked: ParkedDelivery[] = [];
  const names = [...streams.keys(), ...(await deadOnly(store, streams))];
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const found = await Promise.all(names.slice(from, from + AT_ONCE).map((stream) => store.parkedOf(stream, 'all')));
    parked.push(...found.flat());
  }
  const effects: readonly Effect[] = options.effects ?? [];
  return { streams, parked, effects, stage: options.stage ?? 'running', clockWasSet: options.clockWasSet ?? false };
};
