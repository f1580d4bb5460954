import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Append, Batch, BatchResult } from '../../src/core/store.ts';
import { mayRun, parkedValues } from '../../src/stores/sqlite/parked-row.ts';
import * as SQL from '../../src/stores/sqlite/sql.ts';

/** A batch as the store took it. */
export interface Taken {
  readonly batch: Batch;
  readonly result: BatchResult;
}

type Write = readonly [sql: string, values: readonly SQLInputValue[]];

/** Positions a shard has room for, as in the store. */
const SHARD_SIZE = 2 ** 40;
const DROP = 'DELETE FROM parked WHERE id = ?';

/**
 * The rows of recorded batches, as the least one could write by hand: prepared statements with their values at hand, one transaction per
 * batch, nothing looked up, judged or folded. It writes streams with their state, events, keys, timers and checkpoints; what the store
 * writes beside them (its reply, counts by status) is not in it.
 */
export const createRawWriter = (database: DatabaseSync) => {
  const streams = new Map<string, { readonly id: number; version: number; status: string | null }>();
  const heads = new Map<number, number>();
  const dones = new Map<string, number>();
  let lastStream = Number(database.prepare('SELECT coalesce(max(id), 0) AS id FROM streams').get()?.id);

  const appending = ({ stream, events, fold }: Append, shard: number): Write[] => {
    const known = streams.get(stream);
    const version = (known?.version ?? 0) + events.length;
    const { state = null, status = null, fingerprint = null } = fold ?? {};
    let id = known?.id ?? 0;
    const writes: Write[] = [];
    if (known === undefined) {
      lastStream += 1;
      id = lastStream;
      streams.set(stream, { id, version, status });
      writes.push([SQL.INSERT_STREAM, [stream, version, status, state, version, fingerprint]]);
    } else {
      const to = status === known.status ? SQL.FOLD_STREAM : SQL.FOLD_STREAM_TO_STATUS;
      writes.push([to, [version, state, version, fingerprint, ...(status === known.status ? [] : [status]), id]]);
      known.version = version;
      known.status = status;
    }
    const head = heads.get(shard) ?? 0;
    heads.set(shard, head + events.length);
    for (const [index, { type, schema, time, data, cause = null }] of events.entries()) {
      const at = shard * SHARD_SIZE + head + 1 + index;
      writes.push([SQL.INSERT_EVENT, [at, id, version - events.length + 1 + index, type, schema, time, data, cause]]);
    }
    return writes;
  };

  const timer = ({ record, delayMs = 0 }: NonNullable<Batch['units'][number]['park']>[number]): Write => {
    // As the store writes it: due by its clock, at its first revision.
    const values = parkedValues({ ...record, dueAt: Date.now() + delayMs, revision: 1 }, mayRun(record));
    return [SQL.INSERT_PARKED, values as readonly SQLInputValue[]];
  };

  const unit = ({ key, park = [], drop = [] }: Batch['units'][number], appends: readonly Write[]): Write[] => [
    ...(key === undefined ? [] : [[SQL.INSERT_KEY, [key.key, key.fingerprint, key.stream]] as const]),
    ...appends,
    ...park.map(timer),
    ...drop.map((id) => [DROP, [id]] as const),
  ];

  /** One row for each lease of the batch that has marks, as low as if nothing were open behind it. */
  const checkpoints = ({ units, progress }: Batch): Write[] => {
    const touched = new Map<string, Write>();
    const marked = [
      ...units.flatMap(({ lease, done = [] }) => (lease === undefined ? [] : [{ lease, to: Math.max(0, ...done) }])),
      ...progress.map(({ lease, done }) => ({ lease, to: Math.max(0, ...done.map(([, last]) => last)) })),
    ];
    for (const { lease, to } of marked) {
      const name = `${lease.subscription}/${lease.shard}`;
      const low = Math.max(dones.get(name) ?? 0, to);
      dones.set(name, low);
      touched.set(name, [SQL.SAVE_CHECKPOINT, [low, '[]', low, lease.subscription, lease.shard]]);
    }
    return [...touched.values()];
  };

  return {
    /** What there is to write for these batches, in order; each is one transaction. Count no time for this. */
    prepare: (taken: readonly Taken[]): readonly (readonly Write[])[] =>
      taken
        .map(({ batch, result }) => [
          ...batch.units.flatMap((one, index) => {
            const outcome = result.units[index];
            if (outcome?.won !== true) return [];
            return unit(
              one,
              (one.appends ?? []).flatMap((append, at) => appending(append, outcome.appended[at]?.shard ?? 0)),
            );
          }),
          ...checkpoints(batch),
        ])
        .filter((writes) => writes.length > 0),

    /** Writes them. */
    write(transactions: readonly (readonly Write[])[]): void {
      const statements = new Map(
        [...new Set(transactions.flatMap((writes) => writes.map(([sql]) => sql)))].map((sql) => [sql, database.prepare(sql)]),
      );
      for (const writes of transactions) {
        database.exec('BEGIN IMMEDIATE');
        for (const [sql, values] of writes) statements.get(sql)?.run(...values);
        database.exec('COMMIT');
      }
    },
  };
};
