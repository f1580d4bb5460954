import { isOpen, type ParkedDelivery, type ParkedWrite } from '../../core/records.ts';
import type { CauseGroup, LeaseRef, Page, ParkedFilter } from '../../core/store.ts';

const isInTheWay = (record: ParkedDelivery): boolean =>
  record.kind === 'delivery' && (record.state === 'scheduled' || (record.state === 'dead' && record.holds));

/** Whether one letter comes after another in "the latest to die first". */
const isBehind = (deadAt: number, id: string, otherDeadAt: number, otherId: string): boolean =>
  deadAt < otherDeadAt || (deadAt === otherDeadAt && id < otherId);

const matches = (record: ParkedDelivery, filter: ParkedFilter): boolean =>
  record.state === 'dead' &&
  (filter.subscription === undefined || filter.subscription === record.subscription) &&
  (filter.type === undefined || filter.type === record.type) &&
  (filter.stream === undefined || filter.stream === record.stream) &&
  (filter.cause === undefined || filter.cause === record.cause) &&
  (filter.diedFrom === undefined || (record.deadAt ?? 0) >= filter.diedFrom) &&
  (filter.diedBefore === undefined || (record.deadAt ?? 0) < filter.diedBefore);

const laneOf = (subscription: string, stream: string): string => `${subscription}\0${stream}`;

/** Of these, by due time: at most `limit` of each subscription that are due, and the first that was not taken. */
export const firstDue = (runnable: readonly ParkedDelivery[], now: number, limit: number) => {
  const taken = new Map<string, number>();
  const due: ParkedDelivery[] = [];
  let next: ParkedDelivery | undefined;
  for (const record of runnable) {
    const before = taken.get(record.subscription) ?? 0;
    if (record.dueAt > now || before >= limit) next ??= record;
    else {
      taken.set(record.subscription, before + 1);
      due.push(record);
    }
  }
  return { due, next };
};

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
    const before = records.get(record.id);
    const dies = record.state === 'dead' && before?.state !== 'dead';
    put({
      ...record,
      dueAt: delayMs === undefined ? record.dueAt : now + delayMs,
      deadAt: dies ? now : record.deadAt,
      closedAt: isOpen(record.state) ? null : (before?.closedAt ?? now),
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
        .filter((record) => matches(record, filter))
        .filter(({ deadAt, id }) => lastDeadAt === undefined || isBehind(deadAt ?? 0, id, lastDeadAt, lastId))
        .sort((a, b) => (isBehind(a.deadAt ?? 0, a.id, b.deadAt ?? 0, b.id) ? 1 : -1));
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit), nextCursor: last === undefined ? null : JSON.stringify([last.deadAt, last.id]) };
    },
    causes(filter: ParkedFilter): CauseGroup[] {
      const groups = new Map<string, CauseGroup>();
      for (const record of records.values()) {
        if (!matches(record, filter)) continue;
        const cause = record.cause ?? '';
        const deadAt = record.deadAt ?? 0;
        const group = groups.get(cause) ?? { cause, letters: 0, firstDeadAt: deadAt, lastDeadAt: deadAt, latest: record.id };
        const isLater = isBehind(group.lastDeadAt, group.latest, deadAt, record.id);
        groups.set(cause, {
          ...group,
          letters: group.letters + 1,
          firstDeadAt: Math.min(group.firstDeadAt, deadAt),
          lastDeadAt: Math.max(group.lastDeadAt, deadAt),
          latest: isLater ? record.id : group.latest,
        });
      }
      return [...groups.values()].sort((a, b) => b.letters - a.letters || (a.cause < b.cause ? -1 : 1));
    },
    prune(closedBefore: number, limit: number): number {
      const old = [...records.values()].filter(({ closedAt }) => closedAt !== null && closedAt < closedBefore).slice(0, limit);
      for (const { id } of old) records.delete(id);
      return old.length;
    },
    clear(subscription: string): void {
      for (const record of [...records.values()]) {
        if (record.subscription !== subscription) continue;
        put({ ...record, state: 'done' });
        records.delete(record.id);
      }
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
