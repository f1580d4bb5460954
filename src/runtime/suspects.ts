import { isDone } from '../core/checkpoint.ts';
import { OrderfoldError } from '../core/errors.ts';
import type { ParkedDelivery, ParkedWrite, StoredEvent } from '../core/records.ts';
import { RetryPolicy } from '../core/retry-policy.ts';
import type { Lease, Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import { judge, type Verdict } from './outcome.ts';
import { changed, detailOf, newRecord, withLost } from './parking.ts';
import type { Subscription } from './subscription.ts';

/** More trials than this end in death even where the policy sets no limit. */
const MOST_CRASHES = 20;
const PAGE = 500;

/** What the last owner of a lease may have started and never told the outcome of, and how to write that down. */
export interface Suspects {
  readonly done: readonly number[];
  readonly park: readonly ParkedWrite[];
  /** Those that crashed alone and are out of attempts. */
  readonly dead: readonly { readonly record: ParkedDelivery; readonly verdict: Verdict }[];
}

const lost = (record: ParkedDelivery): ParkedDelivery => {
  const detail = detailOf(record);
  const startedAt = record.startedAt === null ? null : new Date(record.startedAt).toISOString();
  const { worker = null, trial: _trial, ...kept } = withLost(detail, { startedAt, worker: detail.worker ?? null, how: 'crash' });
  void worker;
  return changed(record, { startedAt: null, lostStarts: record.lostStarts + 1 }, kept);
};

const crashed = (record: ParkedDelivery, policy: RetryPolicy, now: number, random: number): Verdict => {
  const error = new OrderfoldError('HANDLER', 'the process ended while this delivery ran alone');
  Object.defineProperty(error, 'code', { value: 'CRASHED' });
  const startedAt = record.startedAt ?? now;
  const last = record.lostStarts < MOST_CRASHES ? undefined : { rule: `${MOST_CRASHES} crashes are the most a delivery gets` };
  return judge(record, policy, { error, startedAt, endedAt: now, worker: detailOf(record).worker ?? 'unknown' }, random, last);
};

/**
 * Finds the suspects of a lease that was not let go cleanly: the undone deliveries up to the start mark, and the parked
 * starts without an outcome. A start lost in company costs no attempt; a crash on trial is charged to the one on trial.
 */
export const findSuspects = async (store: Store, system: System, lease: Lease, subscription: Subscription): Promise<Suspects> => {
  const done: number[] = [];
  const park: ParkedWrite[] = [];
  const dead: { record: ParkedDelivery; verdict: Verdict }[] = [];
  // After a clean end nothing above the checkpoint is suspect, nor is what may run again at any time.
  const isSure = lease.clean || subscription.batch?.stored === true;
  for (let after = lease.checkpoint.low; !isSure && after < lease.startMark; ) {
    const page: readonly StoredEvent[] = await store.read(lease.shard, after, Math.min(PAGE, lease.startMark - after));
    for (const event of page) {
      if (isDone(lease.checkpoint, event.position) || !subscription.routes.has(event.type)) continue;
      done.push(event.position);
      park.push({ record: lost(newRecord(subscription.name, event, subscription.holds)), expect: 'absent', delayMs: 0 });
    }
    if (page.length === 0) break;
    after = page.at(-1)?.position ?? lease.startMark;
  }
  for (const record of lease.started) {
    const retry = record.kind === 'timer' ? RetryPolicy.default : subscription.routes.get(record.type)?.retry;
    if (detailOf(record).trial !== true || retry === undefined) {
      park.push({ record: lost(record), expect: record.revision, delayMs: 0 });
      continue;
    }
    const verdict = crashed(lost(record), retry, system.now(), system.random());
    if (verdict.delayMs === null) dead.push({ record, verdict });
    else park.push({ record: verdict.record, expect: record.revision, delayMs: verdict.delayMs, failed: true });
  }
  return { done, park, dead };
};
