import type { Envelope } from '../core/envelope.ts';
import { resolveOptions, text } from '../core/options.ts';
import type { StoredEvent } from '../core/records.ts';
import type { Append, Unit, UnitResult } from '../core/store.ts';
import type { System } from '../core/system.ts';
import { isTraceparent, traced, traceOption } from '../core/traceparent.ts';
import type { Codec } from './codec.ts';
import type { Committer, Work } from './committer.ts';
import type { Notifier } from './notifications.ts';
import { isPlainName, LONGEST_NAME, storedName } from './stored-name.ts';

const isExpected = (value: unknown): value is 'any' | 'none' | number =>
  value === 'any' || value === 'none' || (Number.isSafeInteger(value) && (value as number) >= 0);

const publishable = {
  stream: text({ max: LONGEST_NAME }),
  type: text({ max: 200 }),
  data: { expected: 'a payload', accepts: (value: unknown): value is unknown => value !== undefined },
  expected: {
    expected: "'any', 'none' or a version",
    accepts: isExpected,
    default: 'any' as const,
  },
  traceparent: traceOption,
} as const;

/** Nearly all are: nothing about it can be refused, and any version will do. */
export const isPlain = (event: unknown): boolean => {
  if (typeof event !== 'object' || event === null) return false;
  const { stream, type, data, traceparent: trace } = event as Readonly<Record<string, unknown>>;
  const isNamed = isPlainName(stream) && typeof type === 'string' && type !== '' && type.length <= 200;
  const keys = trace === undefined ? 3 : 4;
  return isNamed && data !== undefined && Object.keys(event).length === keys && (keys === 3 || isTraceparent(trace));
};

/** What is to be published, checked. @throws `CONFIG` */
export const checkPublishable = (event: object) => {
  const checked = resolveOptions('EventBus.publish', event, publishable);
  storedName('stream', checked.stream);
  return checked;
};

interface Context {
  readonly system: System;
  readonly codec: Codec;
  readonly notifier: Notifier;
  readonly committer: Committer;
}

/** An event for a stream that nothing folds, at whatever version: with nothing to decide, one object carries it to the store and back. */
class Publication implements Work {
  readonly decidesOver = null;
  readonly persistent = false;
  readonly failed: (error: unknown) => void;
  readonly #append: Append;
  readonly #context: Context;
  readonly #published: (envelope: Envelope) => void;

  constructor(context: Context, append: Append, published: (envelope: Envelope) => void, failed: (error: unknown) => void) {
    this.failed = failed;
    this.#append = append;
    this.#context = context;
    this.#published = published;
  }

  prepare(): Unit {
    return { appends: [this.#append] };
  }

  settled(result: UnitResult, events: () => readonly StoredEvent[]): void {
    const { codec, notifier } = this.#context;
    const [event] = events();
    if (event === undefined) this.failed(new Error(`an append at any version came to ${JSON.stringify(result)}`));
    else {
      const envelope = codec.decode(event);
      if (notifier.has('appended')) notifier.emit('appended', { stream: this.#append.stream, events: [envelope] });
      this.#published(envelope);
    }
  }
}

/** Appends one event. Resolves once it is durable. */
export const publication = (context: Context, stream: string, type: string, given: unknown, trace?: string): Promise<Envelope> =>
  new Promise((resolve, reject) => {
    const { data, schema } = context.codec.encode(type, given);
    const event = { type, schema, data, time: context.system.now() };
    const append: Append = { stream, expected: 'any', events: [traced(event, trace)] };
    context.committer.submit(new Publication(context, append, resolve, reject));
  });
