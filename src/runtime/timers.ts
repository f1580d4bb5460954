import { isLeft, right } from 'fp-ts/lib/Either.js';
import type { ParkedDelivery } from '../core/records.ts';
import type { Codec } from './codec.ts';
import type { InHand, Place } from './holding.ts';
import type { Decide, StreamModel } from './model.ts';
import type { Notifier } from './notifications.ts';
import { asEdited, broughtBy, isScheduled } from './parking.ts';
import type { Transaction } from './transact.ts';

interface Context<State> {
  readonly codec: Codec;
  readonly notifier: Notifier;
  readonly model: StreamModel<State> | undefined;
}

/** Commits the outcome of what is in hand; false when something else came first and nothing was written. */
type Settle<State> = (lane: Place, inHand: InHand, record: ParkedDelivery, rest: Partial<Transaction<State, unknown>>) => Promise<boolean>;

export interface Timers<State> {
  /**
   * What a due timer leads to, in the unit that ends the timer. Guarded by the timer's revision: of firing, being taken back and
   * being set anew exactly one happens.
   * @throws `UNDECODABLE` for a payload this code can't read
   */
  fire(lane: Place, started: InHand, settle: Settle<State>): Promise<void>;
}

export const createTimers = <State>({ codec, notifier, model }: Context<State>): Timers<State> => {
  const brought = (timer: ParkedDelivery): Decide<State, unknown> => {
    const { stream, type, data } = codec.decode(asEdited(timer, broughtBy(timer)));
    return model?.onScheduled?.({ type, data }, stream) ?? (() => right([{ type, data }]));
  };

  return {
    async fire(place, started, settle) {
      const timer = started.parked;
      if (timer === null) return;
      const { id, stream, type } = timer;
      const ours = isScheduled(timer);
      const decided = ours ? brought(timer) : model?.onTimer?.(type);
      let refusal: unknown;
      const decide: Decide<State> = (state, version) => {
        const outcome = decided?.(state, version) ?? right([]);
        refusal = isLeft(outcome) ? outcome.left : undefined;
        return isLeft(outcome) ? right([]) : outcome;
      };
      const over = { ...timer, state: 'done' as const, startedAt: null };
      // A model sets its timers under the same names again, and has no use for old ones. What was scheduled stays as history, so that
      // revisions go on where a name is used again.
      const fired = await settle(place, started, over, { decide, ...(!ours && { drop: [id] }) });
      if (fired && refusal !== undefined) notifier.emit('refused', { id, stream, type, refusal });
    },
  };
};
