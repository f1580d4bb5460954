import type { Invariant } from '../recorded-run.ts';
import { ofOrders } from './judged.ts';
import { type Fact, firstOf, hadBefore } from './order-evidence.ts';

/** What may follow a cancelled order: a late success and its way back, and what operators do about it. */
const REPAIRS: ReadonlySet<Fact['kind']> = new Set([
  'Succeeded',
  'UndoRequested',
  'Undone',
  'UndoneByHand',
  'StepDeadLettered',
  'DeadLetterRedriven',
  'DeadLetterDiscarded',
]);

/** Sees the streams of orders that have come to an end. */
const endsAbsorb = ofOrders(
  'S8',
  'a final state stays: only repairs follow a cancelled order, and nothing a confirmed one',
  ({ facts, end }, say) => {
    if (end === undefined) return false;
    for (const { version, kind, type } of facts) {
      if (version <= end.version || kind === 'OrderConfirmed' || kind === 'OrderCancelled') continue;
      if (end.kind === 'OrderConfirmed' || !REPAIRS.has(kind)) say(`${type} came after ${end.kind}`);
    }
    return true;
  },
);

/** Sees every order's stream; that there is an end at all it can tell once the run is settled. */
const oneEnd = ofOrders('S9', 'an order ends once', ({ facts, end }, say, { run }) => {
  if (end === undefined) {
    if (run.stage === 'settled') say('it has no end');
    return run.stage === 'settled';
  }
  const ends = facts.filter(({ kind }) => kind === 'OrderConfirmed' || kind === 'OrderCancelled');
  if (ends.length > 1) say(`it ended as ${ends.map(({ kind }) => kind).join(' and as ')}`);
  return true;
});

/** Sees the streams of orders that have come to an end. */
const allowedEnd = ofOrders(
  'S13',
  'whatever the order outcomes came in, an order is confirmed only with every step done, and cancelled only with nothing left standing',
  ({ steps, asked, end, cancelled }, say) => {
    if (end === undefined) return false;
    const { version } = end;
    if (end.kind === 'OrderConfirmed') {
      for (const [name, step] of steps) if (!hadBefore(step, version, 'Succeeded', 'StepWaived')) say(`it was confirmed without ${name}`);
      return true;
    }
    if (cancelled === undefined || cancelled.version > version) say('it was cancelled without a cancellation');
    for (const [name, step] of steps) {
      if (step.planned.undo !== 'undo' || !hadBefore(step, version, 'Succeeded', 'StepWaived')) continue;
      // One that was waived, and that nobody knows of, may turn out never to have happened.
      const never = !hadBefore(step, version, 'Succeeded') && hadBefore(step, version, 'Refused', 'StepSkipped');
      if (!never && !hadBefore(step, version, 'Undone', 'UndoneByHand')) say(`it was cancelled while ${name} stood`);
    }
    for (const { id, fact, answers } of asked.values())
      if (fact.version < version && !answers.some((answer) => answer.version < version)) say(`it was cancelled while ${id} was open`);
    return true;
  },
);

/** Sees quiet and settled runs. Quiet ones may have orders that wait for somebody to see to a dead letter. */
const settles = ofOrders(
  'S17',
  'every order comes to its end or to a dead letter, and to its end once all dead letters were seen to',
  ({ orderId, end, letters }, say, { run, deliveriesOf }) => {
    if (run.stage === 'running') return false;
    if (end === undefined && run.stage === 'settled') say('it is neither confirmed nor cancelled');
    if (end === undefined && run.stage === 'quiet' && letters.every(({ closed }) => closed !== undefined)) {
      const isDead = deliveriesOf.get(orderId)?.some(({ record }) => record.state === 'dead');
      if (!isDead) say('it waits, and no dead letter says for what');
    }
    return true;
  },
);

/** The words of a deadline in the stream: it acted, or is written down until a stall ends. */
const isDeadline = ({ kind, data }: Fact): boolean =>
  kind === 'DeadlinePassed' || (kind === 'CancellationStarted' && data.cause === 'deadline');

/**
 * Sees orders whose stream tells of a deadline, by the times of its events. It is silent about runs in which a clock was set, and in
 * which the times of a shard's events go backwards, for then one was.
 */
const neverEarly = ofOrders('S18', 'a deadline is never early, acts once, and only where there is one', ({ facts, plan }, say, { run }) => {
  const passed = facts.find(isDeadline);
  if (passed === undefined) return false;
  if (plan.deadlineMs === undefined) say(`${passed.type} tells of a deadline and it has none`);
  for (const kind of ['DeadlinePassed', 'CancellationStarted'] as const) {
    const times = facts.filter((fact) => fact.kind === kind && isDeadline(fact)).length;
    if (times > 1) say(`its deadline led to ${kind} ${times} times`);
  }
  const early = (facts[0]?.at ?? 0) + (plan.deadlineMs ?? 0) - passed.at;
  if (early > 0 && run.clockWasSet !== true && !timesGoBackwards(run.streams)) say(`its deadline passed ${early} ms early`);
  return true;
});

type Streams = Parameters<Invariant['check']>[0]['streams'];

const timesGoBackwards = (streams: Streams): boolean => {
  const log = [...streams.values()].flat().sort((a, b) => a.shard - b.shard || a.position - b.position);
  return log.some(({ shard, time }, at) => shard === log[at - 1]?.shard && time < (log[at - 1]?.time ?? 0));
};

/** Sees orders whose stream tells of a deadline. */
const lostDeadline = ofOrders('S19', 'a deadline that comes too late changes nothing', ({ facts, cancelled, end, steps }, say) => {
  const told = facts.filter(isDeadline);
  for (const { type, version, kind } of told) {
    if (cancelled !== undefined && cancelled.version < version) say(`${type} came after its cancellation had started`);
    if (end !== undefined && end.version < version) say(`${type} came after its end`);
    if (kind !== 'DeadlinePassed') continue;
    for (const [name, step] of steps)
      if (step.planned.undo === 'irreversible' && hadBefore(step, version, 'Requested') && firstOf(step, 'Refused') === undefined)
        say(`${type} came after ${name}, which cannot be taken back, was requested`);
  }
  return told.length > 0;
});

/** What is about how orders end. */
export const ending: readonly Invariant[] = [endsAbsorb, oneEnd, allowedEnd, settles, neverEarly, lostDeadline];
