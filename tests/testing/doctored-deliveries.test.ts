import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/core/records.ts';
import { invariants } from '../../src/testing/audit.ts';
import type { RecordedRun } from '../../src/testing/recorded-run.ts';
import { parkedOf, withDetail } from './support/parked.ts';
import {
  BY_HAND,
  byHand,
  CANCELLED,
  CONFIRMED,
  cancelled,
  confirmed,
  type Doctored,
  dead,
  found,
  lane,
  letterOf,
  PLACED,
  REDRIVEN,
  redriven,
} from './support/runs.ts';
import { runOf, STARTED_AT, written } from './support/written.ts';

const doctored: readonly Doctored[] = [
  ['R1', 'keeps a delivery of no event', confirmed({ parked: [{ ...letterOf(redriven()), version: 99, position: 99 }] })],
  ['R1', 'leaves a delivery open', confirmed({ parked: [parkedOf(written(CONFIRMED)[1] as StoredEvent, { happens: ['fails'] })] })],
  [
    'R1',
    'keeps a delivery nobody can read',
    confirmed({ parked: [{ ...parkedOf(written(CONFIRMED)[1] as StoredEvent, { happens: ['done'] }), detail: '{' }] }),
  ],
  [
    'R2',
    'is done after it died',
    confirmed({ parked: [parkedOf(written(CONFIRMED)[1] as StoredEvent, { happens: ['fails', 'fails', 'done'] })] }),
  ],
  [
    'R2',
    'is answered while it is dead',
    runOf(
      written([
        ...PLACED,
        'StepDeadLettered payment',
        'PaymentSucceeded',
        'DeadLetterRedriven payment',
        'InventorySucceeded',
        ...CONFIRMED.slice(4),
      ]),
    ),
    [],
  ],
  ['R3', 'counts other failures than it tells of', redriven({}, { attempts: 2 })],
  [
    'R3',
    'leaves an attempt out',
    redriven({
      parked: [
        withDetail(letterOf(redriven()), ({ ledger }) => ({
          ledger: { ...ledger, attempts: ledger.attempts.map((one) => ({ ...one, attempt: one.attempt === 2 ? 3 : one.attempt })) },
        })),
      ],
    }),
  ],
  ['R3', 'goes on after its last attempt', dead({ parked: [{ ...letterOf(dead()), state: 'scheduled' as const }] }), ['S10']],
  [
    'R6',
    'tries again at once',
    redriven({
      parked: [
        withDetail(letterOf(redriven()), ({ ledger }) => ({
          ledger: {
            ...ledger,
            attempts: ledger.attempts.map((one, at) => (at === 1 ? { ...one, startedAt: ledger.attempts[0]?.endedAt } : one)),
          },
        })),
      ],
    }),
  ],
  [
    'R7',
    'waits a negative time',
    redriven({
      parked: [
        withDetail(letterOf(redriven()), ({ ledger }) => ({
          ledger: { ...ledger, attempts: ledger.attempts.map((one) => (one.delayMs === null ? one : { ...one, delayMs: -1 })) },
        })),
      ],
    }),
  ],
  [
    'R9',
    'counts backwards',
    redriven({
      parked: [
        withDetail(letterOf(redriven()), ({ ledger }) => ({
          ledger: { ...ledger, attempts: [...ledger.attempts].sort((a, b) => a.generation - b.generation || b.attempt - a.attempt) },
        })),
      ],
    }),
    ['R3'],
  ],
  ['R16', 'overtakes an earlier delivery', lane({ happens: ['fails', 'done'] }, { happens: ['fails', 'done'], fromMs: 500 })],
  ['R17', 'runs past a dead letter', lane({ happens: ['fails', 'fails'] }, { happens: ['fails', 'done'], fromMs: 9_000 })],
  ['R19', 'redrives twice at once', redriven({}, { generation: 2 }), ['R3']],
  [
    'R19',
    'is redriven, and its stream does not say so',
    redriven({ parked: [parkedOf(written(REDRIVEN)[1] as StoredEvent, { happens: ['fails', 'fails', 'done'] })] }),
    ['R2'],
  ],
  [
    'R20',
    'does not say who redrove it',
    redriven({ parked: [withDetail(letterOf(redriven()), ({ actions }) => ({ actions: actions.map((one) => ({ ...one, by: '' })) }))] }),
  ],
  [
    'R20',
    'does not keep what it was edited to',
    redriven({
      parked: [withDetail(letterOf(redriven()), ({ actions }) => ({ actions: actions.map((one) => ({ ...one, action: 'edited' })) }))],
    }),
  ],
  [
    'R20',
    'does not say in the stream who redrove it',
    runOf(written([...REDRIVEN.slice(0, 3), { type: 'DeadLetterRedriven payment', by: undefined }, ...REDRIVEN.slice(4)])),
    [],
  ],
  [
    'R21',
    'is discarded by nobody',
    byHand({
      parked: [
        {
          ...letterOf(byHand()),
          detail: letterOf(redriven({ parked: [parkedOf(written(BY_HAND)[6] as StoredEvent, { happens: ['fails', 'fails'] })] })).detail,
        },
      ],
    }),
  ],
  ['R21', 'goes on after it was discarded', byHand({ parked: [{ ...letterOf(byHand()), state: 'done' as const }] }), ['R2']],
  [
    'R24',
    'keeps a password',
    confirmed({
      parked: [
        withDetail(parkedOf(written(CONFIRMED)[1] as StoredEvent, { happens: ['fails', 'done'] }), ({ ledger }) => ({
          ledger: { ...ledger, attempts: ledger.attempts.map((one) => ({ ...one, error: { ...one.error, message: 'password=hunter2' } })) },
        })),
      ],
    }),
  ],
  [
    'R24',
    'keeps an endless message',
    confirmed({
      parked: [
        withDetail(parkedOf(written(CONFIRMED)[1] as StoredEvent, { happens: ['fails', 'done'] }), ({ ledger }) => ({
          ledger: { ...ledger, attempts: ledger.attempts.map((one) => ({ ...one, error: { ...one.error, message: 'x '.repeat(600) } })) },
        })),
      ],
    }),
  ],
  ['R25', 'counts as started', redriven({}, { startedAt: 1 })],
];

/** A step of a cancelled order that was tried so often after the cancellation, each time without its wait. */
const hasty = (times: number): RecordedRun => {
  const record = parkedOf(written(CANCELLED)[1] as StoredEvent, { happens: ['fails', 'done'] });
  const attempts = (first: object): object[] =>
    Array.from({ length: times + 1 }, (_, index) => {
      const at = new Date(STARTED_AT + 600_000 + index).toISOString();
      return { ...first, attempt: index + 1, startedAt: at, endedAt: at };
    });
  const inHaste = withDetail(record, ({ ledger }) => ({ ledger: { ...ledger, attempts: attempts(ledger.attempts[0] as object) } }));
  return cancelled({ parked: [{ ...inHaste, attempts: times + 1 }] });
};

describe('an audit of parked deliveries', () => {
  it('R6 grants one early start to what a cancellation woke, however long before it was decided, and no second', () => {
    expect([1, 2].map((times) => found(hasty(times)))).toEqual([[], ['R6']]);
  });

  it.each(doctored.map(([id, what, run, also = []]) => ({ id, what, run, also })))('$id finds the run that $what', ({ id, run, also }) => {
    expect(found(run)).toEqual([id, ...also].sort());
  });

  it('has every invariant of its kind find something', () => {
    expect([...new Set(doctored.map(([id]) => id))].sort()).toEqual(
      [...invariants.map(({ id }) => id).filter((id) => id.startsWith('R'))].sort(),
    );
  });
});
