import * as E from 'fp-ts/lib/Either.js';
import type { OrderCommand } from '../order/commands.ts';
import { decide } from '../order/decide.ts';
import type { OrderEvents } from '../order/events.ts';
import type { FoldableEvent } from '../order/evolve.ts';
import { fold } from '../order/fold.ts';
import { type Order, type StepState, stepOf } from '../order/order.ts';
import type { Rejection } from '../order/rejection.ts';
import type { AnyOrderSaga } from '../order/saga.ts';
import type { StandardSchemaV1 } from '../order/standard-schema.ts';
import { type Came, eventsOf, expectRefusal, expectSame, fail, refuseToBeAwaited } from './expected.ts';

/** A step that may return nothing is told without a result. */
type Result<R> = undefined extends R ? [result?: R] : [result: R];

/** What can happen to an order, each of which gives what follows it. Requests are found by the step. */
export interface Happenings<Results extends object, Next> {
  succeeded<Step extends keyof Results & string>(step: Step, ...result: Result<Results[Step]>): Next;
  refused(step: keyof Results & string, reason?: string): Next;
  /** @param result what settling found first, of a step that was not known to have succeeded */
  undone<Step extends keyof Results & string>(step: Step, result?: Results[Step]): Next;
  /** The request certainly never had an effect. */
  skipped(step: keyof Results & string): Next;
  /** The attempts of its open request, of its `do` or its undo, are used up. */
  died(step: keyof Results & string): Next;
  redriven(step: keyof Results & string): Next;
  discarded(step: keyof Results & string): Next;
  cancelled(reason?: string): Next;
  deadlinePassed(): Next;
}

/** An event by its type, or by its type and some of its payload. */
export type ExpectedEvent<Events> = {
  [Type in keyof Events & string]: Type | { readonly type: Type; readonly data: Partial<Events[Type]> };
}[keyof Events & string];

/** What has to follow of what happened. */
export interface Expectation<Events, Next> {
  /**
   * All events it writes, in their order; nothing for none.
   * @throws AssertionError with the difference
   */
  then(...events: readonly ExpectedEvent<Events>[]): Next;
  /** @throws AssertionError when it is not refused with this code */
  thenRejected(code: Rejection['code']): Next;
}

/** An order to which things happen. Never changes: each thing that happens gives another one. */
export interface GivenOrder<Details, Results extends object> extends Happenings<Results, GivenOrder<Details, Results>> {
  /** The order as its events so far tell it. */
  readonly state: Order<Details, Results>;
  /** The same words, for what is being tested. */
  readonly when: Happenings<Results, Expectation<OrderEvents<Details, Results>, GivenOrder<Details, Results>>>;
}

/** A saga, before there is an order. */
export interface GivenSaga<Input, Details, Results extends object> {
  /** Places an order: what `place` takes, through the saga's schema. @throws AssertionError when the schema does not let it through */
  order(input: Input): GivenOrder<Details, Results>;
  /** Places an order the schema has been asked about already, for schemas that answer later. */
  placed(details: Details): GivenOrder<Details, Results>;
}

const ORDER_ID = 'o-1';
const OPERATOR = { by: 'ops', reason: 'given' };

type Events = readonly FoldableEvent[];
interface Happened {
  readonly events: Events;
  readonly command: OrderCommand;
}

const told = (command: OrderCommand, order: Order | undefined): Came<FoldableEvent> => {
  const decided = decide(command, order);
  if (E.isLeft(decided)) return { refusal: decided.left };
  const version = order?.version ?? 0;
  const time = '2026-01-01T00:00:00.000Z';
  return { events: decided.right.map((event, at) => ({ ...event, stream: ORDER_ID, version: version + at + 1, time })) };
};

const inWords = ({ type, ...rest }: OrderCommand): string => {
  const { step } = rest as { readonly step?: string };
  return step === undefined ? type : `${type} ${step}`;
};

/** The commands behind the words, for an order in this state. */
const happenings = <Next>(order: Order, go: (command: OrderCommand) => Next): Happenings<Record<string, unknown>, Next> => {
  const at = (step: string): StepState => stepOf(order, step) ?? fail(`the plan has no step ${step}`);
  const asked = (step: string): string => at(step).request ?? fail(`${step} was not requested`);
  const open = (step: string) => {
    const { status, request, undo } = at(step);
    if (status === 'undoing') return { direction: 'undo', request: undo?.request ?? '' } as const;
    return status === 'requested'
      ? ({ direction: 'do', request: request ?? '' } as const)
      : fail(`${step} is ${status}, and waits for nothing`);
  };
  const letter = (step: string): string => at(step).dead?.id ?? fail(`${step} is ${at(step).status}, not dead`);
  return {
    succeeded: (step, ...[result]) => go({ type: 'RecordSucceeded', step, request: asked(step), result }),
    refused: (step, reason = 'no') => go({ type: 'RecordRefused', step, request: open(step).request, reason }),
    undone: (step, result) =>
      go({ type: 'RecordUndone', step, request: open(step).request, ...(result !== undefined && { settled: { result } }) }),
    skipped: (step) => go({ type: 'RecordSkipped', step, request: open(step).request }),
    died(step) {
      const { direction, request } = open(step);
      return go({ type: 'RecordDead', step, direction, deadLetterId: `${step}:${request}`, cause: 'given', attempts: 1 });
    },
    redriven: (step) => go({ type: 'Redrive', deadLetterId: letter(step), ...OPERATOR }),
    discarded: (step) => go({ type: 'Discard', deadLetterId: letter(step), ...OPERATOR }),
    cancelled: (reason = 'changed my mind') => go({ type: 'Cancel', reason }),
    deadlinePassed: () => go({ type: 'PassDeadline' }),
  };
};

/** What of a payload is looked at: the fields the expectation names. */
const named = (data: unknown, of: object): object =>
  Object.fromEntries(Object.keys(of).map((key) => [key, (data as Readonly<Record<string, unknown>>)[key]]));

const expectEvents = (events: Events, expected: readonly ExpectedEvent<Record<string, object>>[], about: string): void => {
  const seen = events.map(({ type, data }, at) => {
    const wanted = expected[at];
    return typeof wanted === 'object' && wanted.type === type ? { type, data: named(data, wanted.data) } : type;
  });
  expectSame(seen, expected, about);
};

const givenOrder = ({ events }: Pick<Happened, 'events'>): GivenOrder<unknown, Record<string, unknown>> => {
  const order = fold(events) as Order;
  const after = (fresh: Events) => givenOrder({ events: [...events, ...fresh] });
  return {
    ...happenings(order, (command) => {
      const fresh = eventsOf(told(command, order), `given ${inWords(command)}, which can not be`);
      return fresh.length > 0 ? after(fresh) : fail(`given ${inWords(command)}, which changes nothing of an order that is ${order.status}`);
    }),
    state: order,
    when: happenings(order, (command) => {
      const came = told(command, order);
      const about = `when ${inWords(command)} comes to an order that is ${order.status}`;
      return {
        // biome-ignore lint/suspicious/noThenProperty: given, when, then are the words; whoever awaits it is told so
        then(...expected) {
          refuseToBeAwaited(expected);
          const fresh = eventsOf(came, about);
          expectEvents(fresh, expected as readonly ExpectedEvent<Record<string, object>>[], about);
          return after(fresh);
        },
        thenRejected(code) {
          expectRefusal(came, code, about);
          return after([]);
        },
      };
    }),
  };
};

const admitted = (schema: StandardSchemaV1, input: unknown): unknown => {
  const answer = schema['~standard'].validate(input);
  if (answer instanceof Promise) return fail('the schema answers later: give what it lets through to .placed(…)');
  if (answer.issues === undefined) return answer.value;
  return fail(`given an order that its schema does not let through: ${answer.issues.map(({ message }) => message).join('; ')}`, input);
};

/** @see given */
export const givenSaga = ({ plan, schema }: AnyOrderSaga): GivenSaga<unknown, unknown, Record<string, unknown>> => {
  const placed = (details: unknown) =>
    givenOrder({ events: eventsOf(told({ type: 'Place', orderId: ORDER_ID, details, plan }, undefined), 'given an order') });
  return { placed, order: (input) => placed(admitted(schema, input)) };
};
