import * as E from 'fp-ts/lib/Either.js';
import { isOrderfoldError, OrderfoldError } from '../core/errors.ts';
import { permanent } from '../core/permanent.ts';
import type { Outcome } from '../order/commands.ts';
import { decide } from '../order/decide.ts';
import { type Direction, stepEventName } from '../order/names.ts';
import { type Order, stepOf } from '../order/order.ts';
import { isRefused, type Refused } from '../order/refused.ts';
import type { StepDefinition, StepInput } from '../order/step.ts';
import { stepInput } from '../order/step-input.ts';
import type { Fact } from './model.ts';
import { Postponed } from './postponed.ts';
import type { Snapshot } from './streams.ts';
import type { Delivery, SubscribeOptions } from './subscription.ts';

type Run = (delivery: Delivery) => Promise<undefined | ((state: unknown) => readonly Fact[])>;

/** What settling an uncertain step found out. */
type Found =
  | { readonly kind: 'happened'; readonly result: unknown }
  | { readonly kind: 'refused'; readonly refused: Refused }
  | { readonly kind: 'absent' };

/** The outcome as events of the order, decided over whatever it has become since; one that makes no sense ends as a dead letter. */
const recording =
  (outcome: Outcome) =>
  (state: unknown): readonly Fact[] => {
    const decided = decide(outcome, state as Order);
    if (E.isLeft(decided))
      throw permanent(`${decided.left.message}${(decided.left.issues ?? []).map(({ path, message }) => `; ${path}: ${message}`).join('')}`);
    return decided.right;
  };

/** A reply that names amount, currency or order has to name the order's own: anything else is somebody else's outcome. */
const checkReply = (result: unknown, orderId: string, details: unknown): void => {
  if (typeof result !== 'object' || result === null) return;
  const check = (field: string, value: unknown): void => {
    if (value === undefined || !Object.hasOwn(result, field)) return;
    if ((result as Readonly<Record<string, unknown>>)[field] !== value) throw permanent(`the reply's ${field} is not the order's`);
  };
  const order = details as Readonly<Record<string, unknown>> | null;
  check('orderId', orderId);
  check('amountMinor', order?.totalMinor);
  check('currency', order?.currency);
};

/** Nothing leaves a run any more whose time is up: what came after it may have found already that nothing happened. */
const calling = <Input extends StepInput>(call: (input: Input) => unknown, input: Input): unknown => {
  input.signal.throwIfAborted();
  return call(input);
};

/**
 * The subscription that runs one step of a saga: `do` for its requests, `undo` for its undo requests.
 * A start whose outcome is unknown is settled by `query` where there is one, else by `do` under the same effect key.
 */
export const stepSubscription = (
  step: StepDefinition,
  stateOf: (stream: string, atLeast?: number) => Promise<Snapshot<Order>>,
): SubscribeOptions<Record<string, unknown>> => {
  const { name, query, timeoutMs } = step;

  const inputOf = (order: Order, delivery: Delivery, direction: Direction): StepInput & { readonly result: unknown } => {
    const { attempt, maxAttempts, generation, traceparent } = delivery;
    return {
      ...stepInput(order, name, direction),
      attempt,
      maxAttempts,
      generation,
      ...(traceparent !== undefined && { traceparent }),
      get signal() {
        return delivery.signal;
      },
    };
  };

  const asFound = (answer: unknown, order: Order): Found => {
    if (isRefused(answer)) {
      if (step.neverRefuses) throw permanent(`${name} promised never to refuse, and refused: ${answer.reason}`);
      return { kind: 'refused', refused: answer };
    }
    checkReply(answer, order.orderId, order.details);
    return { kind: 'happened', result: answer };
  };

  /** As it is now if another process may have had a hand in it since: one that started before may have been redriven elsewhere. */
  const orderOf = async ({ stream, version, sinceLastStartMs }: Delivery): Promise<Order | undefined> => {
    try {
      return (await stateOf(stream, sinceLastStartMs === null ? version : undefined)).state;
    } catch (error) {
      if (isOrderfoldError(error, 'STORE') || isOrderfoldError(error, 'CLOSED')) throw new Postponed('the order cannot be read', 1000);
      throw error;
    }
  };

  /** What became of starts whose outcome nobody heard; `quietMs` is how long the last of them has been over. */
  const settle = async (order: Order, input: StepInput, quietMs: number, mayStillRun: boolean): Promise<Found> => {
    if (query === undefined) return asFound(await calling(step.do, input), order);
    const answer = await calling(query, input);
    if (answer !== undefined && answer !== null) return asFound(answer, order);
    if (mayStillRun) return asFound(await calling(step.do, input), order);
    if (quietMs < timeoutMs)
      throw new Postponed(`${name} is not found, but an earlier call may still arrive`, Math.ceil(timeoutMs - quietMs));
    return { kind: 'absent' };
  };

  const runDo: Run = async (delivery) => {
    const order = await orderOf(delivery);
    if (order === undefined || !Object.hasOwn(order.steps, name)) return undefined;
    const { status, request } = stepOf(order, name);
    if (status !== 'requested' || request !== delivery.id) return undefined;
    const cancelling = order.phase === 'cancelling';
    const quietMs = delivery.sinceLastStartMs;
    if (cancelling && quietMs === null) return recording({ type: 'RecordSkipped', step: name, request });
    const input = inputOf(order, delivery, 'do');
    const found = quietMs === null ? asFound(await calling(step.do, input), order) : await settle(order, input, quietMs, !cancelling);
    if (found.kind === 'absent') return recording({ type: 'RecordSkipped', step: name, request });
    if (found.kind === 'refused') return recording({ type: 'RecordRefused', step: name, request, ...found.refused });
    return recording({ type: 'RecordSucceeded', step: name, request, result: found.result });
  };

  const runUndo: Run = async (delivery) => {
    const order = await orderOf(delivery);
    if (order === undefined || !Object.hasOwn(order.steps, name)) return undefined;
    const { status, undo } = stepOf(order, name);
    if (status !== 'undoing' || undo?.request !== delivery.id) return undefined;
    if (step.undo === undefined) {
      throw new OrderfoldError('UNDECODABLE', `${delivery.stream} was promised an undo of ${name}, which this code has not`, {
        retryable: true,
      });
    }
    const request = delivery.id;
    const input = inputOf(order, delivery, 'undo');
    if (!undo.settle) {
      await calling(step.undo, input);
      return recording({ type: 'RecordUndone', step: name, request });
    }
    // The step's own last call was over when this was requested; how long ago that was, only this worker's clock can tell.
    const found = await settle(order, inputOf(order, delivery, 'do'), delivery.sinceLastStartMs ?? 0, false);
    if (found.kind === 'absent') return recording({ type: 'RecordSkipped', step: name, request });
    if (found.kind === 'refused') return recording({ type: 'RecordRefused', step: name, request, ...found.refused });
    await calling(step.undo, Object.defineProperty(input, 'result', { value: found.result, enumerable: true }));
    return recording({ type: 'RecordUndone', step: name, request, settled: { result: found.result } });
  };

  /** One delivery makes up to three calls, each with the time of one. */
  const calls = (most: number): number => timeoutMs * (query === undefined ? most : most + 1);
  return {
    on: {
      [stepEventName(name, 'Requested')]: { handle: runDo as never, retry: step.retry, timeoutMs: calls(1) },
      // Also where this code has no undo: other code may have placed orders with one, and a type without a handler is passed over.
      [stepEventName(name, 'UndoRequested')]: { handle: runUndo as never, retry: step.undoRetry, timeoutMs: calls(2) },
    },
    onDead: 'hold',
    start: 'head',
    ...step.flow,
  };
};
