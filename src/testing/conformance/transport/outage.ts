import assert from 'node:assert/strict';
import { isOrderfoldError } from '../../../core/errors.ts';
import type { Message, Transport } from '../../../core/transport.ts';
import { bodiesOf, firstArrivals, messages, opened, puller, type TransportCase, type TransportSubject } from './subject.ts';

const worthRetrying = (error: unknown): void => {
  assert.ok(isOrderfoldError(error, 'TRANSPORT'), `expected a TRANSPORT fault, got ${String(error)}`);
  assert.equal(error.retryable, true);
};

/** Publishes as a relay does: the same batch again until it is out. */
const insist = async (transport: Transport, batch: readonly Message[]): Promise<void> => {
  for (;;) {
    try {
      return await transport.publish(batch);
    } catch (error) {
      worthRetrying(error);
      await new Promise(setImmediate);
    }
  }
};

/** Receives as a consumer does: anew when the broker was lost, until all of these have come. */
const persist = async (subject: TransportSubject, wanted: readonly string[]): Promise<string[]> => {
  const came: string[] = [];
  const seen = (body: string): boolean => {
    came.push(body);
    return true;
  };
  for (;;) {
    try {
      await puller(subject).until(
        wanted.filter((body) => !came.includes(body)),
        seen,
      );
      return firstArrivals(came);
    } catch (error) {
      worthRetrying(error);
      await new Promise(setImmediate);
    }
  }
};

export const outageCases = (test: TransportCase): void => {
  test(
    'R28 fails with what is worth a retry while the broker is away, and goes on afterwards with nothing lost',
    async (subject) => {
      const transport = await opened(subject.transport);
      await transport.publish(messages('a', 1, 3));
      const all = bodiesOf(messages('a', 1, 9));
      const received = persist(subject, all);
      let relayed: Promise<unknown> = Promise.resolve();
      const during = async () => {
        relayed = insist(transport, messages('a', 4, 6));
        // It may fail before anybody waits for it.
        relayed.catch(() => {});
        await new Promise(setImmediate);
      };
      const relay = async () => {
        await subject.outage(during);
        await relayed;
        await transport.publish(messages('a', 7, 9));
      };
      await Promise.all([received, relay()]);
      assert.deepEqual(await received, all);
    },
    'outage',
  );

  test(
    'keeps over a restart of the broker what publish resolved for and what nobody acked',
    async (subject) => {
      const transport = await opened(subject.transport);
      await transport.publish(messages('a', 1, 5));
      const receiver = puller(subject);
      await receiver.until(['a at 2'], (body) => body < 'a at 3');
      await receiver.abort();
      await transport.publish(messages('a', 6, 8));
      const again = await opened(await subject.restart());
      const came = firstArrivals(await puller(subject, { transport: again }).until(bodiesOf(messages('a', 3, 8))));
      assert.deepEqual([...came].sort().slice(-6), bodiesOf(messages('a', 3, 8)));
    },
    'durable',
    'restart',
  );
};
