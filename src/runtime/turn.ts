import type { ParkedDelivery, StoredEvent } from '../core/records.ts';
import type { Holding, InHand, Lane, Place } from './holding.ts';
import { detailOf } from './parking.ts';

/** How running went: its handler is at work and tells when it ends, or the delivery is over. */
export type Went = 'called' | 'over';

/** One delivery at the head of a lane. */
export interface Turn extends Place {
  readonly lane: Lane;
  readonly inHand: InHand;
  /** What follows its end; null: its lane is told. */
  readonly over: (() => void) | null;
  /** How often its documents came too late. */
  readonly repeats: number;
}

/** An event read from the log, as it is in hand. */
export const fresh = (event: StoredEvent): InHand => ({ event, parked: null, version: event.version });

/** Milliseconds since its last start ended here, or at the latest when the lease was gained; null if it never started. */
export const sinceLastStart = (record: ParkedDelivery, { lastEnded, gainedAt }: Holding, now: number): number | null => {
  const endedAt = lastEnded.get(record.id);
  const isFirst = record.attempts === 0 && record.generation === 0 && record.lostStarts === 0 && detailOf(record).lost.length === 0;
  return isFirst && endedAt === undefined ? null : now - (endedAt ?? gainedAt);
};
