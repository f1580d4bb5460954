import { markDone } from '../../core/checkpoint.ts';
import type { Checkpoint, Lease, LeaseRef, Range, SubscriptionStart, Tick, TickResult } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import type { Log } from './log.ts';
import type { Parking } from './parking.ts';
import type { Session } from './session.ts';
import * as SQL from './sql.ts';

interface CheckpointRow {
  readonly shard: number;
  readonly low: number;
  readonly done: string;
  readonly start_mark: number;
  readonly parked: number;
  readonly owner: string | null;
  readonly epoch: number;
  readonly granted: number;
  readonly until: number;
  readonly clean: number;
}

/** A checkpoint as this process knows it, and what the batch under way adds. */
interface Known {
  readonly owner: string | null;
  readonly epoch: number;
  checkpoint: Checkpoint;
  startMark: number;
  marks: Range[];
  markTo: number;
}

const checkpointOf = ({ low, done }: Pick<CheckpointRow, 'low' | 'done'>): Checkpoint => ({ low, done: JSON.parse(done) as Range[] });

/** Ownership and checkpoint of every (subscription, shard). Its members run inside a transaction. */
export interface Leases {
  register(subscriptions: readonly SubscriptionStart[]): void;
  isCurrent(lease: LeaseRef): boolean;
  /** Adds to a lease that is current. */
  mark(lease: LeaseRef, done: readonly Range[], startMark?: number): void;
  /** Nothing is done any more, and no lease of the subscription is current. */
  rebuild(subscription: string): void;
  /** Writes down what was marked, one row for each lease; call it once before the commit. */
  flush(): void;
  tick(tick: Tick): TickResult;
  backlogs(): ReadonlyMap<string, readonly { readonly shard: number; readonly checkpoint: Checkpoint }[]>;
}

export const createLeases = (session: Session, system: System, log: Log, parking: Parking): Leases => {
  const known = new Map<string, Map<number, Known>>();
  const touched = new Map<Known, LeaseRef>();
  const forget = (): void => {
    known.clear();
    touched.clear();
  };
  session.remembers(forget);

  const find = ({ subscription, shard }: LeaseRef): Known | undefined => {
    let shards = known.get(subscription);
    if (shards === undefined) {
      shards = new Map();
      known.set(subscription, shards);
    }
    let found = shards.get(shard);
    if (found !== undefined) return found;
    const row = session.sql(SQL.FIND_CHECKPOINT).get(subscription, shard) as unknown as CheckpointRow | undefined;
    if (row === undefined) return undefined;
    found = { owner: row.owner, epoch: row.epoch, checkpoint: checkpointOf(row), startMark: row.start_mark, marks: [], markTo: 0 };
    shards.set(shard, found);
    return found;
  };

  /** A grant from a later time than now is from before the machine restarted, when its clock began anew. */
  const isFree = (row: CheckpointRow, now: number): boolean => row.owner === null || row.until <= now || row.granted > now;

  const claim = (subscription: string, row: CheckpointRow, owner: string, now: number, until: number): Lease => {
    session.sql(SQL.GRANT_LEASE).run(owner, now, until, subscription, row.shard);
    return {
      subscription,
      shard: row.shard,
      epoch: row.epoch + 1,
      checkpoint: checkpointOf(row),
      startMark: row.start_mark,
      clean: row.owner === null && row.clean === 1,
      parked: row.parked,
      started: parking.started(subscription, row.shard),
    };
  };

  return {
    register(subscriptions) {
      for (const { name, start } of subscriptions) {
        if (session.sql(SQL.INSERT_SUBSCRIPTION).run(name).changes === 0) continue;
        for (let shard = 0; shard < session.shards; shard += 1) {
          const low = start === 'head' ? log.head(shard) : 0;
          session.sql(SQL.INSERT_CHECKPOINT).run(name, shard, low, low);
        }
      }
      forget();
    },
    isCurrent(lease) {
      const found = find(lease);
      return found !== undefined && found.owner !== null && found.epoch === lease.epoch;
    },
    mark(lease, done, startMark = 0) {
      const found = find(lease);
      if (found === undefined) return;
      found.marks.push(...done);
      found.markTo = Math.max(found.markTo, startMark);
      touched.set(found, lease);
    },
    rebuild(subscription) {
      session.sql(SQL.REBUILD).run(subscription);
      known.delete(subscription);
      // What earlier units of the batch have marked is forgotten with the rest.
      for (const [found, lease] of touched) if (lease.subscription === subscription) touched.delete(found);
    },
    flush() {
      for (const [found, { subscription, shard }] of touched) {
        const checkpoint = markDone(found.checkpoint, found.marks);
        const startMark = Math.max(found.startMark, found.markTo);
        found.marks = [];
        found.markTo = 0;
        if (checkpoint === found.checkpoint && startMark === found.startMark) continue;
        found.checkpoint = checkpoint;
        found.startMark = startMark;
        session.sql(SQL.SAVE_CHECKPOINT).run(checkpoint.low, JSON.stringify(checkpoint.done), startMark, subscription, shard);
      }
      touched.clear();
    },
    tick({ owner, subscriptions, leaseMs, release, claim: claims }) {
      const now = system.monotonic();
      const until = now + leaseMs;
      for (const { lease, clean } of release) {
        session.sql(SQL.RELEASE_LEASE).run(clean ? 1 : 0, lease.subscription, lease.shard, owner, lease.epoch);
      }
      session.sql(SQL.FORGET_MEMBERS).run(now, now);
      session.sql(SQL.LEAVE_MEMBERS).run(owner);
      if (claims) for (const subscription of subscriptions) session.sql(SQL.JOIN_MEMBERS).run(owner, subscription, now, until);

      const held: LeaseRef[] = [];
      const gained: Lease[] = [];
      const share: Record<string, number> = {};
      for (const subscription of subscriptions) {
        const { members } = session.sql(SQL.COUNT_MEMBERS).get(subscription) as { readonly members: number };
        const most = Math.ceil(session.shards / Math.max(1, members));
        share[subscription] = most;
        const rows = session.sql(SQL.CHECKPOINTS_OF).all(subscription) as unknown as readonly CheckpointRow[];
        const mine = rows.filter((row) => row.owner === owner);
        if (mine.length > 0) session.sql(SQL.RENEW_LEASES).run(now, until, subscription, owner);
        for (const { shard, epoch } of mine) held.push({ subscription, shard, epoch });
        const free = claims ? rows.filter((row) => row.owner !== owner && isFree(row, now)) : [];
        for (const row of free.slice(0, Math.max(0, most - mine.length))) gained.push(claim(subscription, row, owner, now, until));
      }
      forget();
      return { held, gained, share };
    },
    backlogs() {
      const found = new Map<string, { shard: number; checkpoint: Checkpoint }[]>();
      const rows = session.sql(SQL.CHECKPOINTS).all() as unknown as readonly (CheckpointRow & { readonly subscription: string })[];
      for (const row of rows) {
        const shards = found.get(row.subscription) ?? [];
        found.set(row.subscription, shards);
        shards.push({ shard: row.shard, checkpoint: checkpointOf(row) });
      }
      return found;
    },
  };
};
