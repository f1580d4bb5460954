import { describe, expect, it } from 'vitest';
import type { Transport } from '../../src/core/transport.ts';
import type { Runner } from '../../src/testing/conformance/runner.ts';
import { type TransportGaps, transportSuite } from '../../src/testing/conformance/transport-suite.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { createMemoryTransport } from '../../src/transports/memory/memory-transport.ts';
import { IN_MEMORY } from '../transports/gaps.ts';
import { BROKEN_PUBLISHING } from './broken-publishing.ts';
import { BROKEN_RECEIVING } from './broken-receiving.ts';
import { collected, titlesOf } from './collected.ts';
import { QUEUE, queueBroker } from './queue-transport.ts';

const A_QUEUE: TransportGaps = {
  redeliversInOrder: 'what comes back goes to the end',
  deduplicates: 'it keeps no ids',
  replays: 'what is acked is gone',
};

interface Broker {
  connect(): Transport;
  outage?(during: () => Promise<void>): Promise<void>;
}

/** Waits for 300 ms of real time before it calls a message lost, and only then. */
const suiteOver =
  (make: () => Broker, gaps: TransportGaps, restarted?: () => Transport) =>
  (runner: Runner): void =>
    transportSuite(
      runner,
      'tried',
      async () => {
        const broker = make();
        const made: Transport[] = [];
        const another = async () => {
          const transport = broker.connect();
          made.push(transport);
          return transport;
        };
        const restart = async () => {
          for (const one of made) await one.close();
          return restarted === undefined ? another() : restarted();
        };
        const { outage } = broker;
        const parts = outage === undefined ? { another } : { another, restart, outage };
        const close = async () => void (await Promise.allSettled(made.map((one) => one.close())));
        return { transport: await another(), ...parts, patienceMs: 300, close };
      },
      gaps,
    );

const memory = (): Broker => ({ connect: createMemoryTransport(virtualSystem()).another });

const failures = async (declare: (runner: Runner) => void, parts: readonly string[]) => {
  const outcomes = await collected(declare, (title) => parts.some((part) => title.includes(part)));
  expect(titlesOf(outcomes, 'passed')).toEqual([]);
  return titlesOf(outcomes, 'failed');
};

describe('the transport suite', () => {
  it('passes a log that keeps every promise but to outlive its process, all cases at once', async () => {
    const outcomes = await collected(suiteOver(memory, IN_MEMORY));
    expect(outcomes.filter(({ result }) => result === 'failed')).toEqual([]);
    expect(titlesOf(outcomes, 'passed').length).toBeGreaterThan(38);
  });

  it('R32 passes a plain queue, and shows as skipped exactly what it does not promise, under its reason', async () => {
    const outcomes = await collected(suiteOver(() => queueBroker(), A_QUEUE));
    expect(outcomes.filter(({ result }) => result === 'failed')).toEqual([]);
    expect(titlesOf(outcomes, 'skipped').map((title) => title.split(' > ').at(-1))).toEqual([
      'drops a message that is published again under its id (it keeps no ids)',
      'gives a subscription that is made later what was published before (what is acked is gone)',
      'delivers again in the order of the stream, before what is later in it (what comes back goes to the end)',
    ]);
  });

  it.each([
    ['deduplicates', 'drops a message that is published again'],
    ['replays', 'gives a subscription that is made later'],
    ['redeliversInOrder', 'delivers again in the order of the stream'],
  ] as const)('R32 fails a queue that says it %s, in the one case of that name', async (flag, part) => {
    const { [flag]: _, ...gaps } = A_QUEUE;
    const outcomes = await collected(suiteOver(() => queueBroker({ ...QUEUE, [flag]: true }), gaps));
    expect(titlesOf(outcomes, 'failed')).toEqual([expect.stringContaining(part)]);
  });

  it('R32 fails a transport that says it is durable and loses what it had', async () => {
    const outcomes = await collected(suiteOver(() => queueBroker(), A_QUEUE, queueBroker().connect));
    expect(titlesOf(outcomes, 'failed')).toEqual([expect.stringContaining('keeps over a restart of the broker')]);
  });

  it.each<[string, (inner: Transport) => Partial<Transport>]>([
    ['publishes into the void', (inner) => ({ publish: (messages) => inner.publish(messages).catch(() => {}) })],
    [
      'ends its receivers as if all were well',
      (inner) => ({
        async *receive(...asked) {
          try {
            yield* inner.receive(...asked);
          } catch {
            // As if it had been told to end.
          }
        },
      }),
    ],
    [
      'says that no repeat can help',
      (inner) => ({ publish: (messages) => inner.publish(messages).catch((error: Error) => Promise.reject(new TypeError(error.message))) }),
    ],
  ])('R32 fails a transport that %s while the broker is away', async (_, change) => {
    const make = (): Broker => {
      const { connect, outage } = queueBroker();
      const changed = (): Transport => {
        const inner = connect();
        return { ...inner, ...change(inner) };
      };
      return { connect: changed, outage };
    };
    expect(await failures(suiteOver(make, A_QUEUE), ['R28 fails with what is worth a retry'])).toHaveLength(1);
  });

  it('R32 fails every case of a transport whose capabilities are not what was declared', async () => {
    const silent = await collected(suiteOver(() => queueBroker(), { deduplicates: 'it keeps no ids', replays: 'it is a queue' }));
    expect(titlesOf(silent, 'passed')).toEqual([]);
    expect(String(silent.find(({ result }) => result === 'failed')?.error)).toContain('"redeliversInOrder" is not there');
    const modest = await collected(suiteOver(memory, { ...IN_MEMORY, replays: 'nobody needs it' }));
    expect(titlesOf(modest, 'passed')).toEqual([]);
  });

  it.each([...BROKEN_PUBLISHING, ...BROKEN_RECEIVING])('R32 fails a transport that $does', async ({ make, fails }) => {
    expect(
      await failures(
        suiteOver(() => ({ connect: make() }), IN_MEMORY),
        fails,
      ),
    ).toHaveLength(fails.length);
  });
});
