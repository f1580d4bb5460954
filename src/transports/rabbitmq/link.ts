import { type Broker, type Connection, connect } from './connection.ts';
import { closedFault, transportFault } from './faults.ts';

/** One connection to the broker at a time: made when it is needed, and made again when it was lost and is needed again. */
export interface Link {
  /** The connection there is, or a new one. All who ask meanwhile wait for the same. @throws OrderfoldError `TRANSPORT`, `CONFIG`, `CLOSED` */
  connection(): Promise<Connection>;
  /** Idempotent; resolves when the connection is closed. */
  close(): Promise<void>;
}

/** Between two tries: whoever is told that the broker is away may ask again at once. Doubles from the one to the other while tries fail. */
const APART_MS = { least: 50, most: 1000 } as const;

export const createLink = (broker: Broker): Link => {
  const { system, shown } = broker;
  const closing = new AbortController();
  let current: Promise<Connection> | null = null;
  let closed: Promise<void> | null = null;
  let triedAt = -Infinity;
  let failures = 0;

  const aWhile = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      const go = (): void => {
        timer.cancel();
        closing.signal.removeEventListener('abort', go);
        resolve();
      };
      const timer = system.setTimer(delayMs, go);
      closing.signal.addEventListener('abort', go);
    });

  const attempt = async (lost: () => void): Promise<Connection> => {
    const apartMs = Math.min(APART_MS.most, APART_MS.least * 2 ** failures) * (0.5 + system.random() / 2);
    const waitMs = triedAt + apartMs - system.monotonic();
    if (waitMs > 0) await aWhile(waitMs);
    if (closing.signal.aborted) throw closedFault();
    triedAt = system.monotonic();
    try {
      const connection = await connect(broker, closing.signal, lost);
      failures = 0;
      return connection;
    } catch (error) {
      failures = Math.min(failures + 1, 10);
      throw closing.signal.aborted ? closedFault() : transportFault(`${shown} can't be reached`, error);
    }
  };

  return {
    connection() {
      if (closing.signal.aborted) return Promise.reject(closedFault());
      if (current !== null) return current;
      const forget = (): void => {
        if (current === mine) current = null;
      };
      const mine = attempt(forget);
      current = mine;
      mine.catch(forget);
      return mine;
    },
    close() {
      closing.abort();
      closed ??= (current ?? Promise.reject(closedFault())).then(
        (connection) => connection.close(),
        () => {},
      );
      return closed;
    },
  };
};
