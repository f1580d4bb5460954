import { eventId } from '../../core/envelope.ts';
import type { StoredEvent } from '../../core/records.ts';
import type { FixedEvents } from '../../order/events.ts';
import type { Direction, StepKind } from '../../order/names.ts';
import { type Plan, type PlannedStep, planOf, typesOf } from '../../order/plan.ts';
import type { Effect } from '../recorded-run.ts';

/** One event of an order. */
export interface Fact {
  readonly version: number;
  /** Milliseconds since 1970 UTC, by the clock of the process that appended it. */
  readonly time: number;
  readonly type: string;
  /** `Requested` …, for an event that goes by a step's name; else the type. */
  readonly kind: StepKind | keyof FixedEvents;
  /** Empty where it is about no step. */
  readonly step: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A request, and every event that says how it ended. */
export interface Asked {
  readonly id: string;
  readonly fact: Fact;
  readonly direction: Direction;
  readonly answers: readonly Fact[];
}

/** A dead letter as its order's stream tells it. */
export interface Letter {
  readonly id: string;
  readonly opened: Fact;
  closed: Fact | undefined;
}

/** One step of an order's plan, and its events in their order. */
export interface StepEvidence {
  readonly planned: PlannedStep;
  readonly facts: readonly Fact[];
}

/** An order's stream, read once and told apart. */
export interface OrderEvidence {
  readonly orderId: string;
  readonly events: readonly StoredEvent[];
  readonly plan: Plan;
  readonly details: Readonly<Record<string, unknown>>;
  readonly facts: readonly Fact[];
  /** In the order of the plan. */
  readonly steps: ReadonlyMap<string, StepEvidence>;
  /** By the id of the request. */
  readonly asked: ReadonlyMap<string, Asked>;
  readonly letters: readonly Letter[];
  /** `CancellationStarted`, the first. */
  readonly cancelled: Fact | undefined;
  /** `OrderConfirmed` or `OrderCancelled`, the first. */
  readonly end: Fact | undefined;
  readonly effects: readonly Effect[];
}

/** What ends a request, for better or worse. */
export const ANSWERS: ReadonlySet<Fact['kind']> = new Set([
  'Succeeded',
  'Refused',
  'Undone',
  'StepSkipped',
  'StepWaived',
  'UndoneByHand',
  'DeadLetterSuperseded',
  'DeadLetterDiscarded',
]);

const CLOSERS: ReadonlySet<Fact['kind']> = new Set(['DeadLetterRedriven', 'DeadLetterDiscarded', 'DeadLetterSuperseded']);

/** The first of a step's events of one kind. */
export const firstOf = (step: StepEvidence | undefined, kind: Fact['kind']): Fact | undefined => {
  for (const fact of step?.facts ?? []) if (fact.kind === kind) return fact;
  return undefined;
};

/** Whether a step has an event of one of two kinds before a version. */
export const hadBefore = (step: StepEvidence | undefined, version: number, kind: Fact['kind'], or = kind): boolean => {
  for (const fact of step?.facts ?? []) if (fact.version < version && (fact.kind === kind || fact.kind === or)) return true;
  return false;
};

/** Whether the letter was open just before this version. */
export const wasOpen = ({ opened, closed }: Letter, version: number): boolean =>
  opened.version < version && (closed === undefined || closed.version >= version);

type Draft = Omit<OrderEvidence, 'asked' | 'letters'> & { readonly asked: Map<string, Asked>; readonly letters: Letter[] };

const enter = ({ orderId, asked, letters }: Draft, fact: Fact): void => {
  const { kind, data } = fact;
  if (kind === 'Requested' || kind === 'UndoRequested') {
    const id = eventId(orderId, fact.version);
    asked.set(id, { id, fact, direction: kind === 'Requested' ? 'do' : 'undo', answers: [] });
    return;
  }
  if (ANSWERS.has(kind)) (asked.get(data.request as string)?.answers as Fact[] | undefined)?.push(fact);
  if (kind === 'StepDeadLettered') letters.push({ id: data.deadLetterId as string, opened: fact, closed: undefined });
  else if (letters.length > 0 && CLOSERS.has(kind)) {
    const letter = letters.find(({ id, closed }) => id === data.deadLetterId && closed === undefined);
    if (letter !== undefined) letter.closed = fact;
  }
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/** The order, or why it can't be read. */
export const orderOf = (orderId: string, events: readonly StoredEvent[], effects: readonly Effect[]): OrderEvidence | string => {
  const facts: Fact[] = [];
  const steps = new Map<string, { readonly planned: PlannedStep; readonly facts: Fact[] }>();
  let order: Draft | undefined;
  let cancelled: Fact | undefined;
  let end: Fact | undefined;
  let types: ReturnType<typeof typesOf> = new Map();
  for (const { version, time, type, data: text } of events) {
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch (error) {
      return `version ${version} is not JSON: ${String(error)}`;
    }
    if (!isObject(data)) return `version ${version} has no payload`;
    const means = types.get(type);
    const step = typeof data.step === 'string' ? data.step : '';
    const fact: Fact = { version, time, type, kind: means?.kind ?? (type as Fact['kind']), step, data };
    if (order === undefined) {
      const plan = planOf(data.plan);
      if (plan === undefined) return 'its plan is not one this code knows';
      types = typesOf(plan);
      for (const planned of plan.steps) steps.set(planned.name, { planned, facts: [] });
      const details = isObject(data.details) ? data.details : {};
      order = { orderId, events, plan, details, facts, steps, asked: new Map(), letters: [], cancelled, end, effects };
    }
    facts.push(fact);
    if (step !== '') steps.get(step)?.facts.push(fact);
    enter(order, fact);
    if (type === 'CancellationStarted') cancelled ??= fact;
    else if (type === 'OrderConfirmed' || type === 'OrderCancelled') end ??= fact;
  }
  return order === undefined ? 'it has no events' : { ...order, cancelled, end };
};
