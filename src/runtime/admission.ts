import * as E from 'fp-ts/lib/Either.js';
import type { KeyClaim } from '../core/records.ts';
import { fingerprint } from '../order/fingerprint.ts';
import { type Rejection, rejection } from '../order/rejection.ts';
import type { AnyOrderSaga } from '../order/saga.ts';
import { validate } from '../order/validate.ts';

/** An order that may be placed. */
export interface Admitted {
  /** What is stored of it. */
  readonly details: unknown;
  /** What an idempotency key stands for: the order, and when it is to be placed if that is not now. */
  readonly asked: string;
  claim(orderId: string): { readonly key?: KeyClaim };
}

const isKey = (key: unknown): key is string =>
  typeof key === 'string' && key !== '' && key.length <= 255 && !/[\p{Surrogate}\0]/u.test(key);

/** Takes an order by the saga's schema: `left` INVALID for what it does not let through, and for a key that can be none. */
export const admit = async (
  saga: AnyOrderSaga,
  input: unknown,
  idempotencyKey: unknown,
  when?: object,
): Promise<E.Either<Rejection, Admitted>> => {
  if (idempotencyKey !== undefined && !isKey(idempotencyKey))
    return E.left(rejection('INVALID', 'expected an idempotency key of 1 to 255 characters'));
  const validated = await validate(saga.schema, input);
  return E.map((details: unknown): Admitted => {
    const asked = when === undefined ? fingerprint(details) : `later ${fingerprint({ details, when })}`;
    const claim: Admitted['claim'] = (stream) =>
      idempotencyKey === undefined ? {} : { key: { key: idempotencyKey, fingerprint: asked, stream } };
    return { details, asked, claim };
  })(validated);
};

export const KEY_REUSED = rejection('KEY_REUSED', 'this idempotency key was used for another order');
