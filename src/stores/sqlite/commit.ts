import { OrderfoldError } from '../../core/errors.ts';
import type { KeyClaim } from '../../core/records.ts';
import type { Appended, Batch, BatchResult, Unit, UnitResult } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import type { Documents } from './documents.ts';
import type { Leases } from './leases.ts';
import { type EventRow, eventIdAt, type Log, storedEvent } from './log.ts';
import type { Parking } from './parking.ts';
import type { Pauses } from './pauses.ts';
import type { Session } from './session.ts';
import * as SQL from './sql.ts';
import { fromSql, type SqlText, toSql } from './text.ts';

/** What is kept of a result: an append as the place of its first event where there is one, for the rest is in the log. */
type KeptUnit = readonly (readonly [shard: number, position: number] | Appended)[] | Exclude<UnitResult, { readonly won: true }>;

interface KeptResult {
  readonly units: readonly KeptUnit[];
  readonly lost: BatchResult['lost'];
}

/** A `KeptResult` as JSON, put together by hand: nearly all of it is one place for each unit, and all of it is written with every batch. */
const keep = ({ units }: Batch, result: BatchResult): string => {
  const keptUnit = (outcome: UnitResult, unit: number): string => {
    if (!outcome.won) return JSON.stringify(outcome);
    const appended = outcome.appended.map((one, index) => {
      const isEmpty = units[unit]?.appends?.[index]?.events.length === 0;
      return isEmpty ? JSON.stringify(one) : `[${one.shard},${one.firstPosition}]`;
    });
    return `[${appended.join(',')}]`;
  };
  return `{"units":[${result.units.map(keptUnit)}],"lost":${JSON.stringify(result.lost)}}`;
};

/** Batches of units, and the results kept of them. Its members run inside a transaction. */
export interface Commits {
  commit(batch: Batch): BatchResult;
  /** The result of a batch that was committed, or null; then it never will be. */
  lookUp(owner: string, batchId: string): BatchResult | null;
}

interface Parts {
  readonly log: Log;
  readonly parking: Parking;
  readonly leases: Leases;
  readonly documents: Documents;
  readonly pauses: Pauses;
}

export const createCommits = (session: Session, system: System, { log, parking, leases, documents, pauses }: Parts): Commits => {
  const takenBy = ({ key }: KeyClaim): UnitResult | null => {
    const row = session.sql(SQL.FIND_KEY).get(toSql(key)) as { [Column in keyof KeyClaim]: SqlText } | undefined;
    if (row === undefined) return null;
    const taken = { key: fromSql(row.key), fingerprint: fromSql(row.fingerprint), stream: fromSql(row.stream) };
    return { won: false, why: 'key', taken };
  };

  /** False: somebody has the key. */
  const claims = ({ key, fingerprint, stream }: KeyClaim): boolean =>
    session.sql(SQL.INSERT_KEY).run(toSql(key), toSql(fingerprint), toSql(stream)).changes !== 0;

  /** Why the unit loses, judged over what earlier units of the batch have written. One that does not has its key now. */
  const fault = (unit: Unit): UnitResult | null => {
    const { lease, key } = unit;
    if (lease !== undefined && !leases.isCurrent(lease)) return { won: false, why: 'lease' };
    const later = laterFault(unit);
    if (key === undefined) return later;
    // The key is judged first, and its insertion is the judgement: it has to come last, when nothing else can make the unit lose.
    return later === null && claims(key) ? null : (takenBy(key) ?? later);
  };

  const laterFault = ({ appends = [], park = [], documents: guarded = [] }: Unit): UnitResult | null => {
    // One unit may append to a stream several times, each expecting what the one before left.
    const ahead = appends.length > 1 ? new Map<string, number>() : null;
    for (const { stream, expected, events } of appends) {
      if (expected === 'any' && ahead === null) continue;
      const actual = ahead?.get(stream) ?? log.version(stream);
      if (expected !== 'any' && actual !== (expected === 'none' ? 0 : expected)) return { won: false, why: 'version', stream, actual };
      ahead?.set(stream, actual + events.length);
    }
    for (const { record, expect } of park) {
      if (parking.revision(record.id) !== expect) return { won: false, why: 'revision', id: record.id };
    }
    for (const { collection, key, expect } of guarded) {
      if (expect !== 'any' && documents.revision(collection, key) !== expect) return { won: false, why: 'document', collection, key };
    }
    return null;
  };

  const write = (unit: Unit): UnitResult => {
    const { lease, done = [], appends = [], park = [], drop = [], supersede = [], wake = [] } = unit;
    if (lease !== undefined && done.length > 0) {
      leases.mark(
        lease,
        done.map((position) => [position, position]),
      );
    }
    const appended = appends.map(log.append);
    for (const change of park) parking.write(change);
    for (const id of drop) parking.drop(id);
    for (const id of supersede) parking.supersede(id);
    for (const id of wake) parking.wake(id);
    for (const document of unit.documents ?? []) documents.write(document);
    for (const change of unit.pause ?? []) pauses.pause(change);
    for (const change of unit.resume ?? []) pauses.resume(change);
    for (const subscription of unit.rebuild ?? []) {
      documents.clear(subscription);
      parking.clear(subscription);
      leases.rebuild(subscription);
    }
    return { won: true, appended };
  };

  const recall = (kept: string): BatchResult => {
    const { units, lost } = JSON.parse(kept) as KeptResult;
    const appendedAt = (shard: number, firstPosition: number): Appended => {
      const row = session.sql(SQL.EVENT).get(eventIdAt(shard, firstPosition)) as unknown as EventRow;
      const { stream, version: firstVersion } = storedEvent(row);
      return { stream, shard, firstVersion, firstPosition };
    };
    const restored = units.map((unit): UnitResult => {
      if ('won' in unit) return unit;
      return { won: true, appended: unit.map((entry) => ('stream' in entry ? entry : appendedAt(...entry))) };
    });
    return { units: restored, lost };
  };

  const find = (owner: string, id: string) =>
    session.sql(SQL.FIND_BATCH).get(owner, id, owner, id) as { readonly results: string | null; readonly refused: number };

  return {
    commit(batch) {
      const { results, refused } = find(batch.owner, batch.id);
      if (results !== null) return recall(results);
      if (refused === 1) {
        throw new OrderfoldError('STORE', `batch ${batch.id} was looked up before it came, and called absent for good`, {
          retryable: false,
        });
      }
      const units = batch.units.map((unit) => fault(unit) ?? write(unit));
      const lost = batch.progress.flatMap(({ lease, done, startMark }) => {
        if (!leases.isCurrent(lease)) return [lease];
        leases.mark(lease, done, startMark === 'head' ? log.head(lease.shard) : startMark);
        return [];
      });
      log.flush();
      parking.flush();
      documents.flush();
      leases.flush();
      const result = { units, lost };
      session.sql(SQL.SAVE_BATCH).run(batch.owner, batch.id, keep(batch, result), system.now());
      return result;
    },
    lookUp(owner, batchId) {
      const { results } = find(owner, batchId);
      if (results !== null) return recall(results);
      // Written down even if nothing competes: it also overwrites what a failed commit may have left at the log's end.
      session.sql(SQL.REFUSE_BATCH).run(owner, batchId);
      return null;
    },
  };
};
