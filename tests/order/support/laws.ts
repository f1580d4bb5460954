import { eventId } from '../../../src/core/envelope.ts';
import type { FoldableEvent } from '../../../src/order/evolve.ts';
import { effectKey } from '../../../src/order/names.ts';
import { type Plan, typesOf } from '../../../src/order/plan.ts';

/** A law looks at a history from its events alone, never at a folded state, and says in words what is wrong. */
export type Law = (events: readonly FoldableEvent[], plan: Plan) => readonly string[];

interface Fact {
  readonly id: string;
  readonly type: string;
  /** `Requested` …, for an event that goes by a step's name; else the type. */
  readonly kind: string;
  readonly step: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const facts = (events: readonly FoldableEvent[], plan: Plan): readonly Fact[] =>
  events.map(({ type, data, stream, version }) => {
    const parsed = typesOf(plan).get(type);
    const payload = data as Readonly<Record<string, unknown>>;
    return { id: eventId(stream, version), type, kind: parsed?.kind ?? type, step: (payload.step as string) ?? '', data: payload };
  });

const has = (seen: readonly Fact[], step: string, ...kinds: readonly string[]) =>
  seen.some((fact) => fact.step === step && kinds.includes(fact.kind));

/** S16 */
export const versionsAreGapFree: Law = (events) =>
  events.flatMap(({ version }, at) => (version === at + 1 ? [] : [`event ${at + 1} has version ${version}`]));

/** S5 */
export const stepsWaitForTheirAfter: Law = (events, plan) => {
  const all = facts(events, plan);
  return all.flatMap(({ kind, step }, at) => {
    if (kind !== 'Requested') return [];
    const { after } = plan.steps.find(({ name }) => name === step) as Plan['steps'][number];
    const missing = after.filter((name) => !has(all.slice(0, at), name, 'Succeeded', 'StepWaived'));
    return missing.map((name) => `${step} was requested before ${name} succeeded`);
  });
};

/** S6 */
export const nothingStartsAfterACancel: Law = (events, plan) => {
  const all = facts(events, plan);
  const from = all.findIndex(({ kind }) => kind === 'CancellationStarted');
  if (from < 0) return [];
  const late = all.slice(from).filter(({ kind }) => kind === 'Requested');
  const tooLate = plan.steps.filter(
    ({ name, undo }) => undo === 'irreversible' && has(all.slice(0, from), name, 'Requested') && !has(all.slice(0, from), name, 'Refused'),
  );
  return [
    ...late.map(({ step }) => `${step} was requested after the cancellation`),
    ...tooLate.map(({ name }) => `cancelled although ${name} was requested`),
    ...(all.filter(({ kind }) => kind === 'CancellationStarted').length > 1 ? ['cancelled twice'] : []),
  ];
};

const AFTER_CANCELLED = new Set([
  'Succeeded',
  'UndoRequested',
  'Undone',
  'UndoneByHand',
  'StepDeadLettered',
  'DeadLetterRedriven',
  'DeadLetterDiscarded',
]);

/** S8, S9 but for "at least one". */
export const anEndIsFinal: Law = (events, plan) => {
  const all = facts(events, plan);
  const end = all.findIndex(({ kind }) => kind === 'OrderConfirmed' || kind === 'OrderCancelled');
  if (end < 0) return [];
  const allowed = all[end]?.kind === 'OrderCancelled' ? AFTER_CANCELLED : new Set<string>();
  return all.slice(end + 1).flatMap(({ kind, type }) => (allowed.has(kind) ? [] : [`${type} after ${all[end]?.kind}`]));
};

const ANSWERS = new Set([
  'Succeeded',
  'Refused',
  'Undone',
  'StepSkipped',
  'StepWaived',
  'UndoneByHand',
  'DeadLetterSuperseded',
  'DeadLetterDiscarded',
]);

/** Ids of requests that no outcome names. */
export const unanswered = (events: readonly FoldableEvent[], plan: Plan): readonly string[] => {
  const all = facts(events, plan);
  const answered = new Set(all.filter(({ kind }) => ANSWERS.has(kind)).map(({ data }) => data.request));
  return all.filter(({ kind, id }) => /Requested$/.test(kind) && !answered.has(id)).map(({ id }) => id);
};

/** S11; dead letters and what becomes of them too. */
export const outcomesNameWhatTheyAnswer: Law = (events, plan) => {
  const all = facts(events, plan);
  return all.flatMap(({ kind, step, type, data }, at) => {
    if (!ANSWERS.has(kind) && !/Letter/.test(kind)) return [];
    const request = all.slice(0, at).find(({ id }) => id === data.request);
    if (request?.step !== step || !/Requested$/.test(request.kind))
      return [`${type} answers ${String(data.request)}, which is no request of ${step}`];
    const undoes = /^Undone/.test(kind) || data.direction === 'undo';
    const key = effectKey(events[at]?.stream as string, step, undoes ? 'undo' : 'do');
    return data.effectKey === key ? [] : [`${type} has the effect key ${String(data.effectKey)}, not ${key}`];
  });
};

/** S20: the latest first; each request once, each undo once. */
export const undoneInOrder: Law = (events, plan) => {
  const all = facts(events, plan);
  const stands = (seen: readonly Fact[], name: string): boolean => {
    const last = seen.findLast(
      (fact) => fact.step === name && /^(Requested|Succeeded|Refused|Undone|UndoneByHand|StepSkipped|StepWaived)$/.test(fact.kind),
    );
    if (last === undefined || /Refused|Undone|UndoneByHand|StepSkipped/.test(last.kind)) return false;
    if (last.kind === 'Requested') return true;
    const { undo } = plan.steps.find((step) => step.name === name) as Plan['steps'][number];
    return undo === 'undo' || laterThan(name).some((later) => stands(seen, later));
  };
  const laterThan = (name: string) => plan.steps.filter(({ after }) => after.includes(name)).map((step) => step.name);
  const early = all.flatMap(({ kind, step }, at) => {
    if (kind !== 'UndoRequested') return [];
    return laterThan(step).flatMap((later) => (stands(all.slice(0, at), later) ? [`${step} was to be undone while ${later} stood`] : []));
  });
  const twice = plan.steps.flatMap(({ name }) => {
    const count = (...kinds: readonly string[]) => all.filter((fact) => fact.step === name && kinds.includes(fact.kind)).length;
    return [
      ...(count('Requested') > 1 ? [`${name} was requested twice`] : []),
      ...(count('Undone', 'UndoneByHand') > 1 ? [`${name} was undone twice`] : []),
      ...(count('Succeeded') > 1 ? [`${name} succeeded twice`] : []),
    ];
  });
  return [...early, ...twice];
};

/** Whoever undoes a step has its result, or is told to find out. */
export const undoneKnowingly: Law = (events, plan) => {
  const all = facts(events, plan);
  return all.flatMap(({ kind, step, data }, at) => {
    if (kind !== 'UndoRequested') return [];
    const known = has(all.slice(0, at), step, 'Succeeded');
    return data.settle === !known ? [] : [`${step} was to be undone with settle: ${String(data.settle)}`];
  });
};

/** S21 */
export const neverCancelledOverADeadLetter: Law = (events, plan) => {
  const all = facts(events, plan);
  const end = all.findIndex(({ kind }) => kind === 'OrderCancelled');
  const open = new Set<unknown>();
  for (const { kind, data } of all.slice(0, Math.max(0, end))) {
    if (kind === 'StepDeadLettered') open.add(data.deadLetterId);
    else if (/^DeadLetter/.test(kind)) open.delete(data.deadLetterId);
  }
  return [...open].map((id) => `cancelled while ${String(id)} was dead`);
};

/** All laws that hold at every moment. */
export const LAWS: Readonly<Record<string, Law>> = {
  versionsAreGapFree,
  stepsWaitForTheirAfter,
  nothingStartsAfterACancel,
  anEndIsFinal,
  outcomesNameWhatTheyAnswer,
  undoneInOrder,
  undoneKnowingly,
  neverCancelledOverADeadLetter,
};
