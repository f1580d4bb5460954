import type { StoredEvent } from '../../../src/core/records.ts';
import { audit } from '../../../src/testing/audit.ts';
import type { RecordedRun } from '../../../src/testing/recorded-run.ts';
import { parkedOf } from './parked.ts';
import { effects, PLAN, runOf, written } from './written.ts';

export const PLACED = ['PaymentRequested', 'InventoryRequested'] as const;
export const DONE = [...PLACED, 'PaymentSucceeded', 'InventorySucceeded'] as const;
export const CONFIRMED = [...DONE, 'NotificationRequested', 'NotificationSucceeded', 'OrderConfirmed'] as const;
export const CANCELLING = [
  ...PLACED,
  'PaymentSucceeded',
  'InventoryRefused',
  'CancellationStarted refused',
  'PaymentUndoRequested',
] as const;
export const CANCELLED = [...CANCELLING, 'PaymentUndone', 'OrderCancelled'] as const;
export const LATE = [...PLACED, 'CancellationStarted deadline', 'StepSkipped payment', 'StepSkipped inventory', 'OrderCancelled'] as const;
export const BY_HAND = [
  ...CANCELLING,
  'StepDeadLettered payment undo',
  'DeadLetterDiscarded payment undo',
  'UndoneByHand payment',
  'OrderCancelled',
] as const;
export const REDRIVEN = [
  ...PLACED,
  'StepDeadLettered payment',
  'DeadLetterRedriven payment',
  'PaymentSucceeded',
  'InventorySucceeded',
  ...CONFIRMED.slice(4),
] as const;
export const PAID = effects('payment do 100', 'inventory do', 'notification do');
export const REFUNDED = effects('payment do 100', 'payment undo 100');

export const confirmed = (rest: Parameters<typeof runOf>[1] = {}): RecordedRun => runOf(written(CONFIRMED), { effects: PAID, ...rest });
export const cancelled = (rest: Parameters<typeof runOf>[1] = {}): RecordedRun => runOf(written(CANCELLED), { effects: REFUNDED, ...rest });
export const redriven = (rest: Parameters<typeof runOf>[1] = {}, letter = {}): RecordedRun => {
  const events = written(REDRIVEN);
  const record = parkedOf(events[1] as StoredEvent, { happens: ['fails', 'fails', 'redriven', 'fails', 'done'] });
  return runOf(events, { parked: [{ ...record, ...letter }], effects: PAID, ...rest });
};
export const byHand = (rest: Parameters<typeof runOf>[1] = {}): RecordedRun => {
  const events = written(BY_HAND);
  const record = parkedOf(events[6] as StoredEvent, { happens: ['fails', 'fails', 'discarded'] });
  return runOf(events, { parked: [record], effects: REFUNDED.slice(0, 1), ...rest });
};
export const dead = (rest: Parameters<typeof runOf>[1] = {}): RecordedRun => {
  const events = written([...PLACED, 'InventorySucceeded', 'StepDeadLettered payment']);
  return runOf(events, { parked: [parkedOf(events[1] as StoredEvent, { happens: ['fails', 'fails'] })], stage: 'quiet', ...rest });
};
export const letterOf = (run: RecordedRun) => run.parked[0] as RecordedRun['parked'][number];
/** Two deliveries of one stream to one subscription, outside of any order. */
export const lane = (first: Parameters<typeof parkedOf>[1], second: Parameters<typeof parkedOf>[1]): RecordedRun => {
  const [, ...rest] = written(['A', 'B'], PLAN, 's');
  const events = rest.map((event) => ({ ...event, version: event.version - 1, position: event.version - 1 }));
  return runOf(events, { parked: [parkedOf(events[0] as StoredEvent, first), parkedOf(events[1] as StoredEvent, second)], stage: 'quiet' });
};
export const changedEvent = (run: RecordedRun, at: number, change: Partial<StoredEvent>): RecordedRun => ({
  ...run,
  streams: new Map(
    [...run.streams].map(([stream, events]) => [stream, events.map((event, n) => (n === at ? { ...event, ...change } : event))]),
  ),
});

/** What is wrong with a run: the invariant that has to find it, and those that can't but find it too. */
export type Doctored = readonly [id: string, what: string, run: RecordedRun, also?: readonly string[]];

/** The invariants a run violates. */
export const found = (run: RecordedRun): readonly string[] => [...new Set(audit(run).violations.map(({ invariant }) => invariant))].sort();
