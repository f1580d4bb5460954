import { type Envelope, eventId } from '../core/envelope.ts';
import { OrderfoldError } from '../core/errors.ts';
import type { StoredEvent } from '../core/records.ts';
import { jsonText } from './json-text.ts';

/**
 * How payloads of an older shape become today's: `steps[n]` turns schema n + 1 into n + 2, so a type whose payload
 * changed twice has two steps and is written as schema 3.
 */
export type Upcasts = Readonly<Record<string, readonly ((data: never) => unknown)[]>>;

export interface Codec {
  /** @throws `CONFIG` for what JSON cannot hold. */
  encode(type: string, data: unknown): { readonly data: string; readonly schema: number };
  /** @throws `UNDECODABLE`: retryable if a newer code wrote it, permanent if nobody can read it. */
  decode(stored: StoredEvent): Envelope;
}

export const createCodec = (upcasts: Upcasts = {}): Codec => {
  const byType = new Map(Object.entries(upcasts));
  const schemaOf = (type: string): number => (byType.get(type)?.length ?? 0) + 1;

  return {
    encode(type, data) {
      if (typeof type !== 'string' || type === '') throw new OrderfoldError('CONFIG', 'expected the type of an event to be a text');
      return { data: jsonText(`the payload of ${type}`, data), schema: schemaOf(type) };
    },
    decode(stored) {
      const { stream, version, shard, position, type, schema, cause } = stored;
      const id = eventId(stream, version);
      const current = schemaOf(type);
      if (schema > current) {
        throw new OrderfoldError('UNDECODABLE', `${id} is ${type} of schema ${schema}, this code reads up to ${current}`, {
          retryable: true,
        });
      }
      let data: unknown;
      try {
        data = JSON.parse(stored.data);
        for (const step of byType.get(type)?.slice(schema - 1) ?? []) data = step(data as never);
      } catch (error) {
        throw new OrderfoldError('UNDECODABLE', `the payload of ${id} (${type}) cannot be read`, { cause: error, retryable: false });
      }
      const envelope = { id, type, stream, version, shard, position, time: new Date(stored.time).toISOString(), schema: current, data };
      return cause === undefined ? envelope : { ...envelope, cause };
    },
  };
};
