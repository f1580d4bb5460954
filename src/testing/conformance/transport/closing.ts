import assert from 'node:assert/strict';
import { isOrderfoldError } from '../../../core/errors.ts';
import { ALL_SHARDS, bodiesOf, firstArrivals, message, messages, opened, puller, type TransportCase } from './subject.ts';

const isClosed = (error: unknown): boolean => isOrderfoldError(error, 'CLOSED');

export const closingCases = (test: TransportCase): void => {
  test('closes as often as it is told to, also unopened and at once', async ({ transport }) => {
    await Promise.all([transport.close(), transport.close()]);
    await transport.close();
  });

  test('ends its receivers when it is closed, without an error, and only its own', async (subject) => {
    const transport = await opened(subject.transport);
    const elsewhere = await subject.another?.();
    const other = elsewhere === undefined ? undefined : puller(subject, { transport: await opened(elsewhere) });
    const receivers = [puller(subject), puller(subject, { subscription: 'stock' })];
    const pulls = Promise.all(receivers.map((receiver) => receiver.next()));
    const [pulled] = await Promise.all([pulls, transport.close()]);
    assert.deepEqual(pulled, [null, null]);
    assert.equal(await receivers[0]?.next(), null);
    if (other === undefined || elsewhere === undefined) return;
    await elsewhere.publish([message('a', 1)]);
    assert.ok((await other.until(['a at 1'])).includes('a at 1'));
  });

  test('answers CLOSED to all who want something of it afterwards', async (subject) => {
    const transport = await opened(subject.transport);
    await transport.close();
    await assert.rejects(transport.publish([message('a', 1)]), isClosed);
    await assert.rejects(opened(transport), isClosed);
    await assert.rejects(transport.receive('mail', ALL_SHARDS, new AbortController().signal)[Symbol.asyncIterator]().next(), isClosed);
  });

  test(
    'has told the broker of every ack when it is closed, and leaves the rest to others',
    async (subject) => {
      const transport = await opened(subject.transport);
      const other = await opened(await subject.another());
      await transport.publish(messages('a', 1, 8));
      await puller(subject).until(bodiesOf(messages('a', 1, 8)), (body) => body < 'a at 6');
      await transport.close();
      await other.publish([message('a', 9)]);
      const came = await puller(subject, { transport: other }).until(bodiesOf(messages('a', 6, 9)));
      assert.deepEqual(firstArrivals(came).sort(), bodiesOf(messages('a', 6, 9)));
    },
    'another',
  );
};
