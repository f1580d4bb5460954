import type { Message } from '../../src/core/transport.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { createMemoryTransport } from '../../src/transports/memory/memory-transport.ts';
import { type BrokenTransport, but, over } from './breaking-transports.ts';

const bodies = (alter: (body: string) => string) =>
  but((inner) => ({ publish: (messages) => inner.publish(messages.map((message) => ({ ...message, body: alter(message.body) }))) }));

const GONE = 'delivers again what was not acked by a process that is gone';

/** Transports that publish, open or close wrongly. */
export const BROKEN_PUBLISHING: readonly BrokenTransport[] = [
  {
    does: 'reorders a stream',
    make: but((inner) => ({ publish: (messages) => inner.publish([...messages].reverse()) })),
    fails: ['delivers the messages of each stream in the order', 'keeps streams, ids and types', 'makes no harm'],
  },
  {
    does: 'resolves publish before it is durable',
    make: but((inner) => {
      let open = true;
      return {
        async publish(messages) {
          setImmediate(() => void (open && inner.publish(messages)));
        },
        async close() {
          open = false;
          await inner.close();
        },
      };
    }),
    fails: ['R26 has published what publish resolved for'],
  },
  {
    does: 'has room for 100 messages',
    make: but(() => ({}), { keep: 100 }),
    fails: ['lets a receiver that does not pull hold up neither'],
  },
  {
    does: 'keeps nothing for those who are not there',
    make: over(() => {
      const receiving = new Set<string>();
      return (inner) => ({
        publish: async (messages) => (receiving.size === 0 ? undefined : inner.publish(messages)),
        receive(subscription, ...asked) {
          receiving.add(subscription);
          return inner.receive(subscription, ...asked);
        },
      });
    }),
    fails: ['keeps messages for a subscription that nobody receives yet', 'delivers every message to every subscription'],
  },
  {
    does: 'begins again with every opening',
    make: over(() => {
      let openings = 0;
      const named = (name: string): string => `${name} ${openings}`;
      return (inner) => ({
        open({ subscriptions, shards }) {
          openings += 1;
          return inner.open({ subscriptions: subscriptions.map(named), shards });
        },
        receive: (subscription, ...asked) => inner.receive(named(subscription), ...asked),
      });
    }),
    fails: ['is opened as often as one likes'],
  },
  {
    does: 'drops no repeats, though it says so',
    make: over(() => {
      let sent = 0;
      const another = (message: Message): Message => {
        sent += 1;
        return { ...message, id: `${message.id} ${sent}` };
      };
      return (inner) => ({ publish: (messages) => inner.publish(messages.map(another)) });
    }),
    fails: ['drops a message that is published again'],
  },
  {
    does: 'counts characters for bytes',
    make: but((inner) => ({ capabilities: { ...inner.capabilities, maxBodyBytes: 2 ** 20 } })),
    fails: ['refuses for good what is larger'],
  },
  {
    does: 'publishes what comes before a body that is too large',
    make: but((inner) => ({
      async publish(messages) {
        for (const message of messages) await inner.publish([message]);
      },
    })),
    fails: ['refuses for good what is larger'],
  },
  { does: 'ends bodies at NUL', make: bodies((body) => body.split('\0')[0] ?? ''), fails: ['the exact text of a body: NUL'] },
  { does: 'parses bodies', make: bodies((body) => body.replace('\\ud800', '\ufffd')), fails: ['the exact text of a body: escaped half'] },
  { does: 'cuts bodies at 8 MB', make: bodies((body) => body.slice(0, 2 ** 22)), fails: ['carries a body as large as it says'] },
  {
    does: 'takes streams that sound alike for one',
    make: but((inner) => ({
      publish: (messages) => inner.publish(messages.map((one) => ({ ...one, id: Buffer.from(one.id).toString() }))),
    })),
    fails: ['keeps streams, ids and types with the oddest names apart'],
  },
  {
    does: 'goes on after it was closed',
    make: but(() => ({ close: async () => {} })),
    fails: ['answers CLOSED', 'ends its receivers when it is closed', GONE, 'has told the broker of every ack'],
  },
  {
    does: 'says TRANSPORT where it is closed',
    make: but((inner) => ({
      publish: (messages) => inner.publish(messages).catch((error: Error) => Promise.reject(new Error(error.message))),
    })),
    fails: ['answers CLOSED'],
  },
  {
    does: 'cannot be closed twice',
    make: but((inner) => {
      let closings = 0;
      return {
        async close() {
          closings += 1;
          if (closings === 2) throw new Error('already closed');
          await inner.close();
        },
      };
    }),
    fails: ['closes as often as it is told to'],
  },
  {
    does: 'has a topic for each connection',
    make: () => () => createMemoryTransport(virtualSystem()),
    fails: ['carries messages from any connection to any other', 'R26 has published what publish resolved for', GONE],
  },
  {
    does: 'wants something to publish',
    make: but((inner) => ({
      publish: async (messages) => (messages.length === 0 ? Promise.reject(new Error('nothing to publish')) : inner.publish(messages)),
    })),
    fails: ['publishes nothing when it is given nothing'],
  },
];
