import * as E from 'fp-ts/lib/Either.js';
import type { CloudEvent } from '../core/cloud-event.ts';
import type { EventMap } from '../core/envelope.ts';
import { OrderfoldError } from '../core/errors.ts';
import { port, resolveOptions } from '../core/options.ts';
import { isTraceparent } from '../core/traceparent.ts';
import type { Publishable } from './event-bus.ts';
import { checkPublishable } from './publication.ts';
import { checkSubscriptionName } from './subscription-name.ts';
import type { Transact } from './transact.ts';

export interface InboxOptions<Events extends EventMap> {
  /** What a message becomes, by its type. Messages of other types are nobody's here. */
  readonly on: Readonly<Record<string, (message: CloudEvent) => Publishable<Events>>>;
}

/** Where messages of other services become events of this one, each once, however often it comes and to how many processes. */
export interface Inbox {
  /**
   * Appends the event a message stands for, and remembers the message by its `source` and `id`, in one unit. Resolves once that is durable:
   * ack the message then, and not before. The event is part of the message's trace, if that has one. False: nothing wants messages of its type.
   * @param message a CloudEvent as an object or as JSON; of what comes in another form, make one.
   * @throws OrderfoldError `UNDECODABLE`, not retryable, for what is no CloudEvent; else as `publish` does
   */
  take(message: string | CloudEvent): Promise<boolean>;
}

/** The longest key of an order that a client may choose is shorter, so none can pass for a message. */
const KEY_LENGTH = 256;
const LONGEST = 1000;

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= LONGEST && !/\p{Surrogate}/u.test(value);

const cloudEventOf = (message: unknown): CloudEvent => {
  let event = message as Partial<CloudEvent> | null | undefined;
  let cause: unknown;
  try {
    if (typeof message === 'string') event = JSON.parse(message);
  } catch (error) {
    cause = error;
  }
  const { specversion, id, source, type } = (typeof event === 'object' && event) || {};
  if (specversion === '1.0' && [id, source, type].every(isName)) return event as CloudEvent;
  const expected = `expected a CloudEvent with specversion 1.0 and an id, a source and a type of 1 to ${LONGEST} characters`;
  throw new OrderfoldError('UNDECODABLE', expected, { cause, retryable: false });
};

export const createInbox = <Events extends EventMap, State>(
  { transact, opened }: { readonly transact: Transact<State>; readonly opened: () => Promise<void> },
  name: string,
  options: InboxOptions<Events>,
): Inbox => {
  checkSubscriptionName(name);
  const { on } = resolveOptions(`inbox('${name}')`, options, {
    on: port<InboxOptions<Events>['on']>('an object of functions by type', []),
  });
  const becomes = new Map(Object.entries(on));
  return {
    async take(message) {
      const event = cloudEventOf(message);
      const { source, id } = event;
      const made = becomes.get(event.type)?.(event);
      if (made === undefined) return false;
      const { stream, type, data, expected, traceparent } = checkPublishable(made);
      const trace = traceparent ?? (isTraceparent(event.traceparent) ? event.traceparent : undefined);
      const key = ['inbox', name, source, id].map(encodeURIComponent).join('/').padEnd(KEY_LENGTH);
      await opened();
      const { kind } = await transact({
        stream,
        decide: () => E.right([{ type, data }]),
        key: { key, fingerprint: '', stream },
        persistent: false,
        cause: id,
        traceparent: trace,
        ...(expected !== 'any' && { onlyAt: expected === 'none' ? 0 : expected }),
      });
      if (kind === 'won' || kind === 'key') return true;
      throw new OrderfoldError('VERSION_CONFLICT', `${stream} is at another version, expected ${expected}`);
    },
  };
};
