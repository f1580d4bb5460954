import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAcks } from '../../src/transports/rabbitmq/acks.ts';

/** What a broker knows of a channel on which it has delivered `count` messages. It closes the channel at an ack for what it has forgotten. */
const brokerOf = (count: number) => {
  const unacked = new Set(Array.from({ length: count }, (_, index) => index + 1));
  let frames = 0;
  return {
    unacked,
    get frames() {
      return frames;
    },
    send(tag: number, allUpTo: boolean): void {
      frames += 1;
      expect(unacked).toContain(tag);
      for (const one of [...unacked]) if (one === tag || (allUpTo && one < tag)) unacked.delete(one);
    },
  };
};

describe('acks of one RabbitMQ channel', () => {
  it('reach the broker each once, in whichever order they come and however often they are sent on', () => {
    const deliveries = fc.integer({ min: 1, max: 60 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        acked: fc.shuffledSubarray(Array.from({ length: count }, (_, index) => index + 1)),
        flushedAfter: fc.uniqueArray(fc.nat(count)),
        twice: fc.nat(count),
      }),
    );
    fc.assert(
      fc.property(deliveries, ({ count, acked, flushedAfter, twice }) => {
        const broker = brokerOf(count);
        const acks = createAcks(broker.send);
        for (const [index, tag] of acked.entries()) {
          acks.add(tag);
          if (index === twice) acks.add(tag);
          if (flushedAfter.includes(index)) acks.flush();
        }
        for (const tag of acked.slice(0, twice)) acks.add(tag);
        acks.flush();
        acks.flush();
        expect([...broker.unacked]).toEqual([...Array(count).keys()].map((index) => index + 1).filter((tag) => !acked.includes(tag)));
      }),
      { numRuns: 1000 },
    );
  });

  it('of all that came are one, and one more for each that is behind a gap', () => {
    const broker = brokerOf(300);
    const acks = createAcks(broker.send);
    for (let tag = 1; tag <= 256; tag += 1) acks.add(tag);
    for (const tag of [258, 300]) acks.add(tag);
    acks.flush();
    expect([broker.frames, broker.unacked.size]).toEqual([3, 42]);
  });
});
