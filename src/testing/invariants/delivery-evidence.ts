import type { Attempt } from '../../core/ledger.ts';
import { isOpen, type ParkedDelivery } from '../../core/records.ts';
import { detailOf, type ParkedDetail } from '../../runtime/parking.ts';

/** A parked delivery with its detail read. */
export interface DeliveryEvidence {
  readonly record: ParkedDelivery;
  readonly isOpen: boolean;
  /** Undefined where the detail can't be read. */
  readonly detail: ParkedDetail | undefined;
  /** Its failed attempts, the oldest first. */
  readonly attempts: readonly Attempt[];
  /** Attempts are left out in front of the one with this index; 0 where none are. */
  readonly gapAt: number;
}

/** How many of the first attempts a ledger keeps when it leaves some out. */
const KEPT_IN_FRONT = 5;

const readable = (record: ParkedDelivery): ParkedDetail | undefined => {
  try {
    const detail: Partial<ParkedDetail> | null = detailOf(record);
    const lists = [detail?.ledger?.attempts, detail?.actions, detail?.lost];
    return lists.every(Array.isArray) ? (detail as ParkedDetail) : undefined;
  } catch {
    return undefined;
  }
};

export const deliveryOf = (record: ParkedDelivery): DeliveryEvidence => {
  const detail = readable(record);
  return {
    record,
    isOpen: isOpen(record.state),
    detail,
    attempts: detail?.ledger.attempts ?? [],
    gapAt: (detail?.ledger.omitted ?? 0) > 0 ? KEPT_IN_FRONT : 0,
  };
};
