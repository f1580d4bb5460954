import type { ChannelModel } from 'amqplib';
import type { System } from '../../core/system.ts';
import { loadClient } from './client.ts';
import { forAWhile, withDeadline } from './deadline.ts';

/** Where the broker is, and how long it may say nothing. */
export interface Broker {
  readonly system: System;
  readonly url: string;
  /** The same without the login. */
  readonly shown: string;
  readonly timeoutMs: number;
}

/** A connection to the broker, until it is lost. */
export interface Connection {
  readonly model: ChannelModel;
  /** Whether the broker takes no messages at the moment, being short of memory or disk. */
  readonly isBlocked: boolean;
  /** Why it was lost, if it was and that is known. */
  readonly lostBecause: Error | undefined;
  /** What the broker answers. If that takes longer than `timeoutMs`, the connection is given up and this rejects. */
  answer<T>(asked: Promise<T>): Promise<T>;
  /** Cuts it off; all that waits for an answer fails for this reason. */
  giveUp(reason: Error): void;
  /** Takes leave of the broker, and cuts it off after 1 s if there is no answer. Never rejects. */
  close(): Promise<void>;
}

/** How long a farewell waits for an answer. */
export const FAREWELL_MS = 1000;

const silent = (timeoutMs: number): Error => new Error(`no answer within ${timeoutMs} ms`);

/** Two heartbeats that fail to come are a lost connection, on either side. */
const withHeartbeat = (url: string, timeoutMs: number): string => {
  const address = new URL(url);
  address.searchParams.set('heartbeat', String(Math.ceil(timeoutMs / 2000)));
  return address.href;
};

/**
 * Connects within `timeoutMs`, or until `signal` aborts.
 * @param lost is called once, when the connection has ended for any reason
 */
export const connect = async ({ system, url, timeoutMs }: Broker, signal: AbortSignal, lost: () => void): Promise<Connection> => {
  // The client lets go of a socket only when the other side does, so it is cut by a signal that the socket itself listens to.
  const cut = new AbortController();
  let lostBecause: Error | undefined;
  let isBlocked = false;
  const giveUp = (reason: Error): void => {
    lostBecause ??= reason;
    cut.abort();
  };
  const stop = (): void => giveUp(new Error('the transport was closed'));
  const { connect: reach } = await loadClient();
  // A socket takes no notice of a signal that was aborted before it.
  signal.throwIfAborted();
  signal.addEventListener('abort', stop);
  const socketOptions = { noDelay: true, keepAlive: true, signal: cut.signal };
  const reached = withDeadline(system, timeoutMs, reach(withHeartbeat(url, timeoutMs), socketOptions), () => giveUp(silent(timeoutMs)));
  const model = await reached
    .catch((error: unknown) => {
      throw lostBecause ?? error;
    })
    .finally(() => signal.removeEventListener('abort', stop));
  model.on('error', (error) => {
    lostBecause ??= error;
  });
  model.on('close', (error) => {
    lostBecause ??= error;
    cut.abort();
    lost();
  });
  model.on('blocked', () => {
    isBlocked = true;
  });
  model.on('unblocked', () => {
    isBlocked = false;
  });

  return {
    model,
    get isBlocked() {
      return isBlocked;
    },
    get lostBecause() {
      return lostBecause;
    },
    async answer(asked) {
      try {
        return await withDeadline(system, timeoutMs, asked, () => giveUp(silent(timeoutMs)));
      } catch (error) {
        throw lostBecause ?? error;
      }
    },
    giveUp,
    async close() {
      await forAWhile(system, FAREWELL_MS, model.close());
      cut.abort();
    },
  };
};
