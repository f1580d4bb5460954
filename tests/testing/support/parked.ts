import type { ParkedDelivery, StoredEvent } from '../../../src/core/records.ts';
import { RetryPolicy } from '../../../src/core/retry-policy.ts';
import { judge } from '../../../src/runtime/outcome.ts';
import { changed, detailOf, newRecord, type OperatorAction, type ParkedDetail } from '../../../src/runtime/parking.ts';
import { STARTED_AT } from './written.ts';

const POLICY = RetryPolicy.fixed({ delayMs: 1_000 }).maxAttempts(2);

/** What happens to a delivery, as the engine writes it down, a second of work and a second of waiting each. */
export type Happening = 'fails' | 'redriven' | 'edited' | 'discarded' | 'done' | 'superseded';

export interface ParkedOptions {
  readonly happens: readonly Happening[];
  readonly subscription?: string;
  readonly holds?: boolean;
  /** When the first attempt starts, after the run does. */
  readonly fromMs?: number;
  readonly error?: unknown;
}

/** The record of a delivery to which all this happened, two attempts a generation. */
export const parkedOf = (
  event: StoredEvent,
  { happens, subscription = 'payment', holds = true, fromMs = 0, error = new Error('503') }: ParkedOptions,
): ParkedDelivery => {
  let record = newRecord(subscription, event, holds);
  let now = STARTED_AT + fromMs;
  const close = (state: ParkedDelivery['state']): void => {
    record = { ...record, state, closedAt: now };
  };
  const act = (action: OperatorAction['action']): ParkedDetail => {
    const detail = detailOf(record);
    const audit = { at: new Date(now).toISOString(), by: 'ops', reason: 'it is back', generation: record.generation };
    const edits = action === 'edited' ? { edits: [...(detail.edits ?? []), { ...audit, raw: '{}', schema: 1 }] } : {};
    return { ...detail, ...edits, actions: [...detail.actions, { action, ...audit }] };
  };
  for (const what of happens) {
    if (what === 'fails') {
      const verdict = judge(record, POLICY, { error, startedAt: now, endedAt: now + 1_000, worker: 'w1' }, 0);
      now += 2_000;
      record = { ...verdict.record, deadAt: verdict.delayMs === null ? now : record.deadAt };
    } else if (what === 'redriven' || what === 'edited') {
      record = changed(record, { state: 'scheduled', attempts: 0, generation: record.generation + 1 }, act(what));
    } else {
      if (what === 'discarded') record = changed(record, {}, act(what));
      close(what);
    }
  }
  return record;
};

/** The record with something in its detail put otherwise. */
export const withDetail = (record: ParkedDelivery, change: (detail: ParkedDetail) => object): ParkedDelivery => ({
  ...record,
  detail: JSON.stringify({ ...detailOf(record), ...change(detailOf(record)) }),
});
