import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventId } from '../../src/core/envelope.ts';
import { decide } from '../../src/order/decide.ts';
import { fold } from '../../src/order/fold.ts';
import { stepOf } from '../../src/order/order.ts';
import { arbitraries } from '../../src/testing/arbitraries.ts';
import { audit, invariants } from '../../src/testing/audit.ts';
import { type History, isOutcome, openLetters, openRequests, play } from '../../src/testing/histories.ts';
import { evidenceOf } from '../../src/testing/invariants/evidence.ts';
import type { RecordedRun } from '../../src/testing/recorded-run.ts';
import { runOf, storedOf } from '../testing/support/written.ts';

const { plans, schedules } = arbitraries(fc);

const RUNS = { numRuns: 1_000 };

const always = (check: (history: History) => void) =>
  fc.assert(
    fc.property(schedules(), (schedule) => {
      check(play(schedule));
    }),
    RUNS,
  );

const running = (events: History['events']): RecordedRun =>
  runOf(
    events.map((event) => storedOf(event)),
    { stage: 'running' },
  );

const holds = (number: string) => {
  const which = invariants.filter(({ id }) => id === number);
  always(({ events }) =>
    expect(audit(running(events), which)).toMatchObject({ checked: { [number]: expect.any(Number) }, violations: [] }),
  );
};

/** Ids of requests that no outcome names. */
const unanswered = (events: History['events']): readonly string[] =>
  [...(evidenceOf(running(events)).orders[0]?.asked.values() ?? [])].filter(({ answers }) => answers.length === 0).map(({ id }) => id);

const undoable = (history: History, step: string) => history.plan.steps.some(({ name, undo }) => name === step && undo === 'undo');

describe('over any schedule of outcomes, duplicates, cancels, deadlines, deaths, redrives and discards', () => {
  it('S3 takes back only what happened, at every moment', () => {
    always(({ units }) => {
      for (const { outside } of units) expect([...outside.undone].filter((step) => !outside.happened.has(step))).toEqual([]);
    });
  });

  it('S2 S4 S7 keeps every effect of a confirmed order and takes back every effect of a cancelled one, exactly once', () => {
    always((history) => {
      const { order, outside, events } = history;
      const undone = [...outside.undone].filter((step) => undoable(history, step));
      const happened = [...outside.happened].filter((step) => undoable(history, step));
      expect(undone.sort()).toEqual(order.status === 'confirmed' ? [] : happened.sort());
      if (order.status === 'confirmed') {
        const kept = order.plan.steps.filter(({ name }) => stepOf(order, name).status === 'succeeded').map(({ name }) => name);
        expect(kept.filter((name) => !outside.happened.has(name))).toEqual([]);
      }
      const takenBack = events.filter(({ type }) => /Undone$|^UndoneByHand$/.test(type)).map(({ data }) => (data as { step: string }).step);
      expect(new Set(takenBack).size).toBe(takenBack.length);
      // An operator may state that it was undone by hand where it had not even happened.
      expect(takenBack.filter((step) => outside.happened.has(step)).sort()).toEqual(undone);
    });
  });

  it('S5 starts a step only when all it runs after has succeeded, or was waived', () => holds('S5'));

  it('S6 starts nothing after a cancellation, and cancels nothing past the point of no return', () => holds('S6'));

  it('S8 lets only repairs follow an end, and nothing follow a confirmation', () => holds('S8'));

  it('S9 ends in exactly one final state once every request is answered and every dead letter seen to', () => {
    always(({ events, order }) => {
      expect(events.filter(({ type }) => type === 'OrderConfirmed' || type === 'OrderCancelled')).toHaveLength(1);
      expect(['confirmed', 'cancelled']).toContain(order.status);
      expect(openRequests(order)).toEqual([]);
    });
  });

  it('S10 leaves no request without an outcome but those that wait for one or lie dead', () => {
    always(({ units, plan }) => {
      const soFar: History['events'][number][] = [];
      for (const { events, after } of units) {
        soFar.push(...events);
        if (after === undefined) continue;
        const dead = plan.steps.flatMap(({ name }) => {
          const { dead: letter, request, undo } = stepOf(after, name);
          return letter === undefined ? [] : [(letter.direction === 'do' ? request : undo?.request) as string];
        });
        const waiting = openRequests(after).map(({ request }) => request);
        expect([...unanswered(soFar)].sort()).toEqual([...waiting, ...dead].sort());
      }
    });
  });

  it('S11 names the request and the effect key in every outcome', () => holds('S11'));

  it('S12 writes nothing for a command that is repeated at once, and nothing for an outcome that is repeated at any time', () => {
    always(({ units, order }) => {
      for (const { command, after } of units) {
        const again = decide(command, after);
        expect(again._tag === 'Right' ? again.right : []).toEqual([]);
        if (!isOutcome(command)) continue;
        const later = decide(command, order);
        expect(later._tag === 'Right' ? later.right : []).toEqual([]);
      }
    });
  });

  it('S14 folds to the same order from the whole stream and from any snapshot of it', () => {
    fc.assert(
      fc.property(schedules(), fc.nat(), (schedule, n) => {
        const { events } = play(schedule);
        const cut = n % (events.length + 1);
        expect(fold(events.slice(cut), fold(events.slice(0, cut)))).toStrictEqual(fold(events));
      }),
      RUNS,
    );
  });

  it('S15 folds every prefix of what it wrote, also between the events of one unit', () => {
    always(({ events }) => {
      for (let n = 1; n <= events.length; n += 1) expect(fold(events.slice(0, n))?.version).toBe(n);
    });
  });

  it('S16 numbers the events of an order 1..n', () => holds('S16'));

  it('S19 S8 writes nothing for a deadline that comes too late', () => {
    always(({ units }) => {
      for (const { command, before, events } of units) {
        if (command.type !== 'PassDeadline' || before?.phase === 'placed') continue;
        expect(events).toEqual([]);
      }
    });
  });

  it('S20 takes steps back latest first and none twice, and asks first where it does not know that they happened', () => holds('S20'));

  it('S21 never cancels over a dead letter: the order is stalled until someone sees to it', () => {
    holds('S21');
    always(({ units }) => {
      for (const { after } of units) {
        if (after === undefined) continue;
        const final = after.phase === 'confirmed' || after.phase === 'cancelled';
        expect(after.status).toBe(!final && openLetters(after).length > 0 ? 'stalled' : after.phase);
      }
    });
  });

  it('refuses a wish only with a reason that fits the state', () => {
    always(({ units }) => {
      for (const { rejection, before, command } of units) {
        if (rejection === undefined) continue;
        expect(`${command.type} ${rejection.code}`).toBe('Cancel TOO_LATE');
        const started = before?.plan.steps.some(({ name, undo }) => undo === 'irreversible' && stepOf(before, name).status !== 'waiting');
        expect(before?.phase === 'confirmed' || started).toBe(true);
      }
    });
  });
});

describe('outcomes that arrive together', () => {
  const verdicts = fc.array(fc.constantFrom('yes' as const, 'no' as const, 'dead' as const), { minLength: 5, maxLength: 5 });

  it('S13 give an allowed end in any order of arrival: cancelled if one said no, else confirmed', () => {
    fc.assert(
      fc.property(plans(), verdicts, fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (plan, verdict, arrival) => {
        const parallel = {
          steps: plan.steps.map((step) => ({ ...step, after: [], undo: step.undo === 'irreversible' ? 'undo' : step.undo }) as const),
        };
        const outcomes = arrival
          .filter((n) => n < parallel.steps.length)
          .map((n) => ({ name: parallel.steps[n]?.name as string, verdict: verdict[n], request: eventId('o-1', n + 2) }));
        let order = fold([]);
        const write = (command: Parameters<typeof decide>[0]) => {
          const decided = decide(command, order);
          if (decided._tag === 'Left') throw new Error(decided.left.message);
          for (const event of decided.right) {
            order = fold([{ ...event, stream: 'o-1', version: (order?.version ?? 0) + 1, time: '' }], order);
          }
        };
        write({ type: 'Place', orderId: 'o-1', details: {}, plan: parallel });
        for (const { name: step, verdict: said, request } of outcomes) {
          if (said === 'yes') write({ type: 'RecordSucceeded', step, request, result: 1 });
          else if (said === 'no') write({ type: 'RecordRefused', step, request, reason: 'no' });
          else write({ type: 'RecordDead', step, direction: 'do', deadLetterId: step, cause: 'x', attempts: 1 });
        }
        const reached = order as NonNullable<typeof order>;
        const said = outcomes.map((one) => one.verdict);
        if (said.includes('no')) expect(['cancelling', 'cancelled']).toContain(reached.status);
        else expect(reached.status).toBe(said.includes('dead') ? 'stalled' : 'confirmed');
        for (const { name, verdict: was } of outcomes) {
          const { status } = stepOf(reached, name);
          const { undo } = parallel.steps.find((step) => step.name === name) as (typeof parallel.steps)[number];
          if (was === 'no') expect(status).toBe('refused');
          else if (!said.includes('no')) expect(status).toBe(was === 'dead' ? 'dead' : 'succeeded');
          else if (undo === 'undo') expect(status).toBe('undoing');
          else expect(status).toBe(was === 'dead' ? 'skipped' : 'succeeded');
        }
      }),
      RUNS,
    );
  });
});

describe('the schedules that are tried', () => {
  it('reach every status of a step and of an order, every event and every rejection there is', () => {
    const seen = new Set<string>();
    for (const schedule of fc.sample(schedules(), { numRuns: 3_000, seed: 7 })) {
      for (const { events, after, rejection } of play(schedule).units) {
        for (const { type } of events) seen.add(type.replace(/^(Payment|Inventory|Shipping|Loyalty|Notification)/, '…'));
        if (rejection) seen.add(rejection.code);
        if (after) for (const { name } of after.plan.steps) seen.add(`step ${stepOf(after, name).status}`);
        if (after) seen.add(`order ${after.status}`);
      }
    }
    expect([...seen].sort()).toMatchInlineSnapshot(`
      [
        "CancellationStarted",
        "DeadLetterDiscarded",
        "DeadLetterRedriven",
        "DeadLetterSuperseded",
        "DeadlinePassed",
        "OrderCancelled",
        "OrderConfirmed",
        "OrderPlaced",
        "StepDeadLettered",
        "StepSkipped",
        "StepWaived",
        "TOO_LATE",
        "UndoneByHand",
        "order cancelled",
        "order cancelling",
        "order confirmed",
        "order placed",
        "order stalled",
        "step dead",
        "step refused",
        "step requested",
        "step skipped",
        "step succeeded",
        "step undoing",
        "step undone",
        "step waiting",
        "step waived",
        "…Refused",
        "…Requested",
        "…Succeeded",
        "…UndoRequested",
        "…Undone",
      ]
    `);
  });
});
