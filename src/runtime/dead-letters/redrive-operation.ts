import type { ParkedDelivery } from '../../core/records.ts';
import type { ParkedFilter } from '../../core/store.ts';
import { detailOf } from '../parking.ts';
import { type DeadLetterFilter, parkedFilter } from './selection.ts';

/** How far a paced redrive is. */
export interface RedriveReport {
  readonly id: string;
  /** `running`: somewhere, or a crash ended it and nobody could write that down. All but `finished` can be resumed. */
  readonly state: 'running' | 'finished' | 'stopped' | 'interrupted';
  /** What stopped or interrupted it. */
  readonly why?: string;
  readonly filter: DeadLetterFilter;
  readonly by: string;
  readonly reason: string;
  readonly perSecond: number;
  readonly stopAfterFailures: number;
  /** ISO 8601, UTC. */
  readonly beganAt: string;
  readonly updatedAt: string;
  /** Letters the filter matched when it began. */
  readonly matched: number;
  /** Letters it gave a new generation: `succeeded`, died again (`failed`), or `open`, as long as that is not known. */
  readonly redriven: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly open: number;
  /** Letters it could not change since it was resumed last: somebody was faster, or their stream refuses. */
  readonly refused: number;
}

/** A paced redrive as its document keeps it. */
export interface Operation extends Omit<RedriveReport, 'open'> {
  /** Only letters that died before this are its own, so that none is redriven twice: by the store's clock, when it began. */
  readonly asOf: number;
  /** Whoever runs it; a resume takes it over. */
  readonly runner: string;
  /** Failures before it was resumed last. */
  readonly failedBefore: number;
  /** Letters taken whose outcome is not known. */
  readonly window: readonly Taken[];
}

export interface Taken {
  readonly id: string;
  /** False: it may still have to be redriven. */
  readonly redriven: boolean;
}

/** At most this many letters are out at once, so that few die in vain when nothing has got better. */
export const WINDOW = 200;

export const reportOf = ({ asOf: _asOf, runner: _runner, failedBefore: _before, window, ...report }: Operation): RedriveReport => ({
  ...report,
  open: window.filter(({ redriven }) => redriven).length,
});

export const filterOf = ({ filter, asOf }: Operation): ParkedFilter => ({ ...parkedFilter(filter), diedBefore: asOf });

/** What the operation did to this letter. The letter itself remembers it, so no crash in between can tell otherwise. */
const actionOf = (record: ParkedDelivery, { id }: Operation) => detailOf(record).actions.find(({ operation }) => operation === id);

/** Whether it is the operation's to redrive, still: nobody else did, so that it would have died again. */
export const isLeft = (record: ParkedDelivery, operation: Operation): boolean =>
  record.state === 'dead' && (record.deadAt ?? 0) < operation.asOf && actionOf(record, operation) === undefined;

/** What this process knows of letters without looking: that it has redriven one, or that its stream refuses. */
export type Known = ReadonlyMap<string, 'redriven' | 'refused'>;

const outcomeOf = ({ id, redriven }: Taken, record: ParkedDelivery | undefined, operation: Operation, known: Known) => {
  // A timer is gone once it has fired, and anything in the end by retention: nothing that is open goes.
  if (record === undefined) return redriven || known.get(id) === 'redriven' ? 'succeeded' : null;
  const action = actionOf(record, operation);
  if (action === undefined) return isLeft(record, operation) && known.get(id) !== 'refused' ? 'waiting' : 'refused';
  if (record.generation > action.generation + 1) return 'failed';
  return record.state === 'scheduled' ? 'open' : record.state === 'done' ? 'succeeded' : 'failed';
};

/** The operation with its window looked through, and the letters in it that still have to be redriven. Pure. */
export const lookedThrough = (
  operation: Operation,
  records: ReadonlyMap<string, ParkedDelivery>,
  known: Known,
): { readonly operation: Operation; readonly waiting: readonly ParkedDelivery[] } => {
  let { redriven, succeeded, failed, refused } = operation;
  const window: Taken[] = [];
  const waiting: ParkedDelivery[] = [];
  for (const taken of operation.window) {
    const record = records.get(taken.id);
    const outcome = outcomeOf(taken, record, operation, known);
    const isOurs = outcome === 'open' || outcome === 'succeeded' || outcome === 'failed';
    if (isOurs && !taken.redriven) redriven += 1;
    if (outcome === 'open' || outcome === 'waiting') window.push({ id: taken.id, redriven: isOurs });
    if (outcome === 'waiting' && record !== undefined) waiting.push(record);
    if (outcome === 'succeeded') succeeded += 1;
    if (outcome === 'failed') failed += 1;
    if (outcome === 'refused') refused += 1;
  }
  return { operation: { ...operation, window, redriven, succeeded, failed, refused }, waiting };
};
