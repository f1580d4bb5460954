import { count, optional, resolveOptions, text, utcTime } from '../../core/options.ts';
import type { ParkedDelivery } from '../../core/records.ts';
import type { ParkedFilter, Store } from '../../core/store.ts';

export interface DeadLetterFilter {
  readonly subscription?: string | undefined;
  readonly type?: string | undefined;
  readonly stream?: string | undefined;
  readonly cause?: string | undefined;
  /** Died at or after this moment: ISO 8601, UTC, such as `2026-01-31T09:00:00Z`. */
  readonly diedFrom?: string | undefined;
  /** Died before this moment: ISO 8601, UTC. */
  readonly diedBefore?: string | undefined;
}

/** Letters by id, or all that a filter matches (`{}` is all). */
export type DeadLetterSelection = { readonly ids: readonly string[] } | { readonly filter: DeadLetterFilter };

/** What of a letter has to be known to change it in its turn. */
export type Place = Pick<ParkedDelivery, 'id' | 'stream' | 'version'>;

export const PAGE = 500;
/** Streams changed beside each other, so that they share commits. */
const AT_ONCE = 64;

export const filterSpec = {
  subscription: optional(text()),
  type: optional(text()),
  stream: optional(text()),
  cause: optional(text()),
  diedFrom: optional(utcTime()),
  diedBefore: optional(utcTime()),
};

export const pageSpec = { limit: count({ min: 1, max: PAGE, default: 50 }), cursor: optional(text()) };

/** @throws `CONFIG` for what is no filter */
export const parkedFilter = (given: DeadLetterFilter | undefined): ParkedFilter => {
  const { diedFrom, diedBefore, ...same } = resolveOptions('DeadLetterStore', given, filterSpec);
  const moments = { diedFrom: diedFrom && Date.parse(diedFrom), diedBefore: diedBefore && Date.parse(diedBefore) };
  return Object.fromEntries(Object.entries({ ...same, ...moments }).filter(([, value]) => value !== undefined));
};

/** All letters that match, the latest to die first, read page by page. */
export async function* lettersOf(store: Pick<Store, 'dead'>, filter: ParkedFilter): AsyncGenerator<ParkedDelivery, void> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Store['dead']>> = await store.dead(filter, PAGE, cursor);
    yield* page.rows;
    cursor = page.nextCursor;
  } while (cursor !== null);
}

export const placeOf = ({ id, stream, version }: Place): Place => ({ id, stream, version });

export const byVersion = (a: Place, b: Place): number => a.version - b.version || (a.id < b.id ? -1 : 1);

/** The letters of each stream in version order. */
export const byStream = <Letter extends Place>(letters: Iterable<Letter>): readonly (readonly Letter[])[] => {
  const streams = new Map<string, Letter[]>();
  for (const letter of letters) {
    const known = streams.get(letter.stream);
    if (known === undefined) streams.set(letter.stream, [letter]);
    else known.push(letter);
  }
  return [...streams.values()].map((found) => found.sort(byVersion));
};

/**
 * The letters selected, by stream: what is redriven together runs in version order, streams beside each other. By id also those that
 * died once and are not dead any more, unless it is told otherwise.
 */
export const select = async (
  store: Store,
  selection: DeadLetterSelection,
  which: 'dead' | 'died' = 'died',
): Promise<readonly (readonly Place[])[]> => {
  const places: Place[] = [];
  if ('ids' in selection) {
    for (const id of new Set(selection.ids)) {
      const found = await store.parked(id);
      if (found !== null && found.parked.deadAt !== null && (which === 'died' || found.parked.state === 'dead'))
        places.push(placeOf(found.parked));
    }
  } else for await (const letter of lettersOf(store, parkedFilter(selection.filter))) places.push(placeOf(letter));
  return byStream(places);
};

/** One after the other within a stream, many streams at once. */
export const inTurn = async <Letter>(streams: Iterable<readonly Letter[]>, work: (letter: Letter) => Promise<void>): Promise<void> => {
  const waiting = streams[Symbol.iterator]();
  const some = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) for (const letter of next.value) await work(letter);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
};
