import { eventId, isoTime } from './envelope.ts';
import { OrderfoldError } from './errors.ts';
import type { StoredEvent } from './records.ts';
import { traced } from './traceparent.ts';

/** What every CloudEvent has, and what many have. Other attributes stand beside these. @see CloudEvents 1.0, section 3 */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** Two with the same `source` and `id` are the same event. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time?: string;
  readonly data?: unknown;
  readonly [attribute: string]: unknown;
}

/** Only an unescaped quote can stand here, so it never occurs within the attributes before it. */
const DATA = ',"data":';
/** A payload that is no JSON, or no well-formed text, travels as a text within the JSON. */
const AS_TEXT = ',"datacontenttype":"text/plain"';
const AS_JSON = ',"datacontenttype":"application/json"';

const travelsAsJson = (data: string): boolean => {
  try {
    JSON.parse(data);
    return !/\p{Surrogate}/u.test(data);
  } catch {
    return false;
  }
};

/**
 * A stored event as CloudEvents 1.0 JSON, `data` last and exactly as it was stored. Beside the standard attributes it has `streamversion`,
 * `shard`, `position` (a text, it may exceed 2^31), `schema`, `cause` and `traceparent`.
 */
export const cloudEventText = (event: StoredEvent, source: string): string => {
  const { stream, version, shard, position, type, schema, time, data, cause, traceparent } = event;
  const id = eventId(stream, version);
  const attributes = JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type,
    subject: stream,
    time: isoTime(time),
    streamversion: version,
    shard,
    position: String(position),
    schema,
    cause,
    traceparent,
  });
  const asJson = travelsAsJson(data);
  return `${attributes.slice(0, -1)}${asJson ? AS_JSON : AS_TEXT}${DATA}${asJson ? data : JSON.stringify(data)}}`;
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): value is string => typeof value === 'string';

/** A body that `cloudEventText` made, and the source it names. @throws `UNDECODABLE` for any other */
export const readCloudEvent = (body: string): { readonly source: string; readonly event: StoredEvent } => {
  const unreadable = (cause?: unknown) =>
    new OrderfoldError('UNDECODABLE', 'the message is no event that orderfold published', { cause, retryable: false });
  const cut = body.indexOf(DATA);
  let attributes: Readonly<Record<string, unknown>>;
  let data: unknown;
  try {
    if (cut < 0 || !body.endsWith('}')) throw unreadable();
    const head = body.slice(0, cut);
    data = body.slice(cut + DATA.length, -1);
    attributes = JSON.parse(`${head}}`);
    // Parsed to know that it is whole; the text is what was stored.
    const parsed: unknown = JSON.parse(data as string);
    if (head.endsWith(AS_TEXT)) data = parsed;
  } catch (error) {
    throw unreadable(error);
  }
  const { source, type, subject: stream, time: at, streamversion: version, shard, schema, cause, specversion, traceparent } = attributes;
  const position = Number(attributes.position);
  const time = Date.parse(String(at));
  const texts = [source, type, stream, data];
  const counts = [version, shard, schema, position, time];
  const isWhole =
    specversion === '1.0' &&
    texts.every(isText) &&
    counts.every(isCount) &&
    [cause, traceparent].every((text) => text === undefined || isText(text));
  if (!isWhole) throw unreadable();
  const event = { stream, version, shard, position, type, schema, time, data, ...(cause !== undefined && { cause }) } as StoredEvent;
  return { source: source as string, event: traced(event, traceparent as string | undefined) };
};
