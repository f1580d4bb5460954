import { checkpointAt } from '../../core/checkpoint.ts';
import type { Checkpoint, Lease, LeaseRef, Tick, TickResult } from '../../core/store.ts';

interface LeaseRow {
  readonly subscription: string;
  readonly shard: number;
  owner: string | null;
  epoch: number;
  until: number;
  clean: boolean;
  checkpoint: Checkpoint;
  startMark: number;
}

type Rows = Map<string, LeaseRow[]>;

/** Ownership of (subscription, shard), fair shares, and the checkpoint each ownership guards. */
export const memoryLeases = (shards: number) => {
  const rows: Rows = new Map();
  const members = new Map<string, { until: number; subscriptions: readonly string[] }>();

  const row = (ref: LeaseRef): LeaseRow | undefined => rows.get(ref.subscription)?.[ref.shard];
  const isFree = (lease: LeaseRow, now: number): boolean => lease.owner === null || lease.until <= now;

  return {
    register(subscription: string, low: (shard: number) => number): void {
      if (rows.has(subscription)) return;
      rows.set(
        subscription,
        Array.from({ length: shards }, (_, shard) => ({
          subscription,
          shard,
          owner: null,
          epoch: 0,
          until: 0,
          clean: true,
          checkpoint: checkpointAt(low(shard)),
          startMark: low(shard),
        })),
      );
    },
    names: (): IterableIterator<string> => rows.keys(),
    of: (subscription: string): readonly Readonly<LeaseRow>[] => rows.get(subscription) ?? [],
    /** The row while this very lease is the current one. */
    current(ref: LeaseRef): LeaseRow | null {
      const lease = row(ref);
      return lease !== undefined && lease.owner !== null && lease.epoch === ref.epoch ? lease : null;
    },
    /** Nothing is done any more, and no lease of it is current. */
    rebuild(subscription: string): void {
      for (const lease of rows.get(subscription) ?? []) {
        Object.assign(lease, { owner: null, epoch: lease.epoch + 1, clean: true, checkpoint: checkpointAt(0), startMark: 0 });
      }
    },
    tick(tick: Tick, now: number, parked: (lease: LeaseRef) => Pick<Lease, 'parked' | 'started'>): TickResult {
      const until = now + tick.leaseMs;
      for (const { lease: ref, clean } of tick.release) {
        const lease = row(ref);
        if (lease?.owner === tick.owner && lease.epoch === ref.epoch) Object.assign(lease, { owner: null, clean });
      }
      for (const [owner, member] of members) if (member.until <= now) members.delete(owner);
      if (tick.claim) members.set(tick.owner, { until, subscriptions: tick.subscriptions });
      else members.delete(tick.owner);

      const held: LeaseRef[] = [];
      const gained: Lease[] = [];
      const share: Record<string, number> = {};
      for (const subscription of tick.subscriptions) {
        const all = rows.get(subscription) ?? [];
        const owners = [...members.values()].filter((member) => member.subscriptions.includes(subscription)).length;
        share[subscription] = Math.ceil(shards / Math.max(1, owners));
        let owned = 0;
        for (const lease of all) {
          if (lease.owner !== tick.owner) continue;
          lease.until = until;
          held.push({ subscription, shard: lease.shard, epoch: lease.epoch });
          owned += 1;
        }
        for (const lease of tick.claim ? all : []) {
          if (owned >= (share[subscription] ?? 0)) break;
          if (lease.owner === tick.owner || !isFree(lease, now)) continue;
          const clean = lease.owner === null && lease.clean;
          Object.assign(lease, { owner: tick.owner, epoch: lease.epoch + 1, until, clean: false });
          const ref = { subscription, shard: lease.shard, epoch: lease.epoch };
          gained.push({ ...ref, checkpoint: lease.checkpoint, startMark: lease.startMark, clean, ...parked(ref) });
          owned += 1;
        }
      }
      return { held, gained, share };
    },
  };
};
