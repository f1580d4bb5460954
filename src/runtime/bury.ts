import { isOrderfoldError } from '../core/errors.ts';
import type { ParkedDelivery } from '../core/records.ts';
import type { Decide, StreamModel } from './model.ts';

/**
 * Writes a dead letter down together with what its stream has to say about it. A stream that this code can't fold, or a
 * model that throws over it, says nothing, and the letter is kept all the same.
 */
export const bury = async <State, T>(
  model: StreamModel<State> | undefined,
  { id, subscription, stream, type, cause, attempts }: ParkedDelivery,
  write: (decide: { readonly decide?: Decide<State, unknown> }) => Promise<T>,
): Promise<T> => {
  try {
    const decide = model?.onDeadLetter?.({ kind: 'dead', id, subscription, stream, type, cause: cause ?? '', attempts });
    return await write(decide === undefined ? {} : { decide });
  } catch (error) {
    if (isOrderfoldError(error, 'CLOSED')) throw error;
    return write({});
  }
};
