import { flag, resolveOptions } from '../../core/options.ts';

/**
 * What may go wrong in a simulated run; each can be switched off.
 */
export interface Faults {
  /** Processes die at any moment, between any two calls of the store or of a service, and are started again. */
  readonly crashes?: boolean;
  /** Deliveries that kill every process they run in, for a while. */
  readonly poison?: boolean;
  /** A process stands still, beyond its leases too, and goes on as if nothing had happened. */
  readonly stalls?: boolean;
  /** The store is away, for all or for one process; slow; or loses its replies. */
  readonly store?: boolean;
  /** The disk is full: reads are answered, commits are not taken. */
  readonly fullDisk?: boolean;
  /** Services are slow, down, silent, answer too late, lose their replies, or get a request twice. */
  readonly services?: boolean;
  /** Handlers throw, for once or for good, hang, or fail after they did everything. */
  readonly handlers?: boolean;
  /** Clients ask several times at once. */
  readonly repeats?: boolean;
  /** The wall clocks of processes, and of the store, jump. */
  readonly clocks?: boolean;
  /** Customers cancel, at any moment. */
  readonly cancels?: boolean;
  /** In every third run a broker carries the events; it loses, repeats, delays and reorders them, and is away. */
  readonly broker?: boolean;
  /** Operators redrive, discard, edit, pause and resume, and stop workers. */
  readonly operators?: boolean;
}

export type ResolvedFaults = Required<Faults>;

const NAMES = [
  'crashes',
  'poison',
  'stalls',
  'store',
  'fullDisk',
  'services',
  'handlers',
  'repeats',
  'clocks',
  'cancels',
  'broker',
  'operators',
] as const;

const checks = Object.fromEntries(NAMES.map((name) => [name, flag(true)])) as Record<keyof Faults, ReturnType<typeof flag>>;

/** @throws OrderfoldError `CONFIG` */
export const resolveFaults = (given: Faults | undefined): ResolvedFaults => resolveOptions('simulate.faults', given, checks);
