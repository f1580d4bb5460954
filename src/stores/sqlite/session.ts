import type { StatementSync } from 'node:sqlite';
import type { System } from '../../core/system.ts';
import { createChanges } from './changes.ts';
import { type Database, type Opening, openDatabase, refusedFor } from './database.ts';
import { closedFault, isLocked, storeFault } from './faults.ts';

/** Transactions over one connection. Each runs in one go, without an await, so they never mix. */
export interface Session {
  open(): Promise<void>;
  /** Fixed for the file. Known once `open` resolved. */
  readonly shards: number;
  sql(text: string): StatementSync;
  /** All or nothing, durable when it resolves. Waits for another connection's write lock without holding up the event loop. */
  write<T>(work: () => T): Promise<T>;
  /** The same for what must not wait until a log that is too long has been emptied, such as the renewal of a lease. */
  writeNow<T>(work: () => T): Promise<T>;
  /** Everything `work` reads is of one moment. */
  read<T>(work: () => T): Promise<T>;
  /** `forget` is called whenever what was remembered of the file may no longer be true. */
  remembers(forget: () => void): void;
  /** Calls `changed` soon after another connection has committed. */
  watch(changed: () => void): () => void;
  close(): void;
}

const WRITE = 'BEGIN IMMEDIATE';
const GIVE_UP_MS = 5000;
/** Between tries for the lock, at random: with three processes writing all the time, each comes to a fair third. */
const PAUSE_MS = { least: 1, most: 3 } as const;
/** How long writers wait for readers to leave a log that is too long, and how much later they try again if some stay. */
const MAKE_ROOM_MS = { most: 1000, apart: 5000 } as const;

export const createSession = (opening: Omit<Opening, 'nowMs'>, system: System): Session => {
  let database: Database | null = null;
  let opened: Promise<void> | null = null;
  let closed = false;
  let shards = 0;
  /** Data version the memories are true of. */
  let seen = -1;
  const memories: (() => void)[] = [];
  let makingRoom: Promise<void> | null = null;
  /** Somebody stays in the log: no use to try again before. */
  let noRoomUntil = 0;

  const live = (): Database => {
    if (database === null) throw closedFault();
    return database;
  };

  const pause = (): Promise<void> => {
    const pauseMs = PAUSE_MS.least + (PAUSE_MS.most - PAUSE_MS.least) * system.random();
    return new Promise((resolve) => void system.setTimer(pauseMs, resolve));
  };

  const patiently = async <T>(once: () => T, giveUp: (error: unknown) => unknown): Promise<T> => {
    const until = system.monotonic() + GIVE_UP_MS;
    for (;;) {
      try {
        return once();
      } catch (error) {
        if (!isLocked(error) || system.monotonic() >= until) throw giveUp(error);
      }
      await pause();
      if (closed) throw closedFault();
    }
  };

  /**
   * Readers of several processes that take turns keep the log from ever beginning anew. While no process writes, as all do this, each new
   * reader finds everything in the database and leaves the log alone, so it can be cut off as soon as the earlier ones are done.
   */
  const makeRoom = async (): Promise<void> => {
    const until = system.monotonic() + MAKE_ROOM_MS.most;
    for (;;) {
      try {
        live().emptyLog();
      } catch (error) {
        if (!isLocked(error)) throw storeFault(error, opening.path);
      }
      if (!live().isLogLong()) return;
      if (system.monotonic() >= until) break;
      await pause();
    }
    noRoomUntil = system.monotonic() + MAKE_ROOM_MS.apart;
  };
  const needsRoom = (): boolean => live().isLogLong() && system.monotonic() >= noRoomUntil;

  const forget = (): void => {
    for (const memory of memories) memory();
  };

  const transact = <T>(begin: string, work: () => T): T => {
    const db = live();
    db.sql(begin).run();
    try {
      const version = db.dataVersion();
      if (version !== seen) forget();
      seen = version;
      const result = work();
      db.sql('COMMIT').run();
      if (begin === WRITE) changes.wrote();
      return result;
    } catch (error) {
      forget();
      db.rollback();
      throw error;
    }
  };

  const patientTransaction = <T>(begin: string, work: () => T): Promise<T> =>
    patiently(
      () => transact(begin, work),
      (error) => storeFault(error, opening.path),
    );

  const changes = createChanges(opening.path, system, () => live().dataVersion());

  return {
    open() {
      if (closed) return Promise.reject(closedFault());
      opened ??= patiently(
        () => openDatabase({ ...opening, nowMs: system.now() }),
        (error) => (isLocked(error) ? refusedFor(error, { ...opening, nowMs: 0 }) : error),
      ).then(
        (db) => {
          if (closed) return db.close();
          database = db;
          shards = db.shards;
        },
        (error: unknown) => {
          opened = null;
          throw error;
        },
      );
      return opened;
    },
    get shards() {
      return shards;
    },
    sql: (text) => live().sql(text),
    async write(work) {
      if (makingRoom !== null || needsRoom()) {
        makingRoom ??= makeRoom().finally(() => {
          makingRoom = null;
        });
        await makingRoom;
      }
      return patientTransaction(WRITE, work);
    },
    writeNow: (work) => patientTransaction(WRITE, work),
    read: (work) => patientTransaction('BEGIN', work),
    remembers: (memory) => void memories.push(memory),
    watch: changes.watch,
    close() {
      closed = true;
      changes.close();
      database?.close();
      database = null;
    },
  };
};
