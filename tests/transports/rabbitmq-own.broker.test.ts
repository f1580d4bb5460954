import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { system } from '../../src/system.ts';
import { bodiesOf, message, messages, opened, puller } from '../../src/testing/conformance/transport/subject.ts';
import { transportSuite } from '../../src/testing/conformance/transport-suite.ts';
import { describeServer } from '../support/describe-server.ts';
import { hasRabbitmq, type OwnRabbitmq, ownRabbitmq } from '../support/own-rabbitmq.ts';
import { OWN_RABBITMQ } from './gaps.ts';
import { type RabbitmqSubject, rabbitmqSubject } from './rabbitmq-subject.ts';

const PATIENCE_MS = 90_000;
const busy = { code: 'BUSY', retryable: true };

/** A process that publishes and receives, closes, and should then end by itself, having said nothing. */
const program = (url: string, topic: string): string => `
  import { rabbitmqTransport } from ${JSON.stringify(new URL('../../src/transports/rabbitmq/index.ts', import.meta.url).href)};
  const transport = rabbitmqTransport({ url: ${JSON.stringify(url)}, topic: ${JSON.stringify(topic)} });
  await transport.open({ subscriptions: ['mail'], shards: 1 });
  await transport.publish([{ id: 'a', stream: 'a', shard: 0, type: 'T', body: 'hello' }]);
  let isClosing = false;
  const receiving = (async () => {
    for await (const batch of transport.receive('mail', [0], new AbortController().signal)) {
      for (const { ack } of batch) ack();
      process.stdout.write('received');
    }
  })().catch((error) => { if (!error.retryable) throw error; });
  process.stdin.once('data', async () => {
    process.stdin.destroy();
    const publishing = transport.publish([{ id: 'b', stream: 'a', shard: 0, type: 'T', body: 'bye' }]).catch(() => {});
    await transport.close();
    await Promise.all([receiving, publishing]);
  });
`;

const ownBroker = describe.skipIf(!hasRabbitmq);

describeServer('TEST_AMQP_URL', 'RabbitMQ', () => {
  ownBroker(`that the tests start themselves (needs rabbitmq-server)`, () => {
    let broker: OwnRabbitmq;
    beforeAll(async () => {
      broker = await ownRabbitmq();
    }, PATIENCE_MS);
    afterAll(() => broker?.remove());

    const test = (title: string, body: (subject: RabbitmqSubject) => Promise<void>): void => {
      it(title, { timeout: PATIENCE_MS }, async () => {
        const subject = await rabbitmqSubject(system, broker.url, { timeoutMs: 5000 });
        try {
          await body(subject);
        } finally {
          await subject.close();
        }
      });
    };

    /** Of the suite, what needs a broker that may be killed; the rest is tried on the shared one. */
    const restarts = Object.assign(
      (title: string, body: () => Promise<void>) =>
        title.includes('a restart of the broker') ? it(title, { timeout: PATIENCE_MS }, body) : 0,
      { skip: () => 0 },
    );
    transportSuite(
      { describe: (_, body) => body(), it: restarts },
      'RabbitMQ',
      async () => {
        const subject = await rabbitmqSubject(system, broker.url);
        const restart = async () => {
          await broker.kill();
          await broker.start();
          return subject.another();
        };
        return { ...subject, restart };
      },
      OWN_RABBITMQ,
    );

    test('R28 a transport goes on by itself after the broker was killed, and what was confirmed is there', async (subject) => {
      const transport = await opened(subject.transport);
      await transport.publish(messages('a', 1, 3));
      await broker.kill();
      await expect(transport.publish([message('a', 4)])).rejects.toMatchObject({ code: 'TRANSPORT', retryable: true });
      await broker.start();
      await transport.publish([message('a', 4)]);
      expect(await puller(subject).until(['a at 4'])).toEqual(bodiesOf(messages('a', 1, 4)));
    });

    test('answers BUSY at once while it is short of memory, takes acks and declarations all the same, and goes on by itself', async (subject) => {
      const transport = await opened(subject.transport);
      const other = await opened(await subject.another());
      await transport.publish([message('a', 1)]);
      await broker.control('set_vm_memory_high_watermark', 'absolute', '1MB');
      try {
        // The broker says that it is short to those who publish, when they do.
        await expect
          .poll(() =>
            transport.publish([message('a', 2)]).then(
              () => 'published',
              (error) => error,
            ),
          )
          .toMatchObject(busy);
        const startedAt = performance.now();
        await expect(transport.publish([message('a', 2)])).rejects.toMatchObject(busy);
        expect(performance.now() - startedAt).toBeLessThan(100);
        const receiver = puller(subject);
        await receiver.until(['a at 1']);
        await receiver.abort();
        await opened(transport, 'mail', 'stock', 'late');
        await expect
          .poll(() =>
            other.publish([message('b', 1)]).then(
              () => 'published',
              (error) => error,
            ),
          )
          .toMatchObject(busy);
        await other.close();
      } finally {
        await broker.control('set_vm_memory_high_watermark', '0.4');
      }
      await expect.poll(() => transport.publish([message('a', 2)]).then(() => 'published', String), { timeout: 5000 }).toBe('published');
      expect((await puller(subject).until(['a at 2'])).filter((body) => body === 'a at 1')).toEqual([]);
    });

    test('a login that was refused is let in once it is right', async (subject) => {
      const url = new URL(broker.url);
      url.username = 'shop';
      url.password = 'new-word';
      await broker.control('add_user', 'shop', 'old-word');
      await broker.control('set_permissions', 'shop', '.*', '.*', '.*');
      const transport = await subject.another({ url: url.href });
      await expect(opened(transport)).rejects.toMatchObject({ code: 'TRANSPORT', retryable: true });
      await broker.control('change_password', 'shop', 'new-word');
      await opened(transport);
      await transport.publish([message('a', 1)]);
    });

    test('a process ends by itself after it has closed, be the broker there or not', async (subject) => {
      await subject.transport.open({ subscriptions: ['mail'], shards: 1 });
      for (const isThere of [true, false]) {
        const child = spawn(process.execPath, ['--input-type=module', '--eval', program(broker.url, subject.topic)], { stdio: 'pipe' });
        let said = '';
        child.stderr.on('data', (chunk) => {
          said += chunk;
        });
        await once(child.stdout, 'data');
        if (!isThere) await broker.kill();
        child.stdin.write('close');
        const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(5000) });
        if (!isThere) await broker.start();
        expect([code, said]).toEqual([0, '']);
      }
    });
  });
});
