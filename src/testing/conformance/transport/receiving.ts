import assert from 'node:assert/strict';
import { LARGEST_BATCH } from '../../../core/transport.ts';
import {
  ALL_SHARDS,
  acksNothing,
  bodiesOf,
  firstArrivals,
  message,
  messages,
  opened,
  puller,
  soon,
  streamIn,
  type TransportCase,
} from './subject.ts';

export const receivingCases = (test: TransportCase): void => {
  test('splits a subscription by shard: a receiver gets all of its shards and nothing of another', async (subject) => {
    const transport = await opened(subject.transport);
    const sent = ALL_SHARDS.map((shard) => messages(streamIn(shard), 1, 6));
    await transport.publish(sent.flat());
    for (const shards of [[0, 2], [3], [1]]) {
      const wanted = bodiesOf(shards.flatMap((shard) => sent[shard] ?? []));
      const receiver = puller(subject, { shards });
      const came = await receiver.until(wanted);
      await transport.publish(shards.map((shard) => message(streamIn(shard), 7)));
      came.push(...(await receiver.until(shards.map((shard) => `${streamIn(shard)} at 7`))));
      const expected = [...wanted, ...shards.map((shard) => `${streamIn(shard)} at 7`)];
      assert.deepEqual(firstArrivals(came).sort(), expected.sort());
    }
  });

  test('gives the messages of a shard to whoever receives it next when its owner changes', async (subject) => {
    const transport = await opened(subject.transport);
    const stream = streamIn(1);
    for (let round = 0; round < 4; round += 1) {
      await transport.publish(messages(stream, 3 * round + 1, 3 * round + 3));
      const receiver = puller(subject, { shards: round % 2 === 0 ? [1] : [0, 1] });
      const wanted = bodiesOf(messages(stream, 3 * round + 1, 3 * round + 3));
      assert.deepEqual(await receiver.until(wanted), wanted);
      await (round < 2 ? receiver.abort() : receiver.leave());
    }
  });

  test('loses nothing while two receivers have a shard at once', async (subject) => {
    const transport = await opened(subject.transport);
    const sent = messages(streamIn(0), 1, 40);
    const came = new Set<string>();
    const receivers = [puller(subject, { shards: [0] }), puller(subject, { shards: [0, 1] })];
    const last = [streamIn(0, 'last'), streamIn(1, 'last')];
    const running = Promise.all(
      receivers.map(async (receiver) => {
        for (let batch = await receiver.next(); batch !== null; batch = await receiver.next()) {
          for (const { body, ack } of batch) {
            came.add(body);
            ack();
          }
          if (sent.every(({ body }) => came.has(body))) for (const other of receivers) other.abort().catch(() => {});
        }
      }),
    );
    for (let i = 0; i < sent.length; i += 4) await transport.publish(sent.slice(i, i + 4));
    await running;
    assert.deepEqual([...came].sort(), bodiesOf(sent).sort());
    await transport.publish(last.map((stream) => message(stream, 1)));
    const left = await puller(subject).until(last.map((stream) => `${stream} at 1`));
    for (const body of left) assert.ok(!sent.some((one) => one.body === body), `${body} was acked and came again`);
  });

  test('R27 hands out at most a batch a pull, and keeps what was not pulled', async (subject) => {
    const transport = await opened(subject.transport);
    const sent = messages('a', 1, 3 * LARGEST_BATCH);
    await transport.publish(sent);
    const first = puller(subject);
    const batch = (await first.next()) ?? [];
    assert.ok(batch.length >= 1 && batch.length <= LARGEST_BATCH, `a batch of ${batch.length} messages`);
    for (const { ack } of batch) ack();
    await first.leave();
    const second = puller(subject);
    const missing = new Set(bodiesOf(sent.slice(batch.length)));
    while (missing.size > 0) {
      const more = (await second.next()) ?? assert.fail('the receiver ended');
      assert.ok(more.length >= 1 && more.length <= LARGEST_BATCH, `a batch of ${more.length} messages`);
      for (const { body, ack } of more) {
        assert.ok(!batch.some((one) => one.body === body), `${body} was acked and came again`);
        missing.delete(body);
        ack();
      }
    }
  });

  test('lets a receiver that does not pull hold up neither publishers nor other subscriptions nor other shards', async (subject) => {
    const transport = await opened(subject.transport);
    const stuck = puller(subject, { shards: [0] });
    const [slow, quick] = [streamIn(0), streamIn(1)];
    await transport.publish([message(slow, 1)]);
    await stuck.next();
    for (let version = 2; version <= 600; version += 100) {
      const more = [slow, quick].flatMap((stream) => messages(stream, version, version + 99));
      await soon(subject, 'publishing beside a receiver that does not pull', transport.publish(more));
    }
    await puller(subject, { shards: [1] }).until(bodiesOf(messages(quick, 2, 601)));
    await puller(subject, { subscription: 'stock' }).until(bodiesOf([...messages(quick, 2, 601), ...messages(slow, 1, 601)]));
    await stuck.leave();
    await puller(subject, { shards: [0] }).until(bodiesOf(messages(slow, 1, 601)));
  });

  test('ends without an error as soon as the signal aborts: amid a wait, amid a batch, and before the first pull', async (subject) => {
    const transport = await opened(subject.transport);
    const waiting = puller(subject);
    const [pulled] = await Promise.all([waiting.next(), waiting.abort()]);
    assert.equal(pulled, null);

    await transport.publish(messages('a', 1, 3 * LARGEST_BATCH));
    const busy = puller(subject);
    assert.notEqual(await busy.next(), null);
    await busy.abort();
    assert.equal(await busy.next(), null);

    const stopped = transport.receive('mail', ALL_SHARDS, AbortSignal.abort(new Error('not needed')));
    for await (const batch of stopped) assert.fail(`got ${batch.length} messages after the abort`);
  });

  test('receives nothing where it was asked for no shard, and waits for the abort', async (subject) => {
    const transport = await opened(subject.transport);
    await transport.publish(ALL_SHARDS.map((shard) => message(streamIn(shard), 1)));
    const none = puller(subject, { shards: [] });
    const others = puller(subject);
    const wait = async () => {
      await others.until(
        ALL_SHARDS.map((shard) => `${streamIn(shard)} at 1`),
        acksNothing,
      );
      await none.abort();
    };
    const [pulled] = await Promise.all([none.next(), wait()]);
    assert.equal(pulled, null);
  });
};
