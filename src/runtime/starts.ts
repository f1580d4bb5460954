import type { ParkedDelivery } from '../core/records.ts';
import type { System } from '../core/system.ts';
import type { Holding, InHand, Place } from './holding.ts';
import { changed, detailOf } from './parking.ts';
import type { Transact } from './transact.ts';
import { STARTS_BEFORE_TRIAL } from './trials.ts';

interface Context<State> {
  readonly system: System;
  readonly transact: Transact<State>;
  readonly worker: string;
  readonly parkedDue: (inMs: number) => void;
  readonly leaseGone: (holding: Holding) => void;
}

/** Writes down that a parked delivery starts now, before its handler does. Null: it is no longer ours to run. */
export type RecordStart = (place: Place, parked: ParkedDelivery, event: InHand['event']) => Promise<InHand | null>;

export const createRecordStart =
  <State>({ system, transact, worker, parkedDue, leaseGone }: Context<State>): RecordStart =>
  async (place, parked, event) => {
    const detail = { ...detailOf(parked), worker, trial: parked.lostStarts >= STARTS_BEFORE_TRIAL };
    const record = changed(parked, { startedAt: system.now() }, detail);
    const { kind } = await transact({
      stream: place.stream,
      lease: place.holding.lease,
      persistent: true,
      park: [{ record, expect: parked.revision }],
    });
    if (kind === 'lease') leaseGone(place.holding);
    else if (kind !== 'won') parkedDue(0); // it was woken in the meantime
    return kind === 'won' ? { parked: { ...record, revision: parked.revision + 1 }, event, version: parked.version } : null;
  };
