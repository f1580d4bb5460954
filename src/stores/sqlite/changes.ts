import { type FSWatcher, watch } from 'node:fs';
import type { System, Timer } from '../../core/system.ts';

/** Notices what other connections commit. */
export interface Changes {
  /** Calls `changed` soon after another connection has committed. Returns how to stop. */
  watch(changed: () => void): () => void;
  /** This connection has committed: what the file system tells of in this moment is no news. */
  wrote(): void;
  close(): void;
}

/**
 * Milliseconds between looks, a look being some 150 µs with the wake-up. The file system tells of a write before that is visible, so looks come
 * close together for a while after it has. Where it never tells, looks alone have to do: 25 ms apart once all is quiet (0.7 % of a core).
 */
const LOOK_MS = { told: 1, busy: 5, quiet: 25, quietButTold: 100 } as const;
/** Within this long of a commit of one's own, a write told of is taken for that. */
const OWN_MS = 3;
const CLOSE_FOR_MS = { told: 25, busy: 250 } as const;

/** @param version changes when another connection has committed; throws while the file is locked. */
export const createChanges = (path: string, system: System, version: () => number): Changes => {
  const watchers = new Set<() => void>();
  let timer: Timer | null = null;
  let lookAt = 0;
  let files: FSWatcher | null = null;
  /** The file system has told of a write before, so that it can be waited for. */
  let tells = false;
  let toldAt = Number.NEGATIVE_INFINITY;
  let changedAt = Number.NEGATIVE_INFINITY;
  let wroteAt = Number.NEGATIVE_INFINITY;
  let seen = 0;

  const pauseMs = (now: number): number => {
    if (now - toldAt < CLOSE_FOR_MS.told) return LOOK_MS.told;
    // A disk that takes its time makes what was told of visible later.
    if (now - Math.max(changedAt, toldAt) < CLOSE_FOR_MS.busy) return LOOK_MS.busy;
    return tells ? LOOK_MS.quietButTold : LOOK_MS.quiet;
  };

  const look = (): void => {
    timer = null;
    let found = seen;
    try {
      found = version();
    } catch {
      // Locked or closing: the next look will tell.
    }
    const now = system.monotonic();
    if (found !== seen) {
      changedAt = now;
      // What the file system told of has been seen.
      toldAt = Number.NEGATIVE_INFINITY;
    }
    lookIn(pauseMs(now));
    if (found === seen) return;
    seen = found;
    for (const changed of [...watchers]) changed();
  };

  const lookIn = (inMs: number): void => {
    const at = system.monotonic() + inMs;
    if (timer !== null && lookAt <= at) return;
    timer?.cancel();
    lookAt = at;
    timer = system.setTimer(inMs, look);
  };

  const told = (): void => {
    tells = true;
    const now = system.monotonic();
    const isOwn = now - wroteAt < OWN_MS;
    if (!isOwn) toldAt = now;
    if (watchers.size > 0) lookIn(isOwn ? LOOK_MS.busy : LOOK_MS.told);
  };

  const stop = (): void => {
    timer?.cancel();
    timer = null;
    files?.close();
    files = null;
  };

  const start = (): void => {
    seen = version();
    try {
      files = watch(`${path}-wal`, { persistent: false }, told);
      files.on('error', () => {
        tells = false;
        files?.close();
      });
    } catch {
      // No such service here, or too many files watched: looks have to do.
    }
    lookIn(LOOK_MS.busy);
  };

  return {
    watch(changed) {
      const watcher = () => changed();
      if (watchers.size === 0) start();
      watchers.add(watcher);
      return () => {
        watchers.delete(watcher);
        if (watchers.size === 0) stop();
      };
    },
    wrote() {
      wroteAt = system.monotonic();
    },
    close() {
      watchers.clear();
      stop();
    },
  };
};
