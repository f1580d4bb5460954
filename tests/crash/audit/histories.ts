import { isDeepStrictEqual } from 'node:util';
import type { StoredEvent } from '../../../src/core/records.ts';
import type { FoldableEvent } from '../../../src/order/evolve.ts';
import { fold } from '../../../src/order/fold.ts';
import { FOLD_FINGERPRINT } from '../../../src/order/fold-fingerprint.ts';
import type { Order } from '../../../src/order/order.ts';
import { audit, invariants } from '../../../src/testing/audit.ts';
import { CLOCK_STEPPED, type Evidence, type Notes } from '../evidence.ts';
import type { Recorded, RecordedOrder } from './recorded.ts';

const foldable = ({ stream, version, type, data, time }: StoredEvent): FoldableEvent => ({
  stream,
  version,
  type,
  data: JSON.parse(data) as unknown,
  time: new Date(time).toISOString(),
});

const auditOrder = ({ row, events }: RecordedOrder, { look, fault }: Notes): void => {
  const bad = (rule: string, text: string): void => fault(rule, text, row.stream);
  const history = events.map(foldable);
  look('S16 streams without a gap');
  if (row.version !== events.length)
    bad('S16 streams without a gap', `its row is at version ${row.version}, its last event is ${events.length}`);
  let order: Order | undefined;
  try {
    order = fold(history);
  } catch (error) {
    bad('S15 every history folds', String(error));
  }
  if (order === undefined) return;

  look('S14 the stored state is a fresh fold');
  const stored: unknown = row.state === null ? null : JSON.parse(row.state);
  const same = isDeepStrictEqual(stored, JSON.parse(JSON.stringify(order)));
  if (!same) bad('S14 the stored state is a fresh fold', `stored is ${row.state?.slice(0, 300)}`);
  if (row.stateVersion !== row.version || row.fingerprint !== FOLD_FINGERPRINT || row.status !== order.status) {
    bad('S14 the stored state is a fresh fold', `stored as ${row.status} at ${row.stateVersion} by ${row.fingerprint}`);
  }

  look('settled');
  if (order.status !== 'confirmed' && order.status !== 'cancelled') bad('settled', `is ${order.status}`);
};

/** What the library itself says must never be, but for money, which has an audit of its own. */
const auditLaws = ({ struck }: Evidence, { orders }: Recorded, { look, fault }: Notes): void => {
  const streams = new Map(orders.map(({ row, events }) => [row.stream, events]));
  const parked = orders.flatMap((order) => order.parked);
  const clockWasSet = (struck[CLOCK_STEPPED] ?? 0) > 0;
  const { checked, violations } = audit({ streams, parked, effects: [], stage: 'settled', clockWasSet });
  for (const { id, says } of invariants) if ((checked[id] ?? 0) > 0) look(`laws: ${id} ${says}`, checked[id]);
  for (const { invariant, text, orderId } of violations) {
    const says = invariants.find(({ id }) => id === invariant)?.says;
    fault(`laws: ${invariant} ${says}`, text, orderId);
  }
};

/** Streams, folds and the laws of what happens. */
export const auditHistories = (evidence: Evidence, recorded: Recorded, notes: Notes): void => {
  const { orders, log } = recorded;
  for (const order of orders) auditOrder(order, notes);
  auditLaws(evidence, recorded, notes);
  for (const [shard, events] of log.entries()) {
    notes.look('S16 shards without a gap');
    const at = events.findIndex(({ position }, index) => position !== index + 1);
    if (at >= 0) notes.fault('S16 shards without a gap', `shard ${shard} has position ${events[at]?.position} in place ${at + 1}`);
  }
};
