import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { OrderfoldError } from '../../src/core/errors.ts';
import type { Message, Transport } from '../../src/core/transport.ts';
import { system } from '../../src/system.ts';
import { ALL_SHARDS, message, messages, opened, puller } from '../../src/testing/conformance/transport/subject.ts';
import { createRabbitmqTransport } from '../../src/transports/rabbitmq/rabbitmq-transport.ts';
import { describeServer } from '../support/describe-server.ts';
import { type RabbitmqSubject, rabbitmqSubject } from './rabbitmq-subject.ts';

const worthRetrying = { code: 'TRANSPORT', retryable: true };

const failureOf = (promise: Promise<unknown>): Promise<OrderfoldError> =>
  promise.then(
    () => expect.fail('expected a rejection'),
    (error: OrderfoldError) => error,
  );

/** Publishes as a relay does: again until it is out. */
const insist = async (transport: Transport, batch: readonly Message[]): Promise<void> => {
  for (;;) {
    try {
      return await transport.publish(batch);
    } catch (error) {
      expect(error).toMatchObject(worthRetrying);
    }
  }
};

/** What `work` resolves to and how long it took. */
const timed = async <T>(work: Promise<T>): Promise<{ readonly result: T; readonly tookMs: number }> => {
  const startedAt = performance.now();
  const result = await work;
  return { result, tookMs: performance.now() - startedAt };
};

describeServer('TEST_AMQP_URL', 'the links of a RabbitMQ transport', (url) => {
  /** A test with a topic of its own, whose broker may say nothing for `timeoutMs`. */
  const test = (title: string, timeoutMs: number, body: (subject: RabbitmqSubject) => Promise<void>): void => {
    it(title, async () => {
      const subject = await rabbitmqSubject(system, url, { timeoutMs });
      try {
        await body(subject);
      } finally {
        await subject.close();
      }
    });
  };

  describe('while the broker says nothing', () => {
    test('a publish fails at its deadline, lets go of its connection, and succeeds over a new one later', 500, async (subject) => {
      const transport = await opened(subject.transport);
      await transport.publish([message('a', 1)]);
      const { taken, held } = subject.proxy;
      subject.proxy.muffle();
      const { result, tookMs } = await timed(failureOf(transport.publish([message('a', 2)])));
      expect(result).toMatchObject(worthRetrying);
      expect(result.message).toContain('within 500 ms');
      expect(tookMs).toBeGreaterThan(450);
      expect(tookMs).toBeLessThan(1500);
      await expect.poll(() => subject.proxy.held).toBeLessThan(held);
      await subject.proxy.mend();
      await transport.publish([message('a', 2)]);
      expect(subject.proxy.taken).toBeGreaterThan(taken);
      // The broker heard the first one.
      const came = await puller(subject).until(['a at 2']);
      expect(came.slice(0, 2)).toEqual(['a at 1', 'a at 2']);
    });

    test('an open fails at its deadline, connected or not', 500, async (subject) => {
      const { proxy, transport } = subject;
      proxy.swallow();
      expect((await failureOf(opened(transport))).message).toContain("can't be reached: no answer within 500 ms");
      await proxy.mend();
      await opened(transport);
      proxy.swallow();
      const { result, tookMs } = await timed(failureOf(opened(transport)));
      expect(result).toMatchObject(worthRetrying);
      expect(tookMs).toBeLessThan(1500);
      await proxy.mend();
      await opened(transport);
    });

    test('a receiver that waits fails for lack of heartbeats', 2000, async (subject) => {
      const transport = await opened(subject.transport);
      const receiver = puller(subject);
      await Promise.all([receiver.until(['a at 1']), transport.publish([message('a', 1)])]);
      const pulled = failureOf(receiver.next());
      subject.proxy.swallow();
      const { result, tookMs } = await timed(pulled);
      expect(result).toMatchObject(worthRetrying);
      expect(tookMs).toBeLessThan(3500);
      await subject.proxy.mend();
      await insist(transport, [message('a', 2)]);
      expect(await puller(subject).until(['a at 2'])).toContain('a at 2');
    });

    test('a receiver that connects ends as soon as it is aborted, and a transport as soon as it is closed', 10_000, async (subject) => {
      const { proxy, transport } = subject;
      await opened(transport);
      proxy.reset();
      await expect.poll(() => proxy.held).toBe(0);
      proxy.swallow();
      const receiver = puller(subject);
      const pulled = receiver.next();
      await expect.poll(() => proxy.held).toBe(1);
      const { tookMs } = await timed(receiver.abort());
      expect(await pulled).toBeNull();
      const waiting = puller(subject).next();
      const publishing = failureOf(transport.publish([message('a', 1)]));
      await expect.poll(() => proxy.held).toBe(2);
      const { tookMs: closingMs } = await timed(transport.close());
      expect(await publishing).toMatchObject({ code: 'CLOSED' });
      expect(await waiting).toBeNull();
      expect(Math.max(tookMs, closingMs)).toBeLessThan(500);
      await expect.poll(() => proxy.held).toBe(0);
    });

    test('a transport that is connected closes within 3 s', 10_000, async (subject) => {
      await opened(subject.transport);
      await subject.transport.publish([message('a', 1)]);
      const receiver = puller(subject);
      await receiver.until(['a at 1']);
      const pulled = receiver.next();
      subject.proxy.swallow();
      const publishing = failureOf(subject.transport.publish([message('a', 2)]));
      const { tookMs } = await timed(subject.transport.close());
      expect(await pulled).toBeNull();
      expect(await publishing).toMatchObject({ code: 'CLOSED' });
      expect(tookMs).toBeLessThan(3000);
      await expect.poll(() => subject.proxy.held).toBe(0);
    });
  });

  test('a receiver that is aborted while it opens keeps nothing from the next one', 10_000, async (subject) => {
    const { proxy, transport } = subject;
    await opened(transport);
    await transport.publish([message('a', 1)]);
    const { sentBytes } = proxy;
    proxy.slow(20);
    const receiver = puller(subject);
    const pulled = receiver.next();
    await expect.poll(() => proxy.sentBytes, { interval: 5 }).toBeGreaterThan(sentBytes);
    await receiver.abort();
    expect(await pulled).toBeNull();
    proxy.slow(0);
    expect(await puller(subject).until(['a at 1'])).toEqual(['a at 1']);
  });

  test('a connection that was lost is made once, however many ask for it', 10_000, async (subject) => {
    const transport = await opened(subject.transport);
    await transport.publish([message('a', 1)]);
    subject.proxy.reset();
    await expect.poll(() => subject.proxy.held).toBe(0);
    await new Promise(setImmediate);
    const { taken } = subject.proxy;
    await Promise.all(Array.from({ length: 30 }, (_, i) => transport.publish([message('a', i + 2)])));
    expect(subject.proxy.taken - taken).toBe(1);
  });

  it('those who repeat at once what fails do not storm the broker', async () => {
    let taken = 0;
    const broken = createServer((socket) => {
      taken += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => void broken.listen(0, '127.0.0.1', resolve));
    const address = broken.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const transport = createRabbitmqTransport(system, { url: `amqp://127.0.0.1:${port}` });
    const until = performance.now() + 2000;
    const repeat = async (): Promise<number> => {
      let failures = 0;
      while (performance.now() < until) {
        expect(await failureOf(transport.publish([message('a', 1)]))).toMatchObject(worthRetrying);
        failures += 1;
      }
      return failures;
    };
    const failures = await Promise.all(Array.from({ length: 10 }, repeat));
    await transport.close();
    await new Promise((resolve) => broken.close(resolve));
    expect(Math.min(...failures)).toBeGreaterThan(1);
    expect(taken).toBeLessThan(15);
  });

  test('nothing is lost and each stream stays in order while connections are reset again and again', 10_000, async (subject) => {
    const transport = await opened(subject.transport);
    const all = messages('a', 1, 400).map(({ body }) => body);
    const came = new Set<string>();
    const stop = new AbortController();
    const receive = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        try {
          for await (const batch of transport.receive('mail', ALL_SHARDS, stop.signal)) {
            for (const { body, ack } of batch) {
              came.add(body);
              ack();
            }
          }
        } catch (error) {
          expect(error).toMatchObject(worthRetrying);
        }
      }
    };
    const receiving = receive();
    for (let from = 1; from <= 400; from += 20) {
      await insist(transport, messages('a', from, from + 19));
      if (from % 100 === 81) subject.proxy.reset();
    }
    await expect.poll(() => came.size, { timeout: 15_000 }).toBe(all.length);
    stop.abort();
    await receiving;
    expect([...came]).toEqual(all);
  });

  describe('the login', () => {
    const secret = 's3cr3t-w0rd';
    const wrong = (): string => {
      const address = new URL(url);
      address.password = secret;
      return address.href;
    };

    it('that is refused is worth a retry, and stands in no message', async () => {
      const transport = createRabbitmqTransport(system, { url: wrong() });
      const fault = await failureOf(opened(transport));
      await transport.close();
      expect(fault).toMatchObject(worthRetrying);
      expect(fault.message).toContain('ACCESS_REFUSED');
      expect(inspect(fault, { depth: 9 })).not.toContain(secret);
    });

    it('stands in no message where nobody listens', async () => {
      const transport = createRabbitmqTransport(system, { url: `amqp://shop:${secret}@127.0.0.1:9/shop` });
      const fault = await failureOf(opened(transport));
      await transport.close();
      expect(fault).toMatchObject(worthRetrying);
      expect(fault.message).toContain("amqp://127.0.0.1:9/shop can't be reached");
      expect(inspect(fault, { depth: 9 })).not.toContain(secret);
    });
  });
});
