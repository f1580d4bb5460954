/** What strikes a process at its n-th call of one member of the store, or of any, counted from 1. */
export interface StoreFault {
  readonly of:
    | 'any'
    | 'open'
    | 'register'
    | 'commit'
    | 'lookUp'
    | 'tick'
    | 'heads'
    | 'read'
    | 'due'
    | 'held'
    | 'stream'
    | 'events'
    | 'parked'
    | 'dead'
    | 'causes'
    | 'prune'
    | 'documents'
    | 'documentPage'
    | 'pauses';
  readonly nth: number;
  /**
   * `…Before`: the store never saw the call; `…After`: it did all of it, and the reply was lost. `refuse`: not seen, and
   * asking again is said to be of no use. `slow`: the reply takes a second; `lag`: a fiftieth of one; `stuck`: ten.
   */
  readonly kind: 'rejectBefore' | 'rejectAfter' | 'refuse' | 'crashBefore' | 'crashAfter' | 'slow' | 'lag' | 'stuck';
}

/** How the store fails everybody: before or after it did what was asked, or because its disk is full. */
export type Outage = 'before' | 'after' | 'full';

/** A fault that was planned, or an outage. */
export type Strike = StoreFault['kind'] | Outage;

/** The store never saw the call, and the caller is told that it failed. */
export const REJECTED: ReadonlySet<Strike> = new Set<Strike>(['rejectBefore', 'refuse', 'before', 'full']);

/** How long a slow reply takes. */
export const REPLY_MS = { lag: 20, slow: 1000, stuck: 10_000 } as const;
