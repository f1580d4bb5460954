import { patientChannel } from './patient-channel.ts';

/** An event as somebody heard of it who has nothing but the broker. */
export interface Heard {
  readonly version: number;
  readonly type: string;
}

/** Another service, with a queue of its own for all there is. */
export interface Listener {
  /** By order, what it heard, in this order and each for the first time. Copies do not count. */
  readonly heard: ReadonlyMap<string, readonly Heard[]>;
  /** Messages of any kind. */
  readonly messages: number;
  close(): Promise<void>;
}

/** Marks what was not published by a worker. */
export const COPY = 'x-copy';

const PREFETCH = 1000;

export const queueOfTests = (topic: string, name: string): string => `${topic}.${name}`;

/** For what has to be there as long as the messages of workers are. */
export const LIKE_A_WORKER = { durable: true, arguments: { 'x-queue-type': 'quorum' } } as const;

/** Resolves once nothing that is published can escape it. */
export const startListener = async (url: string, topic: string): Promise<Listener> => {
  const queue = queueOfTests(topic, 'listener');
  const heard = new Map<string, Heard[]>();
  const known = new Set<string>();
  let messages = 0;

  const hear = (body: string): void => {
    const { id, subject, streamversion: version, type } = JSON.parse(body) as Record<string, string> & { streamversion: number };
    if (id === undefined || subject === undefined || type === undefined || known.has(id)) return;
    known.add(id);
    const stream = heard.get(subject) ?? [];
    stream.push({ version, type });
    heard.set(subject, stream);
  };
  const channel = patientChannel(url, async (fresh) => {
    await fresh.assertExchange(topic, 'topic', { durable: true });
    await fresh.assertQueue(queue, LIKE_A_WORKER);
    await fresh.bindQueue(queue, topic, '#');
    await fresh.prefetch(PREFETCH);
    await fresh.consume(queue, (message) => {
      if (message === null) return;
      messages += 1;
      if (message.properties.headers?.[COPY] === undefined) hear(message.content.toString());
      fresh.ack(message);
    });
  });
  await channel.use(async () => undefined);
  return {
    heard,
    get messages() {
      return messages;
    },
    close: channel.close,
  };
};
