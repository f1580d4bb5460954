import assert from 'node:assert/strict';
import { isOrderfoldError } from '../../../core/errors.ts';
import { bodiesOf, firstArrivals, message, messages, opened, puller, streamIn, type TransportCase } from './subject.ts';

export const publishingCases = (test: TransportCase): void => {
  test('delivers the messages of each stream in the order in which they were published', async (subject) => {
    const transport = await opened(subject.transport);
    const streams = ['a', 'b', 'c', 'd', 'e'];
    const sent: string[] = [];
    for (let round = 0; round < 8; round += 1) {
      const batch = streams.flatMap((stream) => messages(stream, 3 * round + 1, 3 * round + 3));
      await transport.publish(batch);
      sent.push(...bodiesOf(batch));
    }
    const came = firstArrivals(await puller(subject).until(sent));
    assert.deepEqual([...came].sort(), [...sent].sort());
    for (const stream of streams) {
      const ofStream = (bodies: readonly string[]) => bodies.filter((body) => body.startsWith(`${stream} at`));
      assert.deepEqual(ofStream(came), ofStream(sent));
    }
  });

  test('delivers every message to every subscription', async (subject) => {
    const transport = await opened(subject.transport, 'mail', 'stock', 'é / * > #');
    const sent = [...messages('a', 1, 5), ...messages('b', 1, 5)];
    await transport.publish(sent);
    for (const subscription of ['mail', 'stock', 'é / * > #']) {
      const came = await puller(subject, { subscription }).until(bodiesOf(sent));
      assert.deepEqual(firstArrivals(came).sort(), bodiesOf(sent).sort());
    }
  });

  test('delivers to receivers that wait what is published while they wait', async (subject) => {
    const transport = await opened(subject.transport);
    const receiver = puller(subject);
    for (let version = 1; version <= 5; version += 1) {
      const [came] = await Promise.all([receiver.until([`a at ${version}`]), transport.publish([message('a', version)])]);
      assert.ok(came.includes(`a at ${version}`));
    }
  });

  test('keeps messages for a subscription that nobody receives yet', async (subject) => {
    const transport = await opened(subject.transport);
    const sent = messages('a', 1, 50);
    await transport.publish(sent);
    assert.deepEqual(firstArrivals(await puller(subject).until(bodiesOf(sent))), bodiesOf(sent));
  });

  test(
    'R26 has published what publish resolved for, though the publisher is gone at once',
    async (subject) => {
      await opened(subject.transport);
      const publisher = await opened(await subject.another());
      const sent = messages('a', 1, 20);
      await publisher.publish(sent);
      await publisher.close();
      assert.deepEqual(firstArrivals(await puller(subject).until(bodiesOf(sent))), bodiesOf(sent));
    },
    'another',
  );

  test('makes no harm of messages that are published again, alone or among others', async (subject) => {
    const transport = await opened(subject.transport);
    await transport.publish(messages('a', 1, 4));
    await transport.publish(messages('a', 1, 4));
    await transport.publish(messages('a', 3, 6));
    await transport.publish([message('a', 7), message('a', 7)]);
    const sent = bodiesOf(messages('a', 1, 7));
    assert.deepEqual(firstArrivals(await puller(subject).until(sent)), sent);
  });

  test(
    'drops a message that is published again under its id',
    async (subject) => {
      const transport = await opened(subject.transport);
      await transport.publish(messages('a', 1, 3));
      await transport.publish(messages('a', 1, 4));
      const receiver = puller(subject);
      await receiver.until(['a at 4']);
      await transport.publish([...messages('a', 2, 4), message('a', 5)]);
      const came = await receiver.until(['a at 5']);
      assert.deepEqual(came, ['a at 5']);
    },
    'deduplicates',
  );

  test(
    'refuses for good what is larger than maxBodyBytes before anything of that batch is out, and takes the others without it',
    async (subject) => {
      const transport = await opened(subject.transport);
      const { maxBodyBytes } = transport.capabilities;
      // Two bytes each, so that a count of characters would let it pass.
      const large = message('a', 2, 'é'.repeat(Math.floor(maxBodyBytes / 2) + 1));
      const error = await transport.publish([message('a', 1), large, message('a', 3)]).then(
        () => assert.fail('expected a rejection'),
        (reason: unknown) => reason,
      );
      assert.ok(isOrderfoldError(error, 'TRANSPORT'), `expected a TRANSPORT fault, got ${String(error)}`);
      assert.equal(error.retryable, false);
      await transport.publish([message('a', 3)]);
      assert.deepEqual(firstArrivals(await puller(subject).until(['a at 3'])), ['a at 3']);
    },
    'maxBodyBytes',
  );

  test('publishes nothing when it is given nothing', async (subject) => {
    const transport = await opened(subject.transport);
    await transport.publish([]);
    await transport.publish([message('a', 1)]);
    assert.deepEqual(firstArrivals(await puller(subject).until(['a at 1'])), ['a at 1']);
  });

  test(
    'carries messages from any connection to any other',
    async (subject) => {
      const [first, second] = [await opened(subject.transport), await opened(await subject.another())] as const;
      await Promise.all([first.publish(messages('a', 1, 9)), second.publish(messages('b', 1, 9))]);
      const sent = bodiesOf([...messages('a', 1, 9), ...messages('b', 1, 9)]);
      const one = await puller(subject, { transport: first, subscription: 'mail' }).until(sent);
      const other = await puller(subject, { transport: second, subscription: 'stock' }).until(sent);
      for (const came of [one, other]) assert.deepEqual(firstArrivals(came).sort(), [...sent].sort());
    },
    'another',
  );

  test('is opened as often as one likes, also at once and by several, without losing or repeating anything', async (subject) => {
    const { transport } = subject;
    const connections = [transport, transport, ...(subject.another === undefined ? [] : [await subject.another()])];
    await Promise.all(connections.map((one) => opened(one)));
    await transport.publish([message('a', 1)]);
    const receiver = puller(subject);
    await receiver.until(['a at 1']);
    await receiver.abort();
    await Promise.all(connections.map((one) => opened(one, 'stock', 'mail', 'late')));
    await transport.publish([message('a', 2)]);
    assert.deepEqual(await puller(subject).until(['a at 2']), ['a at 2']);
    const stock = await puller(subject, { subscription: 'stock' }).until(['a at 1', 'a at 2']);
    assert.deepEqual(firstArrivals(stock), ['a at 1', 'a at 2']);
    assert.ok((await puller(subject, { subscription: 'late' }).until(['a at 2'])).includes('a at 2'));
  });

  test(
    'gives a subscription that is made later what was published before',
    async (subject) => {
      const transport = await opened(subject.transport);
      const sent = messages(streamIn(0), 1, 9);
      await transport.publish(sent);
      for (const subscription of ['mail', 'stock']) await puller(subject, { subscription }).until(bodiesOf(sent));
      await opened(transport, 'late');
      assert.deepEqual(firstArrivals(await puller(subject, { subscription: 'late' }).until(bodiesOf(sent))), bodiesOf(sent));
    },
    'replays',
  );
};
