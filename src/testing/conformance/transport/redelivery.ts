import assert from 'node:assert/strict';
import type { Received } from '../../../core/transport.ts';
import {
  ALL_SHARDS,
  acksNothing,
  bodiesOf,
  firstArrivals,
  message,
  messages,
  opened,
  type Puller,
  puller,
  soon,
  streamIn,
  type TransportCase,
} from './subject.ts';

const ENDINGS: readonly (readonly [string, (receiver: Puller) => Promise<void>])[] = [
  ['that was aborted', (receiver) => receiver.abort()],
  ['that was left', (receiver) => receiver.leave()],
];

export const redeliveryCases = (test: TransportCase): void => {
  for (const [how, end] of ENDINGS) {
    test(`delivers again what was not acked to a receiver ${how}, and not what was`, async (subject) => {
      const transport = await opened(subject.transport);
      const all = bodiesOf(messages('a', 1, 9));
      await transport.publish(messages('a', 1, 9));
      const first = puller(subject);
      const isAcked = (body: string) => ['a at 1', 'a at 2', 'a at 5', 'a at 9'].includes(body);
      await first.until(all, isAcked);
      await end(first);
      const left = all.filter((body) => !isAcked(body));
      await transport.publish([message('a', 10)]);
      const came = await puller(subject).until([...left, 'a at 10']);
      assert.deepEqual(firstArrivals(came).sort(), [...left, 'a at 10'].sort());
    });
  }

  test('delivers again what was not acked when the loop over it throws', async (subject) => {
    const transport = await opened(subject.transport);
    await transport.publish(messages('a', 1, 3));
    const loop = async () => {
      for await (const [first] of transport.receive('mail', ALL_SHARDS, new AbortController().signal)) {
        first?.ack();
        throw new RangeError('the handler failed');
      }
    };
    await assert.rejects(soon(subject, 'a loop that throws', loop()), RangeError);
    const came = await puller(subject).until(['a at 2', 'a at 3']);
    assert.deepEqual(firstArrivals(came).sort(), ['a at 2', 'a at 3']);
  });

  test('delivers again to each subscription what that one did not ack, whatever the others did', async (subject) => {
    const transport = await opened(subject.transport);
    const all = bodiesOf(messages('a', 1, 4));
    await transport.publish(messages('a', 1, 4));
    const [mail, stock] = [puller(subject), puller(subject, { subscription: 'stock' })];
    await stock.until(all);
    await mail.until(all, acksNothing);
    for (const receiver of [mail, stock]) await receiver.abort();
    assert.deepEqual(firstArrivals(await puller(subject).until(all)).sort(), all);
    await transport.publish([message('a', 5)]);
    assert.deepEqual(await puller(subject, { subscription: 'stock' }).until(['a at 5']), ['a at 5']);
  });

  for (const [how, end] of ENDINGS) {
    test(
      `tells the broker of every ack before a receiver ${how} has ended, so that nobody else gets what was acked`,
      async (subject) => {
        const transport = await opened(subject.transport);
        const other = await opened(await subject.another());
        await transport.publish(messages('a', 1, 8));
        const receiver = puller(subject);
        await receiver.until(bodiesOf(messages('a', 1, 8)), (body) => body < 'a at 6');
        await end(receiver);
        await other.publish([message('a', 9)]);
        const came = await puller(subject, { transport: other }).until(bodiesOf(messages('a', 6, 9)));
        assert.deepEqual(firstArrivals(came).sort(), bodiesOf(messages('a', 6, 9)));
      },
      'another',
    );
  }

  test(
    'delivers again what was not acked by a process that is gone',
    async (subject) => {
      const transport = await opened(subject.transport);
      const other = await opened(await subject.another());
      const all = bodiesOf(messages('a', 1, 6));
      await transport.publish(messages('a', 1, 6));
      await puller(subject, { transport: other }).until(all, (body) => body < 'a at 4');
      await other.close();
      const came = await puller(subject).until(all.slice(3));
      assert.deepEqual(firstArrivals(came).sort(), all.slice(3));
    },
    'another',
  );

  test(
    'delivers again in the order of the stream, before what is later in it',
    async (subject) => {
      const transport = await opened(subject.transport);
      const [a, b] = [streamIn(0, 'a'), streamIn(0, 'b')];
      await transport.publish([...messages(a, 1, 4), ...messages(b, 1, 4)]);
      const first = puller(subject);
      const acked = [`${a} at 2`, `${b} at 1`];
      await first.until(bodiesOf([...messages(a, 1, 4), ...messages(b, 1, 4)]), (body) => acked.includes(body));
      await transport.publish([message(a, 5), message(b, 5)]);
      await first.abort();
      const second = puller(subject);
      await second.until([`${a} at 1`], acksNothing);
      await second.abort();
      const wanted = bodiesOf([message(a, 1), message(a, 3), message(a, 4), message(a, 5)]);
      const others = bodiesOf([message(b, 2), message(b, 3), message(b, 4), message(b, 5)]);
      const came = firstArrivals(await puller(subject).until([...wanted, ...others]));
      assert.deepEqual([came.filter((body) => wanted.includes(body)), came.filter((body) => others.includes(body))], [wanted, others]);
    },
    'redeliversInOrder',
  );

  test('takes acks in any order and more than once', async (subject) => {
    const transport = await opened(subject.transport);
    await transport.publish(messages('a', 1, 6));
    const receiver = puller(subject);
    const pulled: Received[] = [];
    while (pulled.length < 6) pulled.push(...((await receiver.next()) ?? assert.fail('the receiver ended')));
    for (const { ack } of [...pulled].reverse()) {
      ack();
      ack();
    }
    await receiver.abort();
    await transport.publish([message('a', 7)]);
    assert.deepEqual(await puller(subject).until(['a at 7']), ['a at 7']);
  });

  test('bears an ack that comes after its receiver has ended, and goes on', async (subject) => {
    const transport = await opened(subject.transport);
    await transport.publish(messages('a', 1, 4));
    const first = puller(subject);
    const late = (await first.next()) ?? assert.fail('the receiver ended');
    await first.abort();
    const second = puller(subject);
    const again = await second.until(bodiesOf(late).slice(0, 1), acksNothing);
    for (const { ack } of late) ack();
    await second.leave();
    const third = puller(subject);
    await transport.publish([message('a', 5)]);
    const came = await third.until(['a at 5']);
    assert.ok(again.length > 0 && came.includes('a at 5'));
    for (const { ack } of late) ack();
    await third.leave();
    await transport.publish([message('a', 6)]);
    assert.ok((await puller(subject).until(['a at 6'])).includes('a at 6'));
  });
};
