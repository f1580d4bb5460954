import { eventId, isoTime } from '../core/envelope.ts';
import type { ParkedDelivery, StoredEvent } from '../core/records.ts';
import type { Call } from './calls.ts';

/** What a handler is given: one object made in one go, for this happens with every event. Its signal is made when it is asked for. */
export class HandedOver {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly version: number;
  readonly shard: number;
  readonly position: number;
  readonly time: string;
  readonly schema: number;
  readonly data: unknown;
  readonly cause?: string;
  readonly traceparent?: string;
  readonly attempt: number;
  readonly maxAttempts: number | undefined;
  readonly generation: number;
  readonly sinceLastStartMs: number | null;
  readonly effectKey: string;
  readonly #call: Call;

  constructor(
    event: StoredEvent,
    data: unknown,
    schema: number,
    maxAttempts: number | undefined,
    record: ParkedDelivery | null,
    sinceLastStartMs: number | null,
    subscription: string,
    call: Call,
  ) {
    this.id = eventId(event.stream, event.version);
    this.type = event.type;
    this.stream = event.stream;
    this.version = event.version;
    this.shard = event.shard;
    this.position = event.position;
    this.time = isoTime(event.time);
    this.schema = schema;
    this.data = data;
    if (event.cause !== undefined) this.cause = event.cause;
    if (event.traceparent !== undefined) this.traceparent = event.traceparent;
    this.attempt = record === null ? 1 : record.attempts + 1;
    this.maxAttempts = maxAttempts;
    this.generation = record === null ? 0 : record.generation;
    this.sinceLastStartMs = sinceLastStartMs;
    this.effectKey = `${this.id}:${subscription}`;
    this.#call = call;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}
