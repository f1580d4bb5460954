import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { property, queueName, routingKey } from '../../src/transports/rabbitmq/names.ts';

/** Any text, lone surrogates and what the encoding itself uses included, short or long. */
const oddText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom('%', '~', '.', '*', '#', 'a', 'é', '\0', '\ud83d', '\ude00', '%2e', '%ud83d')).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', minLength: 200, maxLength: 400 }),
  fc.tuple(fc.constantFrom('x', '%', '\ud83d'), fc.integer({ min: 0, max: 400 })).map(([unit, count]) => unit.repeat(count)),
);
const shard = fc.integer({ min: 0, max: 1023 });
const topic = fc.stringMatching(/^[a-z][\w.:-]{0,99}$/);
const ASCII = /^[!-~]*$/;

describe('names in RabbitMQ', () => {
  it('are ASCII of at most 255 bytes, and those of different texts differ', () => {
    fc.assert(
      fc.property(oddText, oddText, shard, (one, other, index) => {
        for (const nameOf of [property, (text: string) => routingKey(index, text), (text: string) => queueName('t', text, index)]) {
          const name = nameOf(one);
          if (!ASCII.test(name) || name.length > 255 || (name === nameOf(other)) !== (one === other)) expect.fail(name);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('of queues differ wherever their topic, subscription or shard does', () => {
    fc.assert(
      fc.property(fc.tuple(topic, oddText, shard), fc.tuple(topic, oddText, shard), (one, other) => {
        const isSame = one.every((part, index) => part === other[index]);
        expect(queueName(...one) === queueName(...other)).toBe(isSame);
      }),
      { numRuns: 1000 },
    );
    expect(property('half \ud83d')).not.toBe(property('half \ud83e'));
    expect(queueName('a', 'b.c', 0)).not.toBe(queueName('a.b', 'c', 0));
  });

  it('of what is plain are plain, so that people and other services read them', () => {
    expect(queueName('orderfold', 'send-mail', 7)).toBe('orderfold.send-mail.7');
    expect(routingKey(7, 'order.confirmed')).toBe('7.order.confirmed');
    expect(property('01JQ/order@12')).toBe('01JQ/order@12');
    expect(routingKey(7, 'a*b#')).toBe('7.a%2ab%23');
  });
});
