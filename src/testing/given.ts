import type { Either } from 'fp-ts/lib/Either.js';
import { isoTime } from '../core/envelope.ts';
import type { AnyOrderSaga, OrderSaga } from '../order/saga.ts';
import type { Decide, Fact, StreamModel } from '../runtime/model.ts';
import { type Came, eventsOf, expectRefusal, expectSame, refuseToBeAwaited } from './expected.ts';
import { type GivenSaga, givenSaga } from './given-saga.ts';

/** Any decider: what follows from a command in a state, and what an event makes of a state. */
export interface Decider<Command, State, Event, Refusal = never> {
  /** The events, or a Left that says no. */
  decide(command: Command, state: State): readonly Event[] | Either<Refusal, readonly Event[]>;
  /** Gives the next state, or changes the one it is handed, which is its own. */
  readonly evolve: ((state: State, event: Event) => State) | ((draft: State, event: Event) => void);
  initialState(): State;
}

/** What has to follow of a command. */
export interface Expectations<Event> {
  /** All events, in their order. @throws AssertionError with the difference */
  then(events: readonly Event[]): void;
  /** @throws AssertionError when it is not refused, or with another `code` */
  thenRejected(code: string): void;
}

/** A state that some events made. */
export interface Given<Command, State, Event> {
  readonly state: State;
  when(command: Command): Expectations<Event>;
}

const asCame = <Event>(decided: readonly Event[] | Either<unknown, readonly Event[]>): Came<Event> => {
  if (!('_tag' in decided)) return { events: decided };
  return decided._tag === 'Left' ? { refusal: decided.left } : { events: decided.right };
};

const expectations = <Event>(came: Came<Event>, about: string): Expectations<Event> => ({
  // biome-ignore lint/suspicious/noThenProperty: given, when, then are the words; whoever awaits it is told so
  then(expected: readonly Event[]) {
    refuseToBeAwaited([expected]);
    expectSame(eventsOf(came, about), expected, about);
  },
  thenRejected: (code) => expectRefusal(came, code, about),
});

const givenDecider = <Command, State, Event>(
  { decide, evolve, initialState }: Decider<Command, State, Event, unknown>,
  events: readonly Event[],
): Given<Command, State, Event> => {
  let state = initialState();
  for (const event of events) {
    const next = evolve(state, event);
    if (next !== undefined) state = next as State;
  }
  const words = (command: Command): string => (command as { readonly type?: string } | undefined)?.type ?? 'the command';
  return {
    state,
    when: (command) => expectations(asCame(decide(command, state)), `when ${words(command)} comes after ${events.length} events`),
  };
};

const givenModel = <State>(
  { fold }: Pick<StreamModel<State>, 'fold'>,
  facts: readonly Fact[],
): Given<Decide<State, unknown>, State | undefined, Fact> => {
  const time = isoTime(Date.UTC(2026, 0, 1));
  const events = facts.map(({ type, data }, at) => ({ stream: 's', type, data, version: at + 1, time }));
  const state = events.length === 0 ? undefined : fold(events, undefined);
  return {
    state,
    when: (decide) => expectations(asCame(decide(state, events.length)), `when it is decided after ${events.length} events`),
  };
};

interface GivenFaces {
  <Input, Details, Results extends object>(saga: OrderSaga<Input, Details, Results>): GivenSaga<Input, Details, Results>;
  <State>(model: Pick<StreamModel<State>, 'fold'>, events?: readonly Fact[]): Given<Decide<State, unknown>, State | undefined, Fact>;
  <Command, State, Event>(
    decider: Decider<Command, State, Event, unknown>,
    events?: readonly NoInfer<Event>[],
  ): Given<Command, State, Event>;
}

/**
 * Given what happened, when this comes, then that follows. For a saga, with the words of its steps known to the compiler; for the model
 * of a bus's streams, over which commands are decisions; and for any decider. Pure: nothing runs but decisions, and no handler is called.
 * @throws AssertionError of `node:assert`, which every test runner shows with its difference
 * @example
 * given(saga)
 *   .order({ customerId: 'c1', currency: 'EUR', items: [{ sku: 'a', quantity: 1, unitPriceMinor: 990 }] })
 *   .succeeded('payment', { chargeId: 'ch_1' })
 *   .when.refused('inventory', 'sold out')
 *   .then('InventoryRefused', 'CancellationStarted', 'PaymentUndoRequested');
 */
export const given: GivenFaces = ((of: object, events: readonly unknown[] = []) => {
  if ('plan' in of) return givenSaga(of as AnyOrderSaga);
  if ('fold' in of) return givenModel(of as Pick<StreamModel<unknown>, 'fold'>, events as readonly Fact[]);
  return givenDecider(of as Decider<unknown, unknown, unknown, unknown>, events);
}) as GivenFaces;
