import { type Envelope, eventId, isoTime } from '../core/envelope.ts';
import { OrderfoldError } from '../core/errors.ts';
import type { StoredEvent } from '../core/records.ts';
import { traced } from '../core/traceparent.ts';
import { jsonText } from './json-text.ts';

/**
 * How payloads of an older shape become today's: `steps[n]` turns schema n + 1 into n + 2, so a type whose payload
 * changed twice has two steps and is written as schema 3.
 */
export type Upcasts = Readonly<Record<string, readonly ((data: never) => unknown)[]>>;

export interface Codec {
  /** The version of the type's payload that this code writes. */
  schemaOf(type: string): number;
  /** @throws `CONFIG` for what JSON cannot hold. */
  encode(type: string, data: unknown): { readonly data: string; readonly schema: number };
  /** The payload in the shape of today. @throws `UNDECODABLE`: retryable if a newer code wrote it, permanent if nobody can read it. */
  payload(stored: StoredEvent): unknown;
  /** @throws `UNDECODABLE`, as `payload` does */
  decode(stored: StoredEvent): Envelope;
  /** For those who only look: `data` is undefined where this code can't read it. */
  show(stored: StoredEvent): Envelope;
}

export const createCodec = (upcasts: Upcasts = {}): Codec => {
  const byType = new Map(Object.entries(upcasts));
  const schemaOf = (type: string): number => (byType.get(type)?.length ?? 0) + 1;

  const payload = ({ stream, version, type, schema, data: text }: StoredEvent): unknown => {
    const steps = byType.get(type);
    const current = (steps?.length ?? 0) + 1;
    if (schema > current) {
      const id = eventId(stream, version);
      throw new OrderfoldError('UNDECODABLE', `${id} is ${type} of schema ${schema}, this code reads up to ${current}`, {
        retryable: true,
      });
    }
    try {
      const data: unknown = JSON.parse(text);
      return steps === undefined ? data : steps.slice(schema - 1).reduce((older, step) => step(older as never), data);
    } catch (error) {
      throw new OrderfoldError('UNDECODABLE', `the payload of ${eventId(stream, version)} (${type}) cannot be read`, {
        cause: error,
        retryable: false,
      });
    }
  };

  const codec: Codec = {
    schemaOf,
    payload,
    encode(type, data) {
      if (typeof type !== 'string' || type === '') throw new OrderfoldError('CONFIG', 'expected the type of an event to be a text');
      return { data: jsonText(`the payload of ${type}`, data), schema: schemaOf(type) };
    },
    decode(stored) {
      const { stream, version, shard, position, type, time, cause, traceparent } = stored;
      const data = payload(stored);
      const id = eventId(stream, version);
      const envelope = { id, type, stream, version, shard, position, time: isoTime(time), schema: schemaOf(type), data };
      return traced(cause === undefined ? envelope : { ...envelope, cause }, traceparent);
    },
    show(stored) {
      try {
        return codec.decode(stored);
      } catch {
        const { type, schema } = stored;
        return { ...codec.decode({ ...stored, type: '', schema: 1, data: 'null' }), type, schema, data: undefined };
      }
    },
  };
  return codec;
};
