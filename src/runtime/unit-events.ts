import type { StoredEvent } from '../core/records.ts';
import type { Appended, Unit, UnitResult } from '../core/store.ts';
import { traced } from '../core/traceparent.ts';

const NOTHING: readonly StoredEvent[] = [];

/** The events a winning unit appended, as the store numbered them. */
export const numbered = ({ appends }: Unit, result: UnitResult): readonly StoredEvent[] => {
  if (!result.won || result.appended.length === 0) return NOTHING;
  const all: StoredEvent[] = [];
  for (let index = 0; index < result.appended.length; index += 1) {
    const { stream, shard, firstVersion, firstPosition } = result.appended[index] as Appended;
    const events = appends?.[index]?.events ?? [];
    for (let offset = 0; offset < events.length; offset += 1) {
      const { type, schema, data, time, cause, traceparent } = events[offset] as (typeof events)[number];
      const event = { stream, version: firstVersion + offset, shard, position: firstPosition + offset, type, schema, time, data };
      all.push(traced(cause === undefined ? event : { ...event, cause }, traceparent));
    }
  }
  return all;
};

/** The streams these units append to. */
export const streamsOf = (units: readonly Unit[]): ReadonlySet<string> => {
  const streams = new Set<string>();
  for (const { appends = [] } of units) for (const { stream } of appends) streams.add(stream);
  return streams;
};
