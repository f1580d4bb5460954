/** Event types and the payload each carries, e.g. `{ UserSignedUp: { userId: string } }`. */
export type EventMap = object;

/** One event of a map, before it is stored. */
export type NewEvent<Events extends EventMap = Record<string, unknown>> = {
  [Type in keyof Events & string]: { readonly type: Type; readonly data: Events[Type] };
}[keyof Events & string];

/**
 * An event with the facts that route it. Immutable once stored.
 * `id` is `<stream>@<version>`; `version` counts 1.. within the stream, `position` 1.. within the shard, neither has gaps.
 */
export interface Envelope<Type extends string = string, Data = unknown> {
  readonly id: string;
  readonly type: Type;
  readonly stream: string;
  readonly version: number;
  readonly shard: number;
  readonly position: number;
  /** ISO 8601, UTC, by the clock of the process that appended it. */
  readonly time: string;
  /** Version of the payload's shape, 1 unless stated. */
  readonly schema: number;
  readonly data: Data;
  /** Id of the event whose handling led to this one. */
  readonly cause?: string;
  /** The trace this is part of, as W3C Trace Context writes it; what follows from the event is part of it too. */
  readonly traceparent?: string;
}

/** The envelopes of a map, discriminated by `type`. */
export type EnvelopeOf<Events extends EventMap> = { [Type in keyof Events & string]: Envelope<Type, Events[Type]> }[keyof Events & string];

/** What a fold sees of an event: the same before it is stored and after. */
export interface Foldable {
  readonly type: string;
  readonly data: unknown;
  readonly version: number;
  readonly time: string;
}

export const eventId = (stream: string, version: number): string => `${stream}@${version}`;

let lastTime = Number.NaN;
let lastText = '';

/** ISO 8601, UTC. Events come in bursts of one millisecond, so the last answer is kept. */
export const isoTime = (time: number): string => {
  if (time !== lastTime) {
    lastText = new Date(time).toISOString();
    lastTime = time;
  }
  return lastText;
};
