import type { Envelope } from '../../core/envelope.ts';
import type { Attempt } from '../../core/ledger.ts';
import type { ParkedDelivery, ParkedState, StoredEvent } from '../../core/records.ts';
import type { Codec } from '../codec.ts';
import { asEdited, detailOf, type Edit, type LostStart, type OperatorAction } from '../parking.ts';

/** A delivery that is dead: its policy gave up, its error was permanent, or its payload can't be read. */
export interface DeadLetter {
  readonly id: string;
  readonly subscription: string;
  readonly type: string;
  readonly stream: string;
  /** Groups letters that died of the same thing. */
  readonly cause: string;
  /** Failed attempts of this generation. */
  readonly attempts: number;
  /** Redrives so far. */
  readonly generation: number;
  /** ISO 8601, UTC. */
  readonly deadAt: string;
}

export interface DeadLetterDetails extends DeadLetter {
  readonly state: ParkedState;
  /** The event as a handler gets it: with the latest edit, if there is one. `data` is undefined where the payload can't be read. */
  readonly envelope: Envelope & { readonly attempt: number; readonly maxAttempts: number | undefined; readonly generation: number };
  /** The payload, the very text that was stored. Edits don't touch it. */
  readonly raw: string;
  /** Payloads put in its place, the latest last; at most 20. */
  readonly edits: readonly Edit[];
  /** Every failed attempt of every generation: the first 5 and the last 15, `omitted` between them. */
  readonly history: readonly Attempt[];
  readonly omitted: number;
  readonly lostStarts: readonly LostStart[];
  /** What operators did. */
  readonly actions: readonly OperatorAction[];
}

export const iso = (ms: number | null): string => new Date(ms ?? 0).toISOString();

export const letterOf = ({ id, subscription, type, stream, cause, attempts, generation, deadAt }: ParkedDelivery): DeadLetter => ({
  id,
  subscription,
  type,
  stream,
  cause: cause ?? '',
  attempts,
  generation,
  deadAt: iso(deadAt),
});

export const detailsOf = (codec: Codec, parked: ParkedDelivery, event: StoredEvent, maxAttempts: number | undefined): DeadLetterDetails => {
  const { ledger, lost, actions, edits = [] } = detailOf(parked);
  const { attempts: attempt, generation, state } = parked;
  return {
    ...letterOf(parked),
    state,
    envelope: { ...codec.show(asEdited(parked, event)), attempt, maxAttempts, generation },
    raw: event.data,
    edits,
    history: ledger.attempts,
    omitted: ledger.omitted,
    lostStarts: lost,
    actions,
  };
};
