import type { LeaseRef } from '../core/store.ts';
import type { Feed } from './feed.ts';
import type { Holding } from './holding.ts';

/** The leases this process holds, by (subscription, shard). */
export interface Holdings {
  all(): Iterable<Holding>;
  ofShard(shard: number): readonly Holding[];
  has(lease: LeaseRef): boolean;
  /** Of the same subscription and shard, whatever its epoch. */
  get(lease: LeaseRef): Holding | undefined;
  add(holding: Holding): void;
  remove(holding: Holding): void;
}

export const keyOf = ({ subscription, shard }: LeaseRef): string => `${subscription}/${shard}`;

/** @param changed hears of every change of what is held. */
export const createHoldings = (shards: number, changed: (feed: Feed) => void): Holdings => {
  const byKey = new Map<string, Holding>();
  const byShard: Holding[][] = Array.from({ length: shards }, () => []);

  /** Its feed goes by the part of all shards that is held. */
  const share = ({ feed }: Holding): void => {
    feed.share = [...byKey.values()].filter((holding) => holding.feed === feed).length / shards;
    changed(feed);
  };

  return {
    all: () => byKey.values(),
    ofShard: (shard) => byShard[shard] ?? [],
    has: (lease) => byKey.has(keyOf(lease)),
    get: (lease) => byKey.get(keyOf(lease)),
    add(holding) {
      byKey.set(keyOf(holding.lease), holding);
      byShard[holding.lease.shard]?.push(holding);
      share(holding);
    },
    remove(holding) {
      byKey.delete(keyOf(holding.lease));
      const row = byShard[holding.lease.shard];
      row?.splice(row.indexOf(holding), 1);
      share(holding);
    },
  };
};
