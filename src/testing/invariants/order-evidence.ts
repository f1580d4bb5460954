import { eventId, isoTime } from '../../core/envelope.ts';
import type { StoredEvent } from '../../core/records.ts';
import type { FixedEvents } from '../../order/events.ts';
import type { FoldableEvent } from '../../order/evolve.ts';
import type { Direction, StepKind } from '../../order/names.ts';
import type { Order } from '../../order/order.ts';
import { type Plan, type PlannedStep, planOf, typesOf } from '../../order/plan.ts';
import type { Effect } from '../recorded-run.ts';

/** One event of an order, such that the fold takes it as it is. */
export interface Fact extends FoldableEvent {
  /** Milliseconds since 1970 UTC, by the clock of the process that appended it. */
  readonly at: number;
  /** ISO 8601 of the first; of the others nobody asks, so it is empty. */
  readonly time: string;
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

/** An order folded event by event, with a snapshot from on the way. */
export interface Folded {
  readonly cut: number;
  readonly snapshot: Order;
  readonly whole: Order;
}

/** An order's stream, read once and told apart. */
export interface OrderEvidence {
  readonly orderId: string;
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
  /** Filled by who asks first: the fold, or why there is none. */
  folded: Folded | string | undefined;
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

type Draft = Omit<OrderEvidence, 'asked' | 'letters' | 'cancelled' | 'end'> & {
  readonly asked: Map<string, Asked>;
  readonly letters: Letter[];
  cancelled: Fact | undefined;
  end: Fact | undefined;
};

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
  let types: ReturnType<typeof typesOf> = new Map();
  for (const { version, time: at, type, schema, data: text } of events) {
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch (error) {
      return `version ${version} is not JSON: ${String(error)}`;
    }
    if (!isObject(data)) return `version ${version} has no payload`;
    const means = types.get(type);
    const step = typeof data.step === 'string' ? data.step : '';
    const kind = means?.kind ?? (type as Fact['kind']);
    const time = order === undefined ? isoTime(at) : '';
    const fact: Fact = { stream: orderId, version, type, schema, data, time, at, kind, step };
    if (order === undefined) {
      const plan = planOf(data.plan);
      if (plan === undefined) return 'its plan is not one this code knows';
      types = typesOf(plan);
      for (const planned of plan.steps) steps.set(planned.name, { planned, facts: [] });
      const details = isObject(data.details) ? data.details : {};
      order = {
        orderId,
        plan,
        details,
        facts,
        steps,
        asked: new Map(),
        letters: [],
        cancelled: undefined,
        end: undefined,
        effects,
        folded: undefined,
      };
    }
    facts.push(fact);
    if (step !== '') steps.get(step)?.facts.push(fact);
    enter(order, fact);
    if (type === 'CancellationStarted') order.cancelled ??= fact;
    else if (type === 'OrderConfirmed' || type === 'OrderCancelled') order.end ??= fact;
  }
  return order ?? 'it has no events';
};
