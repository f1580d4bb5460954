import { resolveOptions } from '../../core/options.ts';
import type { ParkedDelivery } from '../../core/records.ts';
import type { Store } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import type { Codec } from '../codec.ts';
import type { StreamModel } from '../model.ts';
import type { Notifier } from '../notifications.ts';
import { broughtBy, isScheduled, type OperatorAction } from '../parking.ts';
import type { Transact } from '../transact.ts';
import { type Audit, auditOf } from './audit.ts';
import { createChange, type Refusal } from './change.ts';
import type { DeadLetterChanges, DeadLetterStore } from './dead-letter-store.ts';
import { detailsOf, iso, letterOf } from './letter.ts';
import { createPacedRedrives } from './paced-redrives.ts';
import { type DeadLetterSelection, filterSpec, inTurn, pageSpec, parkedFilter, select } from './selection.ts';

interface Context<State> {
  readonly store: Store;
  readonly system: System;
  readonly codec: Codec;
  readonly notifier: Notifier;
  readonly model: StreamModel<State> | undefined;
  readonly transact: Transact<State>;
  readonly opened: () => Promise<void>;
  readonly maxAttempts: (subscription: string, type: string) => number | undefined;
  /** A parked delivery may have become runnable. */
  readonly runnable: () => void;
}

/** @see DeadLetterStore */
export const createDeadLetterStore = <State>(
  context: Context<State>,
): { readonly deadLetters: DeadLetterStore; readonly close: () => Promise<void> } => {
  const { store, codec, transact, opened, maxAttempts } = context;
  const change = createChange(context);
  const { close, ...paced } = createPacedRedrives({ ...context, transact: transact as Transact<never>, change });

  const died = async (id: string): Promise<ParkedDelivery | null> => {
    const record = (await store.parked(id))?.parked;
    return record === undefined || record.deadAt === null ? null : record;
  };

  const changeAll = async (
    kind: Exclude<OperatorAction['action'], 'edited'>,
    selection: DeadLetterSelection,
    given: Audit,
    dryRun = false,
  ): Promise<DeadLetterChanges> => {
    const audit = auditOf(`DeadLetterStore: ${kind}`, given);
    await opened();
    const streams = await select(store, selection);
    const done: string[] = [];
    const refused: Refusal[] = [];
    await inTurn(dryRun ? [] : streams, async ({ id }) => {
      const record = await died(id);
      const refusal =
        record === null ? ({ id, code: 'NOT_DEAD', message: `${id} is gone` } as const) : await change(record, { kind, ...audit });
      if (refusal === null) done.push(id);
      else refused.push(refusal);
    });
    return { matched: streams.reduce((sum, letters) => sum + letters.length, 0), changed: done, refused };
  };

  const deadLetters: DeadLetterStore = {
    async list(options) {
      const { limit, cursor, ...filter } = resolveOptions('DeadLetterStore.list', options, { ...filterSpec, ...pageSpec });
      await opened();
      const page = await store.dead(parkedFilter(filter), limit, cursor ?? null);
      return { deadLetters: page.rows.map(letterOf), nextCursor: page.nextCursor };
    },
    async causes(filter) {
      const wanted = parkedFilter(filter);
      await opened();
      const groups = await store.causes(wanted);
      return groups.map(({ firstDeadAt, lastDeadAt, ...group }) => ({
        ...group,
        firstDeadAt: iso(firstDeadAt),
        lastDeadAt: iso(lastDeadAt),
      }));
    },
    async get(id) {
      await opened();
      const found = await store.parked(id);
      if (found === null || found.parked.deadAt === null) return null;
      const { parked } = found;
      const event = parked.kind === 'timer' ? broughtBy(parked) : found.event;
      return event === null ? null : detailsOf(codec, parked, event, maxAttempts(parked.subscription, parked.type));
    },
    async plan(selection) {
      await opened();
      const streams = await select(store, selection, 'dead');
      const planned = streams.map((letters) => ({ stream: letters[0]?.stream ?? '', ids: letters.map(({ id }) => id) }));
      return { matched: planned.reduce((sum, { ids }) => sum + ids.length, 0), streams: planned };
    },
    redrive: (selection, audit, options) => changeAll('redriven', selection, audit, options?.dryRun),
    discard: (selection, audit) => changeAll('discarded', selection, audit),
    async edit(id, { data }, given) {
      const audit = auditOf('DeadLetterStore: edited', given);
      await opened();
      const record = await died(id);
      if (record === null) return { matched: 0, changed: [], refused: [] };
      const { data: raw, schema } = codec.encode(record.type, data);
      const refusal =
        record.kind === 'timer' && !isScheduled(record)
          ? ({ id, code: 'REFUSED', message: `${id} has no payload` } as const)
          : await change(record, { kind: 'edited', ...audit, payload: { raw, schema } });
      return { matched: 1, changed: refusal === null ? [id] : [], refused: refusal === null ? [] : [refusal] };
    },
    ...paced,
  };
  return { deadLetters: Object.freeze(deadLetters), close };
};
