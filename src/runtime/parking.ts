import { eventId } from '../core/envelope.ts';
import type { ErrorFacts } from '../core/error-facts.ts';
import { type AttemptLedger, EMPTY_LEDGER } from '../core/ledger.ts';
import type { ParkedDelivery, ParkedWrite, StoredEvent } from '../core/records.ts';

/** The subscription all timers belong to. */
export const TIMERS = 'timers';

/** A start that ended without an outcome. */
export interface LostStart {
  /** ISO 8601, UTC; null where only the start mark tells of it. */
  readonly startedAt: string | null;
  readonly worker: string | null;
  /** `crash`: its process was gone; `stop`: it was aborted by a stopping worker; `probe`: it failed in the place of all that a breaker kept back. */
  readonly how: 'crash' | 'stop' | 'probe';
}

export interface OperatorAction {
  readonly action: 'redriven' | 'discarded' | 'edited';
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  /** The generation it ended. */
  readonly generation: number;
  /** Id of the operation it was part of, for what `redriveMany` did. */
  readonly operation?: string;
}

/** A payload put in place of the original one, which stays as it is in the log. */
export interface Edit {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  /** The generation it ended. */
  readonly generation: number;
  /** The text handlers get from then on, and the schema it is written in. */
  readonly raw: string;
  readonly schema: number;
}

/** What a parked delivery remembers beside the columns a store looks at. */
export interface ParkedDetail {
  readonly ledger: AttemptLedger;
  readonly actions: readonly OperatorAction[];
  /** The latest 20. */
  readonly edits?: readonly Edit[];
  /** The latest 20. */
  readonly lost: readonly LostStart[];
  /** When the first attempt of this generation began, milliseconds since 1970. */
  readonly firstStartedAt: number | null;
  readonly previousDelayMs: number;
  /** Worker of the start that is on its way. */
  readonly worker?: string;
  /** The start on its way is a trial: a crash is charged to it. */
  readonly trial?: boolean;
  /** Since when it waits for code that knows it. */
  readonly postponedSince?: number;
  /** What it died of. */
  readonly error?: ErrorFacts;
  /** Of a timer that somebody set, and not the stream's model: what it brings, the payload as text. */
  readonly scheduled?: { readonly name: string; readonly schema: number; readonly data: string };
}

const NOTHING_YET: ParkedDetail = { ledger: EMPTY_LEDGER, actions: [], lost: [], firstStartedAt: null, previousDelayMs: 0 };
const NOTHING_YET_TEXT = JSON.stringify(NOTHING_YET);

export const detailOf = (record: ParkedDelivery): ParkedDetail => JSON.parse(record.detail) as ParkedDetail;

export const withLost = (detail: ParkedDetail, lost: LostStart): ParkedDetail => ({ ...detail, lost: [...detail.lost, lost].slice(-20) });

export const withEdit = (detail: ParkedDetail, edit: Edit): ParkedDetail => ({
  ...detail,
  edits: [...(detail.edits ?? []), edit].slice(-20),
});

/** The event with the latest edit in place of its payload. */
export const asEdited = (record: ParkedDelivery, event: StoredEvent): StoredEvent => {
  const edit = detailOf(record).edits?.at(-1);
  return edit === undefined ? event : { ...event, data: edit.raw, schema: edit.schema };
};

export const parkedId = (subscription: string, stream: string, version: number): string => `${subscription}:${eventId(stream, version)}`;

/** The record of a delivery that was never parked before, due at once. */
export const newRecord = (
  subscription: string,
  event: StoredEvent,
  holds: boolean,
  detail: ParkedDetail = NOTHING_YET,
): ParkedDelivery => ({
  id: parkedId(subscription, event.stream, event.version),
  kind: 'delivery',
  subscription,
  shard: event.shard,
  stream: event.stream,
  version: event.version,
  position: event.position,
  type: event.type,
  state: 'scheduled',
  dueAt: 0,
  attempts: 0,
  generation: 0,
  startedAt: null,
  lostStarts: 0,
  holds,
  cause: null,
  deadAt: null,
  closedAt: null,
  detail: detail === NOTHING_YET ? NOTHING_YET_TEXT : JSON.stringify(detail),
  revision: 0,
});

/** The name is written so that the last `#` of an id ends its stream. */
const timerId = (stream: string, name: string, prefix: '' | 'user:'): string => `${TIMERS}:${stream}#${prefix}${encodeURIComponent(name)}`;

/** Never the id of a timer of the stream's model, whatever its name. */
export const scheduledId = (stream: string, name: string): string => timerId(stream, name, 'user:');

/** The id of a timer of the stream's model. */
export const modelTimerId = (stream: string, name: string): string => timerId(stream, name, '');

/** The record of a timer that was never set before. */
export const timerRecord = (id: string, stream: string, shard: number, type: string): ParkedDelivery => ({
  id,
  kind: 'timer',
  subscription: TIMERS,
  shard,
  stream,
  version: 0,
  position: 0,
  type,
  state: 'scheduled',
  dueAt: 0,
  attempts: 0,
  generation: 0,
  startedAt: null,
  lostStarts: 0,
  holds: false,
  cause: null,
  deadAt: null,
  closedAt: null,
  detail: NOTHING_YET_TEXT,
  revision: 0,
});

export const newTimer = (
  stream: string,
  shard: number,
  { name, delayMs }: { readonly name: string; readonly delayMs: number },
): ParkedWrite => ({ record: timerRecord(modelTimerId(stream, name), stream, shard, name), expect: 'absent', delayMs });

export const isScheduled = (record: ParkedDelivery): boolean => record.kind === 'timer' && detailOf(record).scheduled !== undefined;

/** What a timer brings, in the form of an event that is not stored yet. */
export const broughtBy = (timer: ParkedDelivery): StoredEvent => {
  const { stream, version, shard, position, type, dueAt: time, detail } = timer;
  const { schema = 1, data = 'null' } = (JSON.parse(detail) as ParkedDetail).scheduled ?? {};
  return { stream, version, shard, position, type, schema, time, data };
};

/** The record with another detail and some columns changed. */
export const changed = (record: ParkedDelivery, columns: Partial<ParkedDelivery>, detail: ParkedDetail): ParkedDelivery => ({
  ...record,
  ...columns,
  detail: JSON.stringify(detail),
});
