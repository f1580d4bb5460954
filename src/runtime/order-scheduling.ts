import * as E from 'fp-ts/lib/Either.js';
import { OrderfoldError } from '../core/errors.ts';
import { optional, resolveOptions, text } from '../core/options.ts';
import type { System } from '../core/system.ts';
import { invalid, type Rejection } from '../order/rejection.ts';
import type { AnyOrderSaga, InputOf } from '../order/saga.ts';
import { textIssues } from '../order/text.ts';
import { admit, KEY_REUSED } from './admission.ts';
import { CANCEL_LATER, PLACE_LATER } from './order-model.ts';
import { scheduledId } from './parking.ts';
import { type Scheduled, type Scheduling, type When, whenOf } from './scheduling.ts';

/** A wish that waits for its time. */
export type LaterCommand<Saga extends AnyOrderSaga = AnyOrderSaga> =
  | { readonly place: InputOf<Saga>; readonly idempotencyKey?: string | undefined }
  | { readonly cancel: string; readonly reason: string; readonly by?: string | undefined };

/** Commands due later. All of it is durable when it resolves, and may be asked in any process. */
export interface OrderScheduling<Saga extends AnyOrderSaga> {
  /**
   * `place`: validated now, placed when it is due, under the saga of the code that runs then; until then `get` gives null. The same key
   * with the same order and time gives what was scheduled first, and with anything else, `place` included, the Left `KEY_REUSED`; also
   * once it was taken back.
   * `cancel`: decided when it is due; a "no" then changes nothing and is told of as `refused`.
   * @param options.name of a `cancel`, 1 to 190 characters: takes the place of the one that waits under it. @default a new id
   */
  schedule(
    command: LaterCommand<Saga>,
    when: When,
    options?: { readonly name?: string | undefined },
  ): Promise<E.Either<Rejection, { readonly id: string; readonly orderId: string }>>;
  /** True if it will never happen: it was taken back, by this call or before. False if it has happened, or there is no such thing. */
  unschedule(id: string): Promise<boolean>;
  /** What still waits for an order, the earliest due first. */
  scheduled(orderId: string): Promise<readonly Scheduled[]>;
}

const PLACING = 'place';

export const createOrderScheduling = (
  bus: Scheduling<Record<string, unknown>>,
  saga: AnyOrderSaga,
  system: System,
): OrderScheduling<AnyOrderSaga> => {
  const placeLater = async (command: object, when: When): ReturnType<OrderScheduling<AnyOrderSaga>['schedule']> => {
    const { place, idempotencyKey } = resolveOptions('schedule', command, {
      place: { expected: 'an order', accepts: (_): _ is unknown => true },
      idempotencyKey: { expected: 'a text', accepts: (_): _ is unknown => true },
    });
    const admitted = await admit(saga, place, idempotencyKey, whenOf(when));
    if (E.isLeft(admitted)) return admitted;
    const { details, asked, claim } = admitted.right;
    const orderId = system.id();
    const event = { stream: orderId, type: PLACE_LATER, data: { details } };
    const { id, taken } = await bus.schedule(event, when, { name: PLACING, ...claim(orderId) });
    if (taken === undefined) return E.right({ id, orderId });
    return taken.fingerprint === asked ? E.right({ id: scheduledId(taken.stream, PLACING), orderId: taken.stream }) : E.left(KEY_REUSED);
  };

  const cancelLater = async (command: object, when: When, name: string): ReturnType<OrderScheduling<AnyOrderSaga>['schedule']> => {
    const { cancel: orderId, ...data } = resolveOptions('schedule', command, {
      cancel: text(),
      reason: text({ max: 1000 }),
      by: optional(text({ max: 200 })),
    });
    const issues = textIssues({ cancel: orderId, ...data }, { cancel: 200, reason: 1000, ...(data.by !== undefined && { by: 200 }) });
    if (issues.length > 0) return E.left(invalid('the cancellation can not be recorded like this', issues));
    const { id } = await bus.schedule({ stream: orderId, type: CANCEL_LATER, data }, when, { name: `cancel:${name}` });
    return E.right({ id, orderId });
  };

  return {
    async schedule(command, when, options) {
      const { name } = resolveOptions('schedule', options, { name: optional(text({ max: 190 })) });
      if (!Object.hasOwn(command, 'place')) return cancelLater(command, when, name ?? system.id());
      if (name !== undefined) throw new OrderfoldError('CONFIG', 'schedule: expected no name for an order to place, it is placed once');
      return placeLater(command, when);
    },
    unschedule: bus.unschedule,
    scheduled: bus.scheduled,
  };
};
