import type { EventMap } from '../core/envelope.ts';
import { OrderfoldError } from '../core/errors.ts';
import { ms, optional, resolveOptions, text } from '../core/options.ts';
import { isOpen, type KeyClaim, type ParkedDelivery, type ParkedWrite } from '../core/records.ts';
import { shardOf } from '../core/shard.ts';
import type { Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import type { Codec } from './codec.ts';
import { asEdited, broughtBy, detailOf, isScheduled, scheduledId, timerRecord } from './parking.ts';
import { LONGEST_NAME, storedName } from './stored-name.ts';
import type { Transact } from './transact.ts';

/** In so many milliseconds, or at a time (a `Date`, or ISO 8601 with its offset from UTC), by the store's clock. What is past is due at once. */
export type When = { readonly delayMs: number } | { readonly at: string | Date };

/** An event to be appended later. */
export type Schedulable<Events extends EventMap> = {
  [Type in keyof Events & string]: { readonly stream: string; readonly type: Type; readonly data: Events[Type] };
}[keyof Events & string];

/** Something that waits for its time. */
export interface Scheduled {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** ISO 8601, UTC. */
  readonly dueAt: string;
  /** Undefined where this code can't read it. */
  readonly data: unknown;
}

/** Events due later. All of it is durable when it resolves, and may be asked in any process. */
export interface Scheduling<Events extends EventMap> {
  /**
   * Appends the event when it is due, exactly once, wherever a worker runs then; it is an ordinary event from there on. Under a name that
   * still waits in its stream it takes the place of what was scheduled there, time and payload. Payloads are kept as text and read by the
   * code of the day; what can't be read becomes a dead letter. A pause of the stream holds up its deliveries, not this.
   * @param options.name 1 to 200 characters, unique in the stream: asking again under one is safe while it waits. @default a new id
   * @param options.key claimed in the same unit; if it was `taken`, nothing is scheduled.
   * @throws `CONFIG`, `STORE`, `BUSY`, `CLOSED`
   */
  schedule(
    event: Schedulable<Events>,
    when: When,
    options?: { readonly name?: string | undefined; readonly key?: KeyClaim | undefined },
  ): Promise<{ readonly id: string; readonly taken?: KeyClaim }>;
  /** True if it will never fire: it was taken back, by this call or before. False if it has fired, or there is no such thing. */
  unschedule(id: string): Promise<boolean>;
  /** What still waits in a stream, the earliest due first. */
  scheduled(stream: string): Promise<readonly Scheduled[]>;
}

interface Context<State> {
  readonly store: Store;
  readonly system: System;
  readonly codec: Codec;
  readonly transact: Transact<State>;
  readonly opened: () => Promise<void>;
  /** Something may be due earlier than this process thought. */
  readonly runnable: () => void;
}

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** In whole milliseconds since 1970, or NaN. */
const timeOf = (at: unknown): number => {
  if (at instanceof Date) return at.getTime();
  return typeof at === 'string' && ISO.test(at) ? Date.parse(at) : Number.NaN;
};

/** @throws `CONFIG` */
export const whenOf = (given: When): { readonly delayMs: number } | { readonly dueAt: number } => {
  const { delayMs, at } = resolveOptions('when', given, {
    delayMs: optional(ms()),
    at: optional({
      expected: 'a Date or an ISO 8601 time with its offset from UTC',
      accepts: (value): value is string | Date => !Number.isNaN(timeOf(value)),
    }),
  });
  if ((delayMs === undefined) === (at === undefined)) throw new OrderfoldError('CONFIG', 'when: expected either delayMs or at');
  return delayMs === undefined ? { dueAt: timeOf(at) } : { delayMs: Math.ceil(delayMs) };
};

export const createScheduling = <Events extends EventMap, State>(context: Context<State>): Scheduling<Events> => {
  const { store, system, codec, transact, opened, runnable } = context;

  /** What happened under the name before goes on being told. */
  const written = (fresh: ParkedDelivery, before: ParkedDelivery | undefined): Pick<ParkedWrite, 'record' | 'expect'> => {
    if (before === undefined) return { record: fresh, expect: 'absent' };
    const { ledger, actions, lost } = detailOf(before);
    const detail = JSON.stringify({ ...detailOf(fresh), ledger, actions, lost });
    const { deadAt, cause, generation, revision } = before;
    return { record: { ...fresh, deadAt, cause, generation: generation + 1, detail }, expect: revision };
  };

  const readable = (timer: ParkedDelivery): unknown => {
    try {
      return codec.decode(asEdited(timer, broughtBy(timer))).data;
    } catch {
      return undefined;
    }
  };

  return {
    async schedule(event, when, options) {
      const { stream, type, data } = resolveOptions('EventBus.schedule', event, {
        stream: text({ max: LONGEST_NAME }),
        type: text({ max: LONGEST_NAME }),
        data: { expected: 'a payload', accepts: (value): value is unknown => value !== undefined },
      });
      const { name, key } = resolveOptions('EventBus.schedule', options, {
        name: text({ max: LONGEST_NAME, default: system.id() }),
        key: {
          expected: 'a key to claim',
          accepts: (value): value is KeyClaim | undefined => value === undefined || typeof value === 'object',
        },
      });
      const id = scheduledId(storedName('stream', stream), storedName('name', name));
      const due = whenOf(when);
      const payload = codec.encode(type, data);
      await opened();
      const blank = timerRecord(id, stream, shardOf(stream, store.shards), type);
      const timer = {
        ...blank,
        ...('dueAt' in due && due),
        detail: JSON.stringify({ ...detailOf(blank), scheduled: { name, ...payload } }),
      };
      for (let before: ParkedDelivery | undefined; ; before = (await store.parked(id))?.parked) {
        const write = { ...written(timer, before), ...('delayMs' in due && due) };
        const outcome = await transact({ stream, persistent: false, park: [write], ...(key && { key }) });
        if (outcome.kind === 'key') return { id, taken: outcome.taken };
        if (outcome.kind !== 'won') continue; // something is scheduled under the name, or was until now
        runnable();
        return { id };
      }
    },
    async unschedule(given) {
      const { id } = resolveOptions('EventBus.unschedule', { id: given }, { id: text() });
      await opened();
      for (;;) {
        const timer = (await store.parked(id))?.parked;
        if (timer === undefined || !isScheduled(timer) || timer.state === 'done') return false;
        if (!isOpen(timer.state)) return true;
        const record: ParkedDelivery = { ...timer, state: 'superseded', startedAt: null };
        const { kind } = await transact({ stream: timer.stream, persistent: false, park: [{ record, expect: timer.revision }] });
        if (kind === 'won') return true;
      }
    },
    async scheduled(stream) {
      await opened();
      const waiting = (await store.parkedOf(storedName('stream', stream), 'open')).filter(
        (record) => record.state === 'scheduled' && isScheduled(record),
      );
      return waiting
        .sort((a, b) => a.dueAt - b.dueAt)
        .map((timer) => ({
          id: timer.id,
          name: detailOf(timer).scheduled?.name ?? '',
          type: timer.type,
          dueAt: new Date(timer.dueAt).toISOString(),
          data: readable(timer),
        }));
    },
  };
};
