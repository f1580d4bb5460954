import { isOpen, type ParkedDelivery, type ParkedWrite } from '../../core/records.ts';
import type { LeaseRef, Page, ParkedFilter } from '../../core/store.ts';

const isInTheWay = (record: ParkedDelivery): boolean =>
  record.kind === 'delivery' && (record.state === 'scheduled' || (record.state === 'dead' && record.holds));

/** Whether one letter comes after another in "the latest to die first". */
const isBehind = (deadAt: number, id: string, otherDeadAt: number, otherId: string): boolean =>
  deadAt < otherDeadAt || (deadAt === otherDeadAt && id < otherId);

const laneOf = (subscription: string, stream: string): string => `${subscription}\0${stream}`;

/** Every delivery that could not run at once, and the timers. */
export const memoryParked = () => {
  const records = new Map<string, ParkedDelivery>();
  const openByLane = new Map<string, Map<string, ParkedDelivery>>();
  const openByShard = new Map<string, Map<string, ParkedDelivery>>();
  const retries = new Map<string, number>();

  const indexes = (record: ParkedDelivery): [Map<string, Map<string, ParkedDelivery>>, string][] => [
    [openByLane, laneOf(record.subscription, record.stream)],
    [openByShard, laneOf(record.subscription, String(record.shard))],
  ];
  const put = (record: ParkedDelivery): void => {
    records.set(record.id, record);
    for (const [index, key] of indexes(record)) {
      const entries = index.get(key) ?? new Map<string, ParkedDelivery>();
      if (isOpen(record.state)) index.set(key, entries.set(record.id, record));
      else if (entries.delete(record.id) && entries.size === 0) index.delete(key);
    }
  };
  const openIn = (lease: LeaseRef): ParkedDelivery[] => [
    ...(openByShard.get(laneOf(lease.subscription, String(lease.shard)))?.values() ?? []),
  ];
  const isHeld = (subscription: string, stream: string, version: number): boolean => {
    for (const other of openByLane.get(laneOf(subscription, stream))?.values() ?? []) {
      if (other.version < version && isInTheWay(other)) return true;
    }
    return false;
  };

  const write = ({ record, expect, delayMs, failed }: ParkedWrite, now: number): void => {
    if (failed === true) retries.set(record.subscription, (retries.get(record.subscription) ?? 0) + 1);
    const dies = record.state === 'dead' && records.get(record.id)?.state !== 'dead';
    put({
      ...record,
      dueAt: delayMs === undefined ? record.dueAt : now + delayMs,
      deadAt: dies ? now : record.deadAt,
      revision: expect === 'absent' ? 1 : expect + 1,
    });
  };

  return {
    get: (id: string): ParkedDelivery | undefined => records.get(id),
    isHeld,
    openIn,
    write,
    drop(id: string): void {
      const record = records.get(id);
      if (record === undefined) return;
      put({ ...record, state: 'done' });
      records.delete(id);
    },
    supersede(id: string, now: number): void {
      const record = records.get(id);
      if (record?.state === 'dead') write({ record: { ...record, state: 'superseded' }, expect: record.revision }, now);
    },
    wake(id: string, now: number): void {
      const record = records.get(id);
      if (record?.state === 'scheduled' && record.startedAt === null) write({ record, expect: record.revision, delayMs: 0 }, now);
    },
    /** Runnable ones of a lease by due time, whether due yet or not. */
    runnable: (lease: LeaseRef): ParkedDelivery[] =>
      openIn(lease)
        .filter(
          (r) => r.state === 'scheduled' && r.startedAt === null && (r.kind === 'timer' || !isHeld(r.subscription, r.stream, r.version)),
        )
        .sort((a, b) => a.dueAt - b.dueAt),
    ofStream: (stream: string, which: 'open' | 'all'): ParkedDelivery[] =>
      [...records.values()]
        .filter((record) => record.stream === stream && (which === 'all' || isOpen(record.state)))
        .sort((a, b) => (a.subscription < b.subscription ? -1 : a.subscription > b.subscription ? 1 : a.version - b.version)),
    /** Page by page: a cursor is the place of the page's last letter, so that it stands whatever becomes of the letters before it. */
    dead(filter: ParkedFilter, limit: number, cursor: string | null): Page<ParkedDelivery> {
      const [lastDeadAt, lastId = ''] = cursor === null ? [] : (JSON.parse(cursor) as [number, string]);
      const rows = [...records.values()]
        .filter(
          (record) =>
            record.state === 'dead' &&
            (filter.subscription === undefined || filter.subscription === record.subscription) &&
            (filter.type === undefined || filter.type === record.type) &&
            (filter.stream === undefined || filter.stream === record.stream) &&
            (filter.cause === undefined || filter.cause === record.cause),
        )
        .filter(({ deadAt, id }) => lastDeadAt === undefined || isBehind(deadAt ?? 0, id, lastDeadAt, lastId))
        .sort((a, b) => (isBehind(a.deadAt ?? 0, a.id, b.deadAt ?? 0, b.id) ? 1 : -1));
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit), nextCursor: last === undefined ? null : JSON.stringify([last.deadAt, last.id]) };
    },
    tally(subscription: string): { scheduled: number; dead: number; retries: number } {
      const mine = [...records.values()].filter((record) => record.subscription === subscription);
      return {
        scheduled: mine.filter((record) => record.state === 'scheduled').length,
        dead: mine.filter((record) => record.state === 'dead').length,
        retries: retries.get(subscription) ?? 0,
      };
    },
  };
};
