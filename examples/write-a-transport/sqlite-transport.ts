import { OrderfoldError, type Transport } from 'orderfold';
import type { Received } from 'orderfold/testing';
import { type Ack, type LogFile, openLogFile, type Row } from './log-file.ts';

/** The most there may be in a batch. */
const LARGEST_BATCH = 256;
/** So that a batch of the largest, 256 MiB, fits into memory. */
const MAX_BODY_BYTES = 2 ** 20;
/** Between looks at what other processes have published. */
const LOOK_MS = 20;
/** How long acks are gathered, while nobody pulls. */
const ACK_MS = 10;

/** What passes by itself, by SQLite's codes: the file is locked (5, 6), the disk fails (10) or is full (13). */
const PASSING: ReadonlySet<number> = new Set([5, 6, 10, 13]);

/** SQLite's errors in the port's words. `lasting` is the code of what no repeat can help. */
const attempt = <T>(work: () => T, lasting: 'CONFIG' | 'TRANSPORT' = 'TRANSPORT'): T => {
  try {
    return work();
  } catch (error) {
    const { errcode, message } = error as Error & { readonly errcode?: number };
    const retryable = PASSING.has(Number(errcode) & 0xff);
    throw new OrderfoldError(retryable ? 'TRANSPORT' : lasting, message, { cause: error, retryable });
  }
};
const closed = (): OrderfoldError => new OrderfoldError('CLOSED', 'the transport is closed, or was never opened');

/**
 * A transport that is a log in an SQLite file, which several processes of one machine may share.
 * @param keep how many messages are kept. When a subscription has not acked the oldest of so many, `publish` rejects with `BUSY`.
 */
export const sqliteTransport = ({ path, keep = 10_000 }: { readonly path: string; readonly keep?: number }): Transport => {
  let log: LogFile | undefined;
  let isClosed = false;
  /** Receivers that have nothing to do. */
  const waiting = new Set<() => void>();
  let acks: Ack[] = [];
  let ackTimer: NodeJS.Timeout | undefined;

  const connected = (): LogFile => {
    if (log === undefined) throw closed();
    return log;
  };
  const wakeAll = (): void => {
    for (const wake of waiting) wake();
  };
  /** Until the next look, unless this process publishes, the signal aborts or the transport is closed before. */
  const wait = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, LOOK_MS);
      waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  const sendAcks = (): void => {
    clearTimeout(ackTimer);
    ackTimer = undefined;
    if (acks.length === 0) return;
    try {
      log?.ack(acks);
      acks = [];
    } catch {
      // The file is locked. Nobody waits for acks, so they can wait.
      ackTimer = setTimeout(sendAcks, ACK_MS);
    }
  };

  return {
    capabilities: { redeliversInOrder: true, deduplicates: true, replays: true, durable: true, maxBodyBytes: MAX_BODY_BYTES },

    async open({ subscriptions }) {
      if (isClosed) throw closed();
      log ??= attempt(() => openLogFile(path), 'CONFIG');
      const file = log;
      attempt(() => file.subscribe(subscriptions));
    },

    async publish(messages) {
      const file = connected();
      const large = messages.find(({ body }) => Buffer.byteLength(body) > MAX_BODY_BYTES);
      if (large !== undefined) throw new OrderfoldError('TRANSPORT', `a body of more than 1 MiB, of ${large.stream}`, { retryable: false });
      const isOut = attempt(() => file.append(messages, keep));
      if (!isOut) throw new OrderfoldError('BUSY', `of ${keep} messages, the oldest is not acked by all`);
      wakeAll();
    },

    async *receive(subscription, shards, signal) {
      const file = connected();
      if (!attempt(() => file.isSubscribed(subscription))) throw new OrderfoldError('CONFIG', `${subscription} was never opened`);
      let cursor = 0;
      const handOut = ({ position, body }: Row): Received => ({
        body,
        ack() {
          acks.push([subscription, position]);
          ackTimer ??= setTimeout(sendAcks, ACK_MS);
        },
      });
      try {
        while (!signal.aborted && !isClosed) {
          sendAcks();
          const found = attempt(() => file.pull(subscription, shards, cursor, LARGEST_BATCH));
          cursor = found.at(-1)?.position ?? cursor;
          if (found.length > 0) yield found.map(handOut);
          else await wait(signal);
        }
      } finally {
        sendAcks();
      }
    },

    async close() {
      sendAcks();
      isClosed = true;
      log?.close();
      log = undefined;
      clearTimeout(ackTimer);
      wakeAll();
    },
  };
};
