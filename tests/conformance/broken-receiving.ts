import type { Received } from '../../src/core/transport.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { createMemoryTransport } from '../../src/transports/memory/memory-transport.ts';
import { type BrokenTransport, but, over } from './breaking-transports.ts';

const batches = (alter: (inner: AsyncIterable<readonly Received[]>) => AsyncIterable<readonly Received[]>) =>
  but((inner) => ({ receive: (...asked) => alter(inner.receive(...asked)) }));

/** Hands out the same with other acks. */
const acks = (alter: (batch: readonly Received[], at: number) => () => void) =>
  batches(async function* (inner) {
    for await (const batch of inner) yield batch.map(({ body }, at) => ({ body, ack: alter(batch, at) }));
  });

const NOT_ACKED = [
  'delivers again what was not acked to a receiver that was aborted',
  'delivers again what was not acked to a receiver that was left',
];
const THROWN = 'delivers again what was not acked when the loop over it throws';
const GONE = 'delivers again what was not acked by a process that is gone';

/** Transports whose receivers go wrong. */
export const BROKEN_RECEIVING: readonly BrokenTransport[] = [
  {
    does: 'loses what was not acked',
    make: batches(async function* (inner) {
      const iterator = inner[Symbol.asyncIterator]();
      const unacked: Received[] = [];
      try {
        for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
          unacked.push(...next.value);
          yield next.value;
        }
      } finally {
        for (const { ack } of unacked) ack();
        await iterator.return?.();
      }
    }),
    fails: [THROWN, 'delivers again what was not acked to a receiver that was left'],
  },
  {
    does: 'acks on receipt',
    make: batches(async function* (inner) {
      for await (const batch of inner) {
        for (const { ack } of batch) ack();
        yield batch;
      }
    }),
    fails: [...NOT_ACKED, THROWN, GONE, 'delivers again in the order of the stream', 'has told the broker of every ack'],
  },
  {
    does: 'tells of acks only at the next pull',
    make: batches(async function* (inner) {
      for await (const batch of inner) {
        const late: (() => void)[] = [];
        yield batch.map(({ body, ack }) => ({ body, ack: () => void late.push(ack) }));
        for (const ack of late) ack();
      }
    }),
    fails: [
      'tells the broker of every ack before a receiver that was aborted has ended',
      'tells the broker of every ack before a receiver that was left has ended',
    ],
  },
  { does: 'forgets acks', make: acks(() => () => {}), fails: [...NOT_ACKED, 'takes acks in any order', 'is opened as often as one likes'] },
  {
    does: 'acks all that came before',
    make: acks((batch, at) => () => {
      for (const { ack } of batch.slice(0, at + 1)) ack();
    }),
    fails: NOT_ACKED,
  },
  {
    does: 'throws when an ack comes late or twice',
    make: acks((batch, at) => {
      let calls = 0;
      return () => {
        calls += 1;
        if (calls > 1) throw new Error('unknown delivery tag');
        batch[at]?.ack();
      };
    }),
    fails: ['takes acks in any order', 'bears an ack that comes after'],
  },
  {
    does: 'ignores an abort',
    make: but((inner) => ({ receive: (subscription, shards) => inner.receive(subscription, shards, new AbortController().signal) })),
    fails: ['ends without an error as soon as the signal aborts', NOT_ACKED[0] ?? ''],
  },
  {
    does: 'takes an abort for an error',
    make: but((inner) => ({
      async *receive(subscription, shards, signal) {
        yield* inner.receive(subscription, shards, signal);
        signal.throwIfAborted();
      },
    })),
    fails: ['ends without an error as soon as the signal aborts'],
  },
  {
    does: 'gives each message to one subscription only',
    make: over(() => {
      const given = new Map<string, string>();
      return (inner) => ({
        async *receive(subscription, ...asked) {
          for await (const batch of inner.receive(subscription, ...asked)) {
            const mine = batch.filter(({ body }) => (given.get(body) ?? subscription) === subscription);
            for (const { body } of mine) given.set(body, subscription);
            if (mine.length > 0) yield mine;
          }
        },
      });
    }),
    fails: ['delivers every message to every subscription'],
  },
  {
    does: 'heeds no shards',
    make: but((inner) => ({ receive: (subscription, _, signal) => inner.receive(subscription, [0, 1, 2, 3], signal) })),
    fails: ['splits a subscription by shard', 'receives nothing where it was asked for no shard'],
  },
  {
    does: 'pushes as much as there is',
    make: batches(async function* (inner) {
      const iterator = inner[Symbol.asyncIterator]();
      for (;;) {
        const all: Received[] = [];
        do {
          const { done, value } = await iterator.next();
          if (done === true) return;
          all.push(...value);
        } while (all.length > 0 && all.length % 256 === 0);
        yield all;
      }
    }),
    fails: ['R27 hands out at most a batch a pull'],
  },
  {
    does: 'hands out batches of nothing',
    make: batches(async function* (inner) {
      yield [];
      yield* inner;
    }),
    fails: ['R27 hands out at most a batch a pull'],
  },
  {
    does: 'wakes nobody who waits',
    make: () => createMemoryTransport({ ...virtualSystem(), soon: () => {} }).another,
    fails: ['delivers to receivers that wait'],
  },
  {
    does: 'keeps a shard for who had it first',
    make: over(() => {
      const owners = new Map<string, number>();
      let receivers = 0;
      return (inner) => ({
        receive(subscription, shards, signal) {
          receivers += 1;
          const me = receivers;
          const isMine = (shard: number): boolean => {
            const place = `${subscription} ${shard}`;
            owners.set(place, owners.get(place) ?? me);
            return owners.get(place) === me;
          };
          return inner.receive(subscription, shards.filter(isMine), signal);
        },
      });
    }),
    fails: ['gives the messages of a shard to whoever receives it next', ...NOT_ACKED, 'takes acks in any order'],
  },
  {
    does: 'loses messages while two receive one shard',
    make: over(() => {
      let receiving = 0;
      return (inner) => ({
        async *receive(...asked) {
          receiving += 1;
          try {
            for await (const batch of inner.receive(...asked)) {
              if (receiving < 2) yield batch;
              else for (const { ack } of batch) ack();
            }
          } finally {
            receiving -= 1;
          }
        },
      });
    }),
    fails: ['loses nothing while two receivers have a shard at once'],
  },
  {
    does: "takes one subscription's ack for every other's",
    make: over(() => {
      const acked = new Set<string>();
      return (inner) => ({
        async *receive(...asked) {
          for await (const batch of inner.receive(...asked)) {
            const left = batch.filter(({ body }) => !acked.has(body));
            for (const { body, ack } of batch) if (acked.has(body)) ack();
            const both =
              ({ body, ack }: Received) =>
              () => {
                acked.add(body);
                ack();
              };
            if (left.length > 0) yield left.map((one) => ({ body: one.body, ack: both(one) }));
          }
        },
      });
    }),
    fails: ['delivers again to each subscription what that one did not ack', 'delivers every message to every subscription'],
  },
];
