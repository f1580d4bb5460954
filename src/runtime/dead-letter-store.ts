import type { Envelope } from '../core/envelope.ts';
import type { Attempt } from '../core/ledger.ts';
import { count, optional, resolveOptions, text } from '../core/options.ts';
import type { ParkedDelivery, StoredEvent } from '../core/records.ts';
import type { Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import type { Codec } from './codec.ts';
import type { StreamModel } from './model.ts';
import type { Notifier } from './notifications.ts';
import { broughtBy, changed, detailOf, type LostStart, type OperatorAction } from './parking.ts';
import type { Transact } from './transact.ts';

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
  readonly state: 'dead' | 'scheduled' | 'done' | 'discarded' | 'superseded';
  /** The event; `data` is undefined where the payload can't be read. */
  readonly envelope: Envelope & { readonly attempt: number; readonly maxAttempts: number | undefined; readonly generation: number };
  /** The payload, the very text that was stored. */
  readonly raw: string;
  /** Every failed attempt of every generation: the first 5 and the last 15, `omitted` between them. */
  readonly history: readonly Attempt[];
  readonly omitted: number;
  readonly lostStarts: readonly LostStart[];
  /** What operators did. */
  readonly actions: readonly OperatorAction[];
}

export interface DeadLetterFilter {
  readonly subscription?: string | undefined;
  readonly type?: string | undefined;
  readonly stream?: string | undefined;
  readonly cause?: string | undefined;
}

/** Letters by id, or all that a filter matches (`{}` is all). */
export type DeadLetterSelection = { readonly ids: readonly string[] } | { readonly filter: DeadLetterFilter };

export interface Audit {
  readonly by: string;
  readonly reason: string;
}

export interface DeadLetterChanges {
  /** Letters selected. */
  readonly matched: number;
  /** Ids that were changed, durably. */
  readonly changed: readonly string[];
  /** Ids that exist but were not dead any more, or whose stream refuses the change. */
  readonly refused: readonly { readonly id: string; readonly message: string }[];
}

/**
 * The public face of parked deliveries that died. All of it is durable when it resolves, works while workers run, and may
 * be called from any process; the same change asked twice or at once happens once.
 * Faults are thrown: `CONFIG` for a missing `by` or `reason` and unknown options, `STORE` when the store is away.
 */
export interface DeadLetterStore {
  /** The latest to die first. @param options.limit 1 to 500. @default 50 */
  list(filter?: DeadLetterFilter & { readonly limit?: number | undefined; readonly cursor?: string | undefined }): Promise<{
    readonly deadLetters: readonly DeadLetter[];
    readonly nextCursor: string | null;
  }>;
  /** One letter with its envelope and every attempt, also after it was redriven, discarded or superseded; null if it never died. */
  get(id: string): Promise<DeadLetterDetails | null>;
  /** A new generation for that one subscription: same bytes, same id, same effect key, attempts from 1, in front of the later versions of its stream. */
  redrive(selection: DeadLetterSelection, audit: Audit, options?: { readonly dryRun?: boolean }): Promise<DeadLetterChanges>;
  /** Final. The later versions of its stream go on. */
  discard(selection: DeadLetterSelection, audit: Audit): Promise<DeadLetterChanges>;
}

/** The dead letters of a bus or of orders. */
export const DeadLetterStore = /* @__PURE__ */ Object.freeze({
  of: (owner: { readonly deadLetters: DeadLetterStore }): DeadLetterStore => owner.deadLetters,
});

interface Context<State> {
  readonly store: Store;
  readonly system: System;
  readonly codec: Codec;
  readonly notifier: Notifier;
  readonly model: StreamModel<State> | undefined;
  readonly transact: Transact<State>;
  readonly opened: () => Promise<void>;
  readonly maxAttempts: (subscription: string, type: string) => number | undefined;
  readonly runnable: () => void;
}

interface Selected {
  readonly id: string;
  readonly version: number;
}

const PAGE = 500;
/** Streams changed beside each other, so that they share commits. */
const AT_ONCE = 64;
const filterSpec = { subscription: optional(text()), type: optional(text()), stream: optional(text()), cause: optional(text()) };

const letterOf = (record: ParkedDelivery): DeadLetter => ({
  id: record.id,
  subscription: record.subscription,
  type: record.type,
  stream: record.stream,
  cause: record.cause ?? '',
  attempts: record.attempts,
  generation: record.generation,
  deadAt: new Date(record.deadAt ?? 0).toISOString(),
});

export const createDeadLetterStore = <State>(context: Context<State>): DeadLetterStore => {
  const { store, system, codec, notifier, model, transact, opened, maxAttempts, runnable } = context;

  const envelopeOf = (event: StoredEvent): Envelope => {
    try {
      return codec.decode(event);
    } catch {
      const { type, schema } = event;
      return { ...codec.decode({ ...event, type: '', schema: 1, data: 'null' }), type, schema, data: undefined };
    }
  };

  const known = (filter: DeadLetterFilter | undefined): DeadLetterFilter =>
    Object.fromEntries(Object.entries(resolveOptions('DeadLetterStore', filter, filterSpec)).filter(([, value]) => value !== undefined));

  /** The letters selected, by stream: what is redriven together runs in version order, streams beside each other. */
  const select = async (selection: DeadLetterSelection): Promise<readonly Selected[][]> => {
    const streams = new Map<string, Selected[]>();
    const add = ({ id, stream, version }: ParkedDelivery): void =>
      void streams.set(stream, [...(streams.get(stream) ?? []), { id, version }]);
    if ('ids' in selection) {
      for (const id of new Set(selection.ids)) {
        const found = await store.parked(id);
        if (found !== null && found.parked.deadAt !== null) add(found.parked);
      }
    } else {
      const filter = known(selection.filter);
      for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
        const page: Awaited<ReturnType<Store['dead']>> = await store.dead(filter, PAGE, cursor);
        page.rows.forEach(add);
        cursor = page.nextCursor;
      }
    }
    return [...streams.values()].map((letters) => letters.sort((a, b) => a.version - b.version));
  };

  const change = async (id: string, kind: OperatorAction['action'], { by, reason }: Audit): Promise<string | null> => {
    const record = (await store.parked(id))?.parked;
    if (record?.state !== 'dead') return `${id} is ${record?.state ?? 'gone'}, not dead`;
    const { subscription, stream, type } = record;
    const detail = detailOf(record);
    const action: OperatorAction = { action: kind, at: new Date(system.now()).toISOString(), by, reason, generation: record.generation };
    const actions = [...detail.actions, action];
    const next =
      kind === 'discarded'
        ? changed(record, { state: 'discarded' }, { ...detail, actions })
        : changed(
            record,
            { state: 'scheduled', attempts: 0, lostStarts: 0, startedAt: null, generation: record.generation + 1 },
            { ...detail, actions, firstStartedAt: null, previousDelayMs: 0 },
          );
    const decide = model?.onDeadLetter?.({ kind, id, subscription, stream, type, by, reason });
    const outcome = await transact<unknown>({
      stream,
      persistent: false,
      park: [{ record: next, expect: record.revision, ...(kind === 'redriven' && { delayMs: 0 }) }],
      ...(decide && { decide }),
    });
    if (outcome.kind !== 'won') return `${id} is no longer dead`;
    notifier.emit(kind, { id, subscription, stream, by, reason });
    runnable();
    return null;
  };

  const changeAll = async (
    kind: OperatorAction['action'],
    selection: DeadLetterSelection,
    given: Audit,
    dryRun: boolean,
  ): Promise<DeadLetterChanges> => {
    const audit = resolveOptions(`DeadLetterStore: ${kind}`, given, { by: text({ max: 200 }), reason: text({ max: 1000 }) });
    await opened();
    const streams = await select(selection);
    const done: string[] = [];
    const refused: { id: string; message: string }[] = [];
    const waiting = dryRun ? [] : streams.values();
    const changeSome = async (): Promise<void> => {
      for (const letters of waiting) {
        for (const { id } of letters) {
          const message = await change(id, kind, audit);
          if (message === null) done.push(id);
          else refused.push({ id, message });
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, changeSome));
    return { matched: streams.reduce((sum, letters) => sum + letters.length, 0), changed: done, refused };
  };

  return {
    async list(options) {
      const { limit, cursor, ...filter } = resolveOptions('DeadLetterStore.list', options, {
        ...filterSpec,
        limit: count({ min: 1, max: PAGE, default: 50 }),
        cursor: optional(text()),
      });
      await opened();
      const page = await store.dead(known(filter), limit, cursor ?? null);
      return { deadLetters: page.rows.map(letterOf), nextCursor: page.nextCursor };
    },
    async get(id) {
      await opened();
      const found = await store.parked(id);
      if (found === null || found.parked.deadAt === null) return null;
      const { parked } = found;
      const event = parked.kind === 'timer' ? broughtBy(parked) : found.event;
      if (event === null) return null;
      const { ledger, lost, actions } = detailOf(parked);
      const { attempts: attempt, generation } = parked;
      return {
        ...letterOf(parked),
        state: parked.state,
        envelope: { ...envelopeOf(event), attempt, maxAttempts: maxAttempts(parked.subscription, parked.type), generation },
        raw: event.data,
        history: ledger.attempts,
        omitted: ledger.omitted,
        lostStarts: lost,
        actions,
      };
    },
    redrive: (selection, audit, options) => changeAll('redriven', selection, audit, options?.dryRun === true),
    discard: (selection, audit) => changeAll('discarded', selection, audit, false),
  };
};
