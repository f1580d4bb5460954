import type { DocumentWrite, ParkedDelivery } from '../../core/records.ts';
import type { System } from '../../core/system.ts';
import type { StreamModel } from '../model.ts';
import type { Notifier } from '../notifications.ts';
import { changed, detailOf, type Edit, type OperatorAction, withEdit } from '../parking.ts';
import type { Transact } from '../transact.ts';
import { iso } from './letter.ts';

/** What an operator wants done with one letter. */
export interface Wish {
  readonly kind: OperatorAction['action'];
  readonly by: string;
  readonly reason: string;
  /** With `edited`: what to put in place of the payload. */
  readonly payload?: Pick<Edit, 'raw' | 'schema'>;
  /** The operation it is part of, and the guard that it is still the one to do it. */
  readonly operation?: string;
  readonly guard?: DocumentWrite;
}

/** Why a letter stays as it is: somebody was faster, or its stream does not allow it. */
export interface Refusal {
  readonly id: string;
  readonly code: 'NOT_DEAD' | 'REFUSED';
  readonly message: string;
}

/** Changes a letter together with what its stream says to it; null once that is durable. */
export type Change = (record: ParkedDelivery, wish: Wish) => Promise<Refusal | null>;

interface Context<State> {
  readonly system: System;
  readonly notifier: Notifier;
  readonly model: StreamModel<State> | undefined;
  readonly transact: Transact<State>;
  readonly runnable: () => void;
}

const messageOf = (refusal: unknown): string | undefined => {
  const message = (refusal as { readonly message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : undefined;
};

export const createChange =
  <State>({ system, notifier, model, transact, runnable }: Context<State>): Change =>
  async (record, { kind, by, reason, payload, operation, guard }) => {
    const { id, subscription, stream, type, state, generation } = record;
    if (state !== 'dead') return { id, code: 'NOT_DEAD', message: `${id} is ${state}, not dead` };
    const audit = { at: iso(system.now()), by, reason, generation };
    const before = detailOf(record);
    const actions = [...before.actions, { action: kind, ...audit, ...(operation !== undefined && { operation }) }];
    const detail = payload === undefined ? { ...before, actions } : withEdit({ ...before, actions }, { ...audit, ...payload });
    const next =
      kind === 'discarded'
        ? changed(record, { state: 'discarded' }, detail)
        : changed(
            record,
            { state: 'scheduled', attempts: 0, lostStarts: 0, startedAt: null, generation: generation + 1 },
            { ...detail, firstStartedAt: null, previousDelayMs: 0 },
          );
    const decide = model?.onDeadLetter?.({ kind, id, subscription, stream, type, by, reason });
    const outcome = await transact<unknown>({
      stream,
      persistent: false,
      park: [{ record: next, expect: record.revision, ...(kind !== 'discarded' && { delayMs: 0 }) }],
      ...(guard && { documents: [guard] }),
      ...(decide && { decide }),
    });
    if (outcome.kind === 'refused')
      return { id, code: 'REFUSED', message: messageOf(outcome.refusal) ?? `its stream does not let ${id} be ${kind}` };
    if (outcome.kind !== 'won') return { id, code: 'NOT_DEAD', message: `${id} is no longer dead` };
    notifier.emit(kind, { id, subscription, stream, by, reason });
    runnable();
    return null;
  };
