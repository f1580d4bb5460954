import type { EventBus } from '../../src/runtime/event-bus.ts';
import type { Delivery } from '../../src/runtime/subscription.ts';
import type { Witness } from '../../src/testing/simulation/witness.ts';
import { SUBSCRIPTIONS, TIMEOUT_MS, wants } from './bus-judge.ts';

const NAME = 'viewing';
const SUM = 'sum of all streams';

type Played = Pick<Delivery, 'id' | 'stream' | 'version' | 'data' | 'attempt' | 'generation'>;

/** The view of the world: it plays each event's part and counts it, in a row of its stream and in one that all shards change. */
export const projectPlayed = <Events extends object>(
  bus: EventBus<Events>,
  witness: Witness,
  now: () => number,
  play: (delivery: Played, startedAt: number) => Promise<unknown>,
): void => {
  const { onDead, retry, types } = SUBSCRIPTIONS[NAME];
  bus.project<number>(NAME, {
    types: types as readonly string[] as readonly (keyof Events & string)[],
    onDead,
    retry,
    timeoutMs: TIMEOUT_MS,
    batch: 4,
    handle: async (events, view) => {
      const startedAt = now();
      const epoch = (): number | undefined => witness.ownerOf(NAME, events[0]?.shard ?? 0)?.epoch;
      const startedUnder = epoch();
      for (const { id, stream, version, data } of events) {
        // Whatever a call does after its end is nobody's business, so it is no start either.
        if (now() >= startedAt + TIMEOUT_MS || epoch() !== startedUnder) return;
        const { attempts = 0, generation = 0 } = witness.parked.get(`${NAME}:${id}`) ?? {};
        await play({ id, stream, version, data, attempt: attempts + 1, generation }, startedAt);
        for (const key of [stream, SUM]) view.set(key, ((await view.get(key)) ?? 0) + 1);
      }
    },
  });
};

/** What the view should hold and does not: every event counted once, but for those that were discarded. */
export const miscounts = async (witness: Witness): Promise<readonly string[]> => {
  const expected = new Map<string, number>();
  for (const { stream, version, type } of [...witness.events.values()].flat()) {
    if (!wants(NAME, type) || witness.parked.get(`${NAME}:${stream}@${version}`)?.state === 'discarded') continue;
    for (const key of [stream, SUM]) expected.set(key, (expected.get(key) ?? 0) + 1);
  }
  const { rows } = await witness.store.documentPage(NAME, '', 1000, null);
  const stored = new Map(rows.map(({ key, value }) => [key, Number(value)]));
  return [...new Set([...expected.keys(), ...stored.keys()])]
    .filter((key) => expected.get(key) !== stored.get(key))
    .map((key) => `the view counts ${stored.get(key) ?? 'no'} events of ${key}, and there are ${expected.get(key) ?? 'none'}`);
};
