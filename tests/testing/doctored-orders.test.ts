import { describe, expect, it } from 'vitest';
import { audit, invariants } from '../../src/testing/audit.ts';
import type { RecordedRun } from '../../src/testing/recorded-run.ts';
import {
  byHand,
  CANCELLED,
  CANCELLING,
  CONFIRMED,
  cancelled,
  changedEvent,
  confirmed,
  DONE,
  type Doctored,
  dead,
  found,
  LATE,
  lane,
  PAID,
  PLACED,
  REFUNDED,
  redriven,
} from './support/runs.ts';
import { DETAILS, PLAN, runOf, written } from './support/written.ts';

const sound: readonly (readonly [what: string, run: RecordedRun])[] = [
  ['a confirmed order', confirmed()],
  ['a cancelled order', cancelled()],
  ['an order its deadline cancelled', runOf(written(LATE), { effects: PAID.slice(0, 0) })],
  ['a redriven payment', redriven()],
  ['a refund done by hand', byHand()],
  ['a refund done by hand that the service knows', byHand({ effects: REFUNDED })],
  ['a dead letter nobody has seen to', dead()],
  ['two deliveries of a stream, one after the other', lane({ happens: ['fails', 'done'] }, { happens: ['fails', 'done'], fromMs: 5_000 })],
  [
    'a later delivery that ran while an earlier one was dead, where nothing waits for the dead',
    lane({ happens: ['fails', 'fails'], holds: false }, { happens: ['fails', 'done'], fromMs: 5_000, holds: false }),
  ],
];

const doctored: readonly Doctored[] = [
  [
    'S5',
    'notifies before it is paid',
    runOf(
      written([...PLACED, 'PaymentSucceeded', 'NotificationRequested', 'InventorySucceeded', 'NotificationSucceeded', 'OrderConfirmed']),
    ),
  ],
  [
    'S6',
    'starts a step after the cancellation',
    runOf(
      written([
        'PaymentRequested',
        'PaymentRefused',
        'CancellationStarted refused',
        'InventoryRequested',
        'StepSkipped inventory',
        'OrderCancelled',
      ]),
    ),
  ],
  [
    'S6',
    'starts a step twice',
    runOf(written([...PLACED, 'PaymentSucceeded', 'PaymentRequested', 'PaymentSucceeded', 'InventorySucceeded', ...CONFIRMED.slice(4)])),
  ],
  [
    'S6',
    'cancels past the point of no return',
    runOf(
      written([
        ...CONFIRMED.slice(0, 5),
        'CancellationStarted',
        'StepSkipped notification',
        'PaymentUndoRequested',
        'InventoryUndoRequested',
        'PaymentUndone',
        'InventoryUndone',
        'OrderCancelled',
      ]),
    ),
  ],
  ['S8', 'goes on after it is confirmed', runOf(written([...CONFIRMED, 'DeadlinePassed'])), ['S19']],
  ['S8', 'starts again after it was cancelled', runOf(written([...CANCELLED, 'DeadlinePassed'])), ['S19']],
  ['S9', 'ends twice', runOf(written([...CONFIRMED, 'OrderCancelled']))],
  ['S9', 'has no end', runOf(written(DONE)), ['S17']],
  ['S10', 'forgets a request', runOf(written(PLACED), { stage: 'quiet' }), ['S17']],
  ['S10', 'waits for a dead letter that is gone', dead({ parked: [] })],
  ['S10', 'does not know of its dead letter', { ...dead(), streams: runOf(written([...PLACED, 'InventorySucceeded'])).streams }],
  [
    'S11',
    'answers under another key',
    runOf(written([...PLACED, { type: 'PaymentSucceeded', effectKey: 'o:inventory' }, 'InventorySucceeded', ...CONFIRMED.slice(4)])),
  ],
  [
    'S11',
    'answers what nobody asked',
    runOf(written([...DONE, { type: 'NotificationSucceeded', request: 'o@1' }], PLAN), { stage: 'running' }),
  ],
  [
    'S12',
    'writes an outcome twice',
    runOf(written([...PLACED, 'PaymentSucceeded', 'PaymentSucceeded', 'InventorySucceeded', ...CONFIRMED.slice(4)])),
  ],
  [
    'S13',
    'is confirmed before a step is done',
    runOf(written([...DONE, 'NotificationRequested', 'OrderConfirmed', 'NotificationSucceeded']), { stage: 'running' }),
    ['S8'],
  ],
  [
    'S13',
    'is cancelled while a step stands',
    runOf(written([...PLACED, 'PaymentSucceeded', 'InventoryRefused', 'CancellationStarted refused', 'OrderCancelled'])),
  ],
  [
    'S13',
    'is cancelled while a step may still happen',
    runOf(
      written([
        ...PLACED,
        'InventoryRefused',
        'CancellationStarted refused',
        'OrderCancelled',
        'PaymentSucceeded',
        'PaymentUndoRequested',
        'PaymentUndone',
      ]),
    ),
  ],
  ['S15', 'has an event nobody knows', runOf(written([...CONFIRMED, 'OrderBlessed'])), ['S8']],
  ['S15', 'has an event that is not JSON', changedEvent(confirmed(), 2, { data: '{' })],
  ['S15', 'has a plan nobody knows', changedEvent(confirmed(), 0, { data: JSON.stringify({ details: DETAILS, plan: null }) })],
  ['S16', 'has a gap', runOf(written(['A', 'B', 'C'], PLAN, 's').filter((_, at) => at !== 0 && at !== 2))],
  [
    'S16',
    'goes back in the log',
    runOf(
      written(['A', 'B'], PLAN, 's')
        .slice(1)
        .map((e, at) => ({ ...e, version: at + 1, position: 9 - at })),
    ),
  ],
  ['S17', 'is stuck with nothing to see to', runOf(written([...DONE]), { stage: 'quiet' })],
  ['S17', 'is stalled at the end', dead({ stage: 'settled' }), ['S9', 'R1']],
  ['S18', 'passes its deadline early', runOf(written(LATE, { ...PLAN, deadlineMs: 100_000 }))],
  ['S18', 'has a deadline nobody set', runOf(written(LATE, { steps: PLAN.steps }))],
  [
    'S18',
    'passes its deadline twice',
    runOf(written([...PLACED, 'StepDeadLettered payment', 'DeadlinePassed', 'DeadlinePassed']), { stage: 'running' }),
  ],
  [
    'S19',
    'passes its deadline after the cancellation',
    runOf(written([...CANCELLING, 'DeadlinePassed', 'PaymentUndone', 'OrderCancelled'])),
  ],
  [
    'S20',
    'takes a step back under a later one',
    runOf(
      written(
        [
          'PaymentRequested',
          'PaymentSucceeded',
          'InventoryRequested',
          'InventorySucceeded',
          'CancellationStarted',
          'PaymentUndoRequested',
          'InventoryUndoRequested',
          'PaymentUndone',
          'InventoryUndone',
          'OrderCancelled',
        ],
        {
          steps: [
            { name: 'payment', after: [], undo: 'undo' },
            { name: 'inventory', after: ['payment'], undo: 'undo' },
          ],
        },
      ),
    ),
  ],
  ['S20', 'takes a step back twice', runOf(written([...CANCELLING, 'PaymentUndone', { type: 'UndoneByHand payment' }, 'OrderCancelled']))],
  [
    'S20',
    'settles what is known',
    runOf(written([...CANCELLING.slice(0, 5), { type: 'PaymentUndoRequested', settle: true }, 'PaymentUndone', 'OrderCancelled'])),
  ],
  [
    'S21',
    'is cancelled over a dead undo',
    runOf(
      written([
        ...CANCELLING,
        'StepDeadLettered payment undo',
        'OrderCancelled',
        'DeadLetterDiscarded payment undo',
        'UndoneByHand payment',
      ]),
    ),
    ['S13'],
  ],
  [
    'S22',
    'believes the reply about another order',
    runOf(written([...PLACED, { type: 'PaymentSucceeded', result: { orderId: 'p' } }, 'InventorySucceeded', ...CONFIRMED.slice(4)])),
  ],
  [
    'S22',
    'believes another amount',
    runOf(written([...PLACED, { type: 'PaymentSucceeded', result: { amountMinor: 1 } }, 'InventorySucceeded', ...CONFIRMED.slice(4)])),
  ],
];

describe("an audit of orders' streams", () => {
  it.each(sound)('has nothing to say of %s', (_, run) => {
    expect(audit(run).violations).toEqual([]);
  });

  it.each(doctored.map(([id, what, run, also = []]) => ({ id, what, run, also })))('$id finds the run that $what', ({ id, run, also }) => {
    expect(found(run)).toEqual([id, ...also].sort());
  });

  it('S18 compares no times when a clock was set, or must have been', () => {
    const early = runOf(written(LATE, { ...PLAN, deadlineMs: 100_000 }));
    expect(found({ ...early, clockWasSet: true })).toEqual([]);
    expect(found(changedEvent(early, 2, { time: 0 }))).toEqual([]);
  });

  it('has every invariant of its kind find something', () => {
    expect([...new Set(doctored.map(([id]) => id))].sort()).toEqual(
      [...invariants.map(({ id }) => id).filter((id) => id.startsWith('S') && !['S1', 'S2', 'S3', 'S4', 'S7', 'S14'].includes(id))].sort(),
    );
  });
});
