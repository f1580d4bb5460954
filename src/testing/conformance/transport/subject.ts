import assert from 'node:assert/strict';
import { shardOf } from '../../../core/shard.ts';
import type { Message, Received, Transport, TransportCapabilities } from '../../../core/transport.ts';

/** A transport that is not opened yet, over a topic of its own where nothing was ever published, and what the suite needs around it. */
export interface TransportSubject {
  readonly transport: Transport;
  /** Another connection to the same topic, not opened yet, as another process would have; left out where there can be none. */
  readonly another?: () => Promise<Transport>;
  /** Restarts the broker and connects to the same topic again; left out where the tests may not. */
  readonly restart?: () => Promise<Transport>;
  /** Keeps all connections from the broker while `during` runs; left out where the tests can't. */
  readonly outage?: (during: () => Promise<void>) => Promise<void>;
  /** How long a case waits for a message that has to come before it fails. @default 10_000 */
  readonly patienceMs?: number;
  /** Closes all that was opened and removes the topic. */
  readonly close: () => Promise<void>;
}

/** The parts of a subject that may be left out. */
export type TransportPart = 'another' | 'restart' | 'outage';
/** What a transport may not promise. */
export type TransportFlag = Exclude<keyof TransportCapabilities, 'maxBodyBytes'>;
export type TransportNeed = TransportPart | TransportFlag | 'maxBodyBytes';

/** Registers one case of the suite. `needs` names the promises and the parts of the subject without which it is skipped. */
export type TransportCase = <Need extends TransportNeed>(
  title: string,
  body: (subject: TransportSubject & Required<Pick<TransportSubject, Need & TransportPart>>) => Promise<void>,
  ...needs: readonly Need[]
) => void;

export const SHARDS = 4;
export const ALL_SHARDS: readonly number[] = Array.from({ length: SHARDS }, (_, shard) => shard);

/** Opens the subscriptions `mail` and `stock`, or those named. */
export const opened = async (transport: Transport, ...subscriptions: readonly string[]): Promise<Transport> => {
  await transport.open({ subscriptions: subscriptions.length === 0 ? ['mail', 'stock'] : subscriptions, shards: SHARDS });
  return transport;
};

export const message = (stream: string, version: number, body = `${stream} at ${version}`): Message => ({
  id: `${stream}@${version}`,
  stream,
  shard: shardOf(stream, SHARDS),
  type: 'Happened',
  body,
});

/** Versions `from` to `to` of a stream. */
export const messages = (stream: string, from: number, to: number): Message[] =>
  Array.from({ length: to - from + 1 }, (_, index) => message(stream, from + index));

export const bodiesOf = (all: readonly { readonly body: string }[]): string[] => all.map(({ body }) => body);

/** A stream that lies in the given shard. */
export const streamIn = (shard: number, name = 's'): string => {
  for (let i = 0; ; i += 1) if (shardOf(`${name}${i}`, SHARDS) === shard) return `${name}${i}`;
};

/** What arrived, each for the first time only: brokers may deliver anything again. */
export const firstArrivals = (bodies: readonly string[]): string[] => [...new Set(bodies)];

const PATIENCE_MS = 10_000;

/** Fails when `promise` does not settle while one may reasonably wait. */
export const soon = async <T>({ patienceMs = PATIENCE_MS }: TransportSubject, what: string, promise: Promise<T>): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `waited ${patienceMs} ms in vain: ${what}` })), patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** A receiver that is pulled by hand. */
export interface Puller {
  /** The next batch, null at the end. */
  next(): Promise<readonly Received[] | null>;
  /** Pulls until all of these have come, and tells all that came. Acks what it pulls, or what `acks` picks. */
  until(wanted: readonly string[], acks?: (body: string) => boolean): Promise<string[]>;
  /** Aborts, and resolves when it has ended. */
  abort(): Promise<void>;
  /** Leaves it as a `break` in a loop would. */
  leave(): Promise<void>;
}

export const puller = (
  subject: TransportSubject,
  {
    transport = subject.transport,
    subscription = 'mail',
    shards = ALL_SHARDS,
  }: Partial<{
    readonly transport: Transport;
    readonly subscription: string;
    readonly shards: readonly number[];
  }> = {},
): Puller => {
  const stop = new AbortController();
  const batches = transport.receive(subscription, shards, stop.signal)[Symbol.asyncIterator]();
  /** One pull at a time, as in a loop. */
  let pending: Promise<unknown> | undefined;
  const next = async () => {
    const pulled = pending === undefined ? batches.next() : pending.then(() => batches.next());
    const over = (): void => {
      if (pending === settled) pending = undefined;
    };
    const settled = pulled.then(over, over);
    pending = settled;
    const { done, value } = await soon(subject, `a batch for ${subscription}, or the end`, pulled);
    if (done === true) return null;
    assert.ok(value.length > 0, 'a batch of no messages');
    return value;
  };
  return {
    next,
    async until(wanted, acks = () => true) {
      const { patienceMs = PATIENCE_MS } = subject;
      const missing = new Set(wanted);
      const came: string[] = [];
      let last = performance.now();
      while (missing.size > 0) {
        const before = missing.size;
        const batch = await next();
        // The same again and again lets no timer fire.
        assert.ok(performance.now() - last <= patienceMs, `${[...missing].slice(0, 3).join(', ')} did not come, and ${came.length} others`);
        assert.ok(batch, `the receiver ended before ${[...missing].slice(0, 3).join(', ')} came`);
        for (const { body, ack } of batch) {
          came.push(body);
          missing.delete(body);
          if (acks(body)) ack();
        }
        if (missing.size < before) last = performance.now();
      }
      return came;
    },
    async abort() {
      stop.abort();
      assert.equal(await next(), null, 'a receiver went on after it was aborted');
    },
    async leave() {
      await soon(subject, 'leaving a receiver', Promise.resolve(batches.return?.()));
    },
  };
};

export const acksNothing = (): boolean => false;
