import { isOpen, type ParkedDelivery, type ParkedWrite } from '../../core/records.ts';
import type { System } from '../../core/system.ts';
import { isInTheWay, mayRun, onlyStarts, type ParkedRow, parkedDelivery, parkedValues } from './parked-row.ts';
import type { Session } from './session.ts';
import * as SQL from './sql.ts';
import { toSql } from './text.ts';

/** Deliveries that could not run at once, and timers. Its members run inside a transaction. */
export interface Parking {
  revision(id: string): number | 'absent';
  write(change: ParkedWrite): void;
  /** Deletes a timer. */
  drop(id: string): void;
  supersede(id: string): void;
  wake(id: string): void;
  /** Deletes all there ever were of the subscription. */
  clear(subscription: string): void;
  /** Open ones with a start whose outcome is not known. */
  started(subscription: string, shard: number): readonly ParkedDelivery[];
  /** Writes down the counts; call it once before the commit. */
  flush(): void;
}

/** What of a record its counts go by. */
type Counted = Pick<ParkedDelivery, 'subscription' | 'shard' | 'state'>;

/** The row at the front of a lane. */
type Front = Pick<ParkedRow, 'n' | 'version' | 'state' | 'started_at'> & { readonly runs: number };

interface Tally {
  scheduled: number;
  dead: number;
  retries: number;
  readonly open: Map<number, number>;
}

export const createParking = (session: Session, system: System): Parking => {
  const tallies = new Map<string, Tally>();
  /** What a guard has found and the write behind it would look for again. */
  const judged = new Map<string, ParkedRow | undefined>();
  session.remembers(() => {
    tallies.clear();
    judged.clear();
  });

  const tallyOf = (subscription: string): Tally => {
    let tally = tallies.get(subscription);
    if (tally === undefined) {
      tally = { scheduled: 0, dead: 0, retries: 0, open: new Map() };
      tallies.set(subscription, tally);
    }
    return tally;
  };
  const count = ({ subscription, shard, state }: Counted, by: number): void => {
    if (!isOpen(state)) return;
    const tally = tallyOf(subscription);
    tally[state as 'scheduled' | 'dead'] += by;
    tally.open.set(shard, (tally.open.get(shard) ?? 0) + by);
  };

  const find = (id: string): ParkedRow | undefined => session.sql(SQL.FIND_PARKED).get(toSql(id)) as unknown as ParkedRow | undefined;

  /** Whether it may run when it is due: of a lane at most the front, and what stood there before may not any more. */
  const mayRunIn = (record: ParkedDelivery, n: number): boolean => {
    if (record.kind === 'timer') return mayRun(record);
    const other = session.sql(SQL.LANE_FRONT).get(record.subscription, toSql(record.stream), n) as unknown as Front | undefined;
    const isFront = isInTheWay(record) && (other === undefined || record.version < other.version);
    if (other !== undefined) {
      const wanted = !isFront && mayRun({ state: other.state, startedAt: other.started_at }) ? 1 : 0;
      if (other.runs !== wanted) session.sql(SQL.SET_RUNS).run(wanted, other.n);
    }
    return isFront && mayRun(record);
  };

  const put = (row: ParkedRow | undefined, given: ParkedDelivery): void => {
    const record = { ...given, closedAt: isOpen(given.state) ? null : (row?.closed_at ?? system.now()) };
    const runs = mayRunIn(record, row?.n ?? 0);
    if (row === undefined) session.sql(SQL.INSERT_PARKED).run(...parkedValues(record, runs));
    else if (onlyStarts(row, record)) {
      session.sql(SQL.START_PARKED).run(record.startedAt, toSql(record.detail), record.revision, runs ? 1 : 0, row.n);
    } else session.sql(SQL.UPDATE_PARKED).run(...parkedValues(record, runs).slice(SQL.UNCHANGING), row.n);
    count(record, 1);
  };

  const change = (id: string, to: (before: ParkedDelivery) => Partial<ParkedDelivery> | null): void => {
    const row = find(id);
    if (row === undefined) return;
    const before = parkedDelivery(row);
    const changes = to(before);
    if (changes === null) return;
    count(before, -1);
    put(row, { ...before, ...changes, revision: before.revision + 1 });
  };

  return {
    revision(id) {
      const row = find(id);
      judged.set(id, row);
      return row?.revision ?? 'absent';
    },
    write({ record, delayMs, failed }) {
      const row = judged.has(record.id) ? judged.get(record.id) : find(record.id);
      judged.delete(record.id);
      const before = row && parkedDelivery(row);
      const now = system.now();
      if (before !== undefined) count(before, -1);
      if (failed === true) tallyOf(record.subscription).retries += 1;
      const wasDead = before?.state === 'dead';
      put(row, {
        ...record,
        dueAt: delayMs === undefined ? record.dueAt : now + delayMs,
        deadAt: record.state !== 'dead' ? record.deadAt : wasDead ? (record.deadAt ?? before.deadAt) : now,
        revision: (before?.revision ?? 0) + 1,
      });
    },
    drop(id) {
      const dropped = session.sql(SQL.DROP_TIMER).get(toSql(id)) as unknown as Counted | undefined;
      if (dropped !== undefined) count(dropped, -1);
    },
    supersede: (id) => change(id, ({ state }) => (state === 'dead' ? { state: 'superseded' } : null)),
    wake: (id) => change(id, (before) => (mayRun(before) ? { dueAt: system.now() } : null)),
    clear(subscription) {
      // By id, which begins with the subscription: as text, and as the bytes kept where a stream's name is no proper text.
      const [from, to] = [`${subscription}:`, `${subscription};`];
      session.sql(SQL.CLEAR_PARKED).run(from, to, subscription);
      session.sql(SQL.CLEAR_PARKED).run(Buffer.from(from, 'utf16le'), Buffer.from(to, 'utf16le'), subscription);
      session.sql(SQL.NONE_PARKED).run(subscription);
      const tally = tallyOf(subscription);
      tally.scheduled = 0;
      tally.dead = 0;
      tally.open.clear();
    },
    started: (subscription, shard) =>
      (session.sql(SQL.STARTED).all(subscription, shard) as unknown as readonly ParkedRow[]).map(parkedDelivery),
    flush() {
      judged.clear();
      for (const [subscription, { scheduled, dead, retries, open }] of tallies) {
        if (scheduled !== 0 || dead !== 0 || retries !== 0) session.sql(SQL.COUNT_PARKED).run(scheduled, dead, retries, subscription);
        for (const [shard, by] of open) if (by !== 0) session.sql(SQL.COUNT_PARKED_HERE).run(by, subscription, shard);
      }
      tallies.clear();
    },
  };
};
