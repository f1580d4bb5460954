import { isDeepStrictEqual } from 'node:util';
import type { StoredEvent } from '../../../src/core/records.ts';
import type { FoldableEvent } from '../../../src/order/evolve.ts';
import { fold } from '../../../src/order/fold.ts';
import { FOLD_FINGERPRINT } from '../../../src/order/fold-fingerprint.ts';
import type { Order } from '../../../src/order/order.ts';
import { LAWS, unanswered } from '../../order/support/laws.ts';
import type { Notes } from '../evidence.ts';
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

  look('S5 to S21 laws of histories', Object.keys(LAWS).length + 1);
  for (const [name, law] of Object.entries(LAWS))
    for (const text of law(history, order.plan)) bad('S5 to S21 laws of histories', `${name}: ${text}`);
  for (const id of unanswered(history, order.plan)) bad('S5 to S21 laws of histories', `S10 ${id} has no outcome`);
  look('settled');
  if (order.status !== 'confirmed' && order.status !== 'cancelled') bad('settled', `is ${order.status}`);
};

/** Streams, folds and the laws of the order of events. */
export const auditHistories = ({ orders, log }: Recorded, notes: Notes): void => {
  for (const order of orders) auditOrder(order, notes);
  for (const [shard, events] of log.entries()) {
    notes.look('S16 shards without a gap');
    const at = events.findIndex(({ position }, index) => position !== index + 1);
    if (at >= 0) notes.fault('S16 shards without a gap', `shard ${shard} has position ${events[at]?.position} in place ${at + 1}`);
  }
};
