import type { ConsumeMessage } from 'amqplib';
import { describe, expect, it } from 'vitest';
import type { OrderfoldError } from '../../src/core/errors.ts';
import type { Transport } from '../../src/core/transport.ts';
import { system } from '../../src/system.ts';
import {
  ALL_SHARDS,
  acksNothing,
  bodiesOf,
  message,
  messages,
  opened,
  puller,
  SHARDS,
} from '../../src/testing/conformance/transport/subject.ts';
import { transportSuite } from '../../src/testing/conformance/transport-suite.ts';
import type { RabbitmqTransportOptions } from '../../src/transports/rabbitmq/index.ts';
import { describeServer } from '../support/describe-server.ts';
import { RABBITMQ } from './gaps.ts';
import { type RabbitmqSubject, rabbitmqSubject } from './rabbitmq-subject.ts';

const worthRetrying = { code: 'TRANSPORT', retryable: true };
const forNobody = new AbortController().signal;

const failureOf = (promise: Promise<unknown>): Promise<OrderfoldError> =>
  promise.then(
    () => expect.fail('expected a rejection'),
    (error: OrderfoldError) => error,
  );

const nextOf = (transport: Transport, subscription = 'mail', shards = ALL_SHARDS) =>
  transport.receive(subscription, shards, forNobody)[Symbol.asyncIterator]().next();

describeServer('TEST_AMQP_URL', 'RabbitMQ', (url) => {
  transportSuite({ describe, it }, 'RabbitMQ', () => rabbitmqSubject(system, url), RABBITMQ);

  /** A test with a topic of its own. */
  const test = (title: string, body: (subject: RabbitmqSubject) => Promise<void>, options?: Partial<RabbitmqTransportOptions>): void => {
    it(title, async () => {
      const subject = await rabbitmqSubject(system, url, options);
      try {
        await body(subject);
      } finally {
        await subject.close();
      }
    });
  };

  const deleteQueues = (subject: RabbitmqSubject, ...subscriptions: readonly string[]): Promise<void> =>
    subject.beside(async (channel) => {
      for (const name of subscriptions) for (const shard of ALL_SHARDS) await channel.deleteQueue(subject.queue(name, shard));
    });

  describe('messages in a RabbitMQ transport', () => {
    test('are picked by other services by their type, and say what they are', async (subject) => {
      const transport = await opened(subject.transport);
      const came = await subject.beside(async (channel) => {
        const { queue } = await channel.assertQueue('', { exclusive: true });
        await channel.bindQueue(queue, subject.topic, '*.OrderConfirmed');
        const first = new Promise<ConsumeMessage | null>((resolve) => void channel.consume(queue, resolve));
        await transport.publish([message('a', 1), { ...message('b', 1), type: 'OrderConfirmed' }]);
        return first;
      });
      const { shard, body } = message('b', 1);
      expect(came?.content.toString()).toBe(body);
      expect(came?.fields.routingKey).toBe(`${shard}.OrderConfirmed`);
      expect(came?.properties).toMatchObject({
        messageId: 'b@1',
        type: 'OrderConfirmed',
        contentType: 'application/cloudevents+json; charset=utf-8',
        deliveryMode: 2,
      });
    });

    test('are in durable quorum queues, of which an operator may make one by hand', async (subject) => {
      const name = subject.queue('mail', 0);
      const options = {
        durable: true,
        arguments: {
          'x-queue-type': 'quorum',
          'x-single-active-consumer': true,
          'x-max-length': 1_000_000,
          'x-overflow': 'drop-head',
        },
      };
      await subject.beside((channel) => channel.assertQueue(name, options));
      await opened(subject.transport);
      expect(name).toBe(`${subject.topic}.mail.0`);
    });

    test(
      'beyond maxLength are dropped, the oldest first',
      async (subject) => {
        const transport = await opened(subject.transport);
        await transport.publish(messages('a', 1, 20));
        const came = await puller(subject).until(['a at 20']);
        expect(came).toEqual(bodiesOf(messages('a', 16, 20)));
      },
      { maxLength: 5 },
    );

    test('come to nobody where there is no subscription, and that is no fault', async (subject) => {
      await subject.transport.open({ subscriptions: [], shards: SHARDS });
      await subject.transport.publish(messages('a', 1, 3));
    });

    test('are told to be lost when the queues are gone, which are declared again', async (subject) => {
      const transport = await opened(subject.transport);
      await transport.publish([message('a', 1)]);
      await deleteQueues(subject, 'mail', 'stock');
      const fault = await failureOf(transport.publish(messages('a', 2, 3)));
      expect(fault).toMatchObject(worthRetrying);
      expect(fault.message).toContain('declared again');
      await transport.publish(messages('a', 2, 3));
      for (const subscription of ['mail', 'stock'])
        expect(await puller(subject, { subscription }).until(['a at 3'])).toEqual(['a at 2', 'a at 3']);
    });

    test('are told to be lost when the exchange is gone, which is declared again with what is bound to it', async (subject) => {
      const transport = await opened(subject.transport);
      await transport.publish([message('a', 1)]);
      await subject.beside((channel) => channel.deleteExchange(subject.topic));
      expect(await failureOf(transport.publish([message('a', 2)]))).toMatchObject(worthRetrying);
      await transport.publish([message('a', 2)]);
      expect(await puller(subject).until(['a at 2'])).toEqual(['a at 1', 'a at 2']);
    });
  });

  describe('a receiver of a RabbitMQ transport', () => {
    test('is told when a queue of its is deleted, and the next one receives from a new one', async (subject) => {
      const transport = await opened(subject.transport);
      const receiver = puller(subject);
      await Promise.all([receiver.until(['a at 1']), transport.publish([message('a', 1)])]);
      const pulled = failureOf(receiver.next());
      await subject.beside((channel) => channel.deleteQueue(subject.queue('mail', message('a', 1).shard)));
      expect(await pulled).toMatchObject(worthRetrying);
      const next = puller(subject);
      const [came] = await Promise.all([next.until(['b at 1']), transport.publish([{ ...message('b', 1), shard: 3 }])]);
      expect(came).toEqual(['b at 1']);
      await transport.publish([message('a', 2)]);
      expect(await next.until(['a at 2'])).toEqual(['a at 2']);
    });

    test('is told when a queue of its is not there, and the next one receives from a new one', async (subject) => {
      const transport = await opened(subject.transport);
      await deleteQueues(subject, 'mail');
      expect(await failureOf(nextOf(transport))).toMatchObject(worthRetrying);
      const receiver = puller(subject);
      const [came] = await Promise.all([receiver.until(['a at 1']), nextOf(transport, 'stock'), transport.publish([message('a', 1)])]);
      expect(came).toEqual(['a at 1']);
    });

    test('is refused for a subscription that was never opened', async (subject) => {
      const transport = await opened(subject.transport);
      expect(await failureOf(nextOf(transport, 'nobody'))).toMatchObject({ code: 'CONFIG', message: 'nobody was never opened' });
    });

    test('R27 has at most 256 messages of a shard in hand', async (subject) => {
      const transport = await opened(subject.transport);
      await transport.publish(messages('a', 1, 600));
      const receiver = puller(subject);
      let came = 0;
      while (came < 256) came += (await receiver.next())?.length ?? 0;
      const { shard } = message('a', 1);
      const left = await subject.beside((channel) => channel.checkQueue(subject.queue('mail', shard)));
      expect([came, left.messageCount]).toEqual([256, 344]);
    });

    test('leaves what it has in hand in order, whichever shards it and the next one have', async (subject) => {
      const shards = 16;
      await subject.transport.open({ subscriptions: ['mail'], shards });
      const sent = messages('a', 1, 200).map((one) => ({ ...one, shard: 0 }));
      await subject.transport.publish(sent);
      const every = Array.from({ length: shards }, (_, shard) => shard);
      for (const mine of [[0], every]) {
        const receiver = puller(subject, { shards: mine });
        await receiver.until(['a at 64'], acksNothing);
        await receiver.abort();
      }
      expect(await puller(subject, { shards: [0] }).until(bodiesOf(sent))).toEqual(bodiesOf(sent));
    });

    test('has a shard alone until it ends, however many want it', async (subject) => {
      const transport = await opened(subject.transport);
      const [first, second] = [puller(subject), puller(subject)];
      await Promise.all([first.until(['a at 1']), transport.publish([message('a', 1)])]);
      const waiting = second.next();
      await Promise.all([first.until(bodiesOf(messages('a', 2, 60))), transport.publish(messages('a', 2, 60))]);
      await Promise.all([first.until(['a at 61'], acksNothing), transport.publish([message('a', 61)])]);
      await first.abort();
      expect((await waiting)?.map(({ body }) => body)).toEqual(['a at 61']);
    });

    test('acks many in few bytes', async (subject) => {
      const transport = await opened(subject.transport);
      const sent = messages('a', 1, 200);
      await transport.publish(sent);
      const receiver = puller(subject);
      await receiver.until(['a at 200'], acksNothing);
      await receiver.abort();
      const again = puller(subject);
      const before = subject.proxy.sentBytes;
      await again.until(bodiesOf(sent));
      await again.leave();
      // An ack has 21 bytes.
      expect(subject.proxy.sentBytes - before).toBeLessThan(200 * 5);
    });
  });

  describe('the setup of a RabbitMQ transport', () => {
    test('is refused for good where a queue was made with other options, by its name', async (subject) => {
      await opened(subject.transport);
      const other = await subject.another({ maxLength: 77 });
      const fault = await failureOf(opened(other));
      expect(fault).toMatchObject({ code: 'CONFIG', retryable: false });
      expect(fault.message).toContain(`the queue ${subject.queue('mail', 0)} was made with other options`);
      expect(fault.message).toContain('x-max-length');
    });

    test('is refused for good where the exchange is of another kind, by its name', async (subject) => {
      await subject.beside((channel) => channel.assertExchange(subject.topic, 'fanout', { durable: true }));
      const fault = await failureOf(opened(subject.transport));
      expect(fault).toMatchObject({ code: 'CONFIG', retryable: false });
      expect(fault.message).toContain(`the exchange ${subject.topic} is not a durable topic exchange`);
    });

    test(
      'is refused for good where the broker takes no body as large as is promised',
      async (subject) => {
        const transport = await opened(subject.transport);
        const large = message('a', 1, 'x'.repeat(2 ** 27 + 1));
        const fault = await failureOf(transport.publish([large]));
        expect(fault).toMatchObject({ code: 'CONFIG', retryable: false });
        expect(fault.message).toContain('larger than configured max size');
      },
      { maxBodyBytes: 2 ** 28 },
    );
  });
});
