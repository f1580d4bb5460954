import { describe, expect, it } from 'vitest';
import { readCloudEvent } from '../../src/core/cloud-event.ts';
import { OrderfoldError } from '../../src/core/errors.ts';
import type { StoredEvent } from '../../src/core/records.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import type { Message, Received, Transport } from '../../src/core/transport.ts';
import type { WorkerOptions } from '../../src/runtime/event-bus.ts';
import type { Process } from '../../src/testing/simulation/process.ts';
import { QUEUE, queueBroker } from '../conformance/queue-transport.ts';
import { busCluster, type Subscriptions } from '../support/bus-cluster.ts';

/** Far longer than any of these tests: nothing is found by a tick, and nothing by a sweep but where one is asked for. */
const work = { leaseMs: 600_000, sweepMs: 3_600_000 } as const;
const operator = { by: 'ops', reason: 'a test' } as const;

interface Wires {
  /** What becomes of what is published; all of it goes on as it is by default. */
  readonly change?: (messages: readonly Message[]) => readonly Message[];
  readonly subscriptions?: Subscriptions;
  readonly shards?: number;
  readonly maxBodyBytes?: number;
}

/** Processes over one store and one broker, and what went over the wires and over the log. */
const shop = ({ change = (all) => all, subscriptions, shards = 1, maxBodyBytes = QUEUE.maxBodyBytes }: Wires = {}) => {
  const broker = queueBroker({ ...QUEUE, maxBodyBytes });
  const calls: string[] = [];
  const published: Message[] = [];
  const broken: { setup: Error | null } = { setup: null };
  const acked: string[] = [];
  const connections = new Map<string, Transport>();
  const connect = (process: Process): Transport => {
    const inner = broker.connect();
    connections.set(process.name, inner);
    const called = (what: string): void => void calls.push(`${process.name} ${what}`);
    return {
      ...inner,
      open(setup) {
        called(`open ${setup.subscriptions} of ${setup.shards}`);
        return broken.setup === null ? inner.open(setup) : Promise.reject(broken.setup);
      },
      async publish(messages) {
        called('publish');
        await inner.publish(change(messages));
        published.push(...messages);
      },
      async *receive(subscription, owned, signal) {
        called(`receive ${subscription} ${owned}`);
        for await (const batch of inner.receive(subscription, owned, signal)) {
          called(`pulled ${subscription}`);
          yield batch.map(
            ({ body, ack }): Received => ({
              body,
              ack() {
                acked.push(body);
                ack();
              },
            }),
          );
        }
      },
      async close() {
        called('close');
        await inner.close();
      },
    };
  };
  const cluster = busCluster(subscriptions ?? { mail: { handle: () => {} } }, { shards, connect });
  // One process that only relays and one that handles: what a process has read itself, nobody needs to carry to it.
  const relay = cluster.member('relay', {}, 'none');
  const worker = cluster.member('w', { asked: (name, given) => name === 'read' && calls.push(`w read above ${given[1]}`) });
  const told: string[] = [];
  relay.bus.on('transportAway', ({ error }) => void told.push(`away: ${error.message}`));
  relay.bus.on('transportBack', () => void told.push('back'));
  worker.bus.on('trouble', ({ error }) => void told.push(String((error as Error).message)));
  const begin = async (options: WorkerOptions = {}): Promise<void> => {
    for (const one of [relay, worker]) await one.work({ ...work, ...options });
    await cluster.system.advance(100);
  };
  /** The process dies, and the broker notices. */
  const die = async (process: Process): Promise<void> => {
    process.crash();
    await connections.get(process.name)?.close();
  };
  return {
    begin,
    broken,
    connections,
    die,
    relay,
    ...cluster,
    broker,
    calls,
    published,
    acked,
    worker,
    told,
    bodies: () => published.map(({ body }) => readCloudEvent(body).event),
  };
};

describe('a bus with a transport', () => {
  it('has its events carried to the workers, which read nothing from the log', async () => {
    const { system, publish, calls, starts, published, acked, begin } = shop();
    await begin();
    await system.advance(100);
    calls.length = 0;
    for (const name of ['a', 'b', 'c']) {
      await publish('s', name);
      await system.advance(100);
    }
    expect(starts).toEqual(['mail:a.0.1', 'mail:b.0.1', 'mail:c.0.1']);
    expect(calls).toEqual(['a', 'b', 'c'].flatMap(() => ['relay publish', 'w pulled mail']));
    expect(acked).toEqual(published.map(({ body }) => body));
  });

  it('publishes whole CloudEvents, those of a stream in order, each under its own id', async () => {
    const { system, publish, published, bodies, witness, begin } = shop({ shards: 4 });
    await begin();
    await Promise.all(['s', 't', 'u'].map((stream) => publish(stream, 'a', 'b', 'c')));
    await system.advance(1000);
    const inOrder = (events: readonly StoredEvent[]) => [...events].sort((a, b) => a.shard - b.shard || a.position - b.position);
    const { written } = witness;
    expect(inOrder(bodies())).toEqual(inOrder(written.map((event) => ({ ...event, writtenAt: undefined }) as StoredEvent)));
    for (const stream of ['s', 't', 'u'])
      expect(published.filter((message) => message.stream === stream).map(({ id }) => id)).toEqual([1, 2, 3].map((v) => `${stream}@${v}`));
    expect(JSON.parse(published[0]?.body ?? '')).toMatchObject({
      specversion: '1.0',
      source: expect.stringMatching(/^urn:orderfold:./),
      datacontenttype: 'application/json',
      time: expect.stringMatching(/Z$/),
    });
  });

  it('names its events after its store, whoever publishes them', async () => {
    const { system, publish, worker, member, published } = shop();
    const other = member('w2');
    await Promise.all([worker.work(work), other.work(work)]);
    await publish('s', 'a');
    await system.advance(1000);
    await system.run(worker.bus.stop());
    await system.advance(1000);
    await publish('s', 'b');
    await system.advance(5000);
    expect(published).toHaveLength(2);
    expect(new Set(published.map(({ body }) => readCloudEvent(body).source)).size).toBe(1);
  });

  it('R1 reads from the log what a broker lost, within the sweep', async () => {
    const { system, publish, starts, begin } = shop({ change: (all) => all.filter(({ body }) => !body.includes('"lost"')) });
    await begin({ sweepMs: 3000 });
    await system.advance(1000);
    await publish('s', 'lost');
    await system.advance(1800);
    expect(starts).toEqual([]);
    await system.advance(1100);
    expect(starts).toEqual(['mail:lost.0.1']);
  });

  it('R16 reads from the log what is missing before an event that came, at once, and runs them in order', async () => {
    const { system, publish, starts, begin } = shop({ change: (all) => all.filter(({ body }) => !body.includes('"lost"')) });
    await begin();
    await publish('s', 'a', 'lost', 'lost', 'b');
    await system.advance(100);
    expect(starts).toEqual(['mail:a.0.1', 'mail:lost.0.1', 'mail:lost.0.1', 'mail:b.0.1']);
  });

  it('R16 runs in order, and once, what comes twice and from back to front', async () => {
    const { system, publishMany, starts, begin } = shop({ change: (all) => [...all, ...[...all].reverse()] });
    await begin();
    await publishMany(40, 1);
    await system.advance(1000);
    expect(starts).toEqual(Array.from({ length: 40 }, (_, index) => `mail:e${index}.0.1`));
  });

  it('R28 goes on from the log while the broker is away, tells of it once, and publishes the rest when it is back', async () => {
    const { system, publish, worker, broker, starts, published, told, begin } = shop();
    await begin({ sweepMs: 3000 });
    await publish('s', 'a');
    await system.advance(100);
    await broker.outage(async () => {
      await publish('s', 'b', 'c');
      await publish('t', 'd');
      await system.advance(30_000);
      expect([...starts].sort()).toEqual(['mail:a.0.1', 'mail:b.0.1', 'mail:c.0.1', 'mail:d.0.1']);
      expect(told).toEqual(['away: the broker is away']);
      expect(published).toHaveLength(1);
    });
    await system.advance(3000);
    expect(told).toEqual(['away: the broker is away', 'back']);
    expect(published.map(({ id }) => id)).toEqual(['s@1', 's@2', 's@3', 't@1']);
    await publish('s', 'e');
    await system.advance(10_000);
    expect(starts).toHaveLength(5);
    expect((await worker.bus.counts()).subscriptions.relay).toEqual({ backlog: 0, scheduled: 0, dead: 0, retries: 0 });
  });

  it('starts and works while the broker is away from the beginning', async () => {
    const { system, publish, broker, starts, published, begin } = shop();
    await broker.outage(async () => {
      await begin({ sweepMs: 3000 });
      await publish('s', 'a');
      await system.advance(5000);
      expect(starts).toEqual(['mail:a.0.1']);
    });
    await system.advance(5000);
    expect(published).toHaveLength(1);
  });

  it('waits as well while the broker is set up in a way that breaks a promise, and makes no dead letter of anything', async () => {
    const { system, publishMany, begin, relay, starts, published, told, broken } = shop();
    broken.setup = new OrderfoldError('CONFIG', 'the queue was made with other options');
    await begin({ sweepMs: 3000 });
    await publishMany(20);
    await system.advance(60_000);
    expect(starts).toHaveLength(20);
    expect(told).toEqual(['away: the queue was made with other options']);
    expect((await relay.bus.deadLetters.list()).deadLetters).toEqual([]);
    expect((await relay.bus.counts()).subscriptions.relay).toMatchObject({ backlog: 20, scheduled: 0, dead: 0 });
    broken.setup = null;
    await system.advance(5000);
    expect(published).toHaveLength(20);
    expect(told.at(-1)).toBe('back');
  });

  it('makes no dead letter of anything when somebody else has closed its transport', async () => {
    const { system, publishMany, begin, relay, starts, connections } = shop();
    await begin({ sweepMs: 3000 });
    await connections.get('relay')?.close();
    await publishMany(20);
    await system.advance(60_000);
    expect(starts).toHaveLength(20);
    expect((await relay.bus.deadLetters.list()).deadLetters).toEqual([]);
    await system.run(relay.bus.close());
  });

  it('keeps no slot from the handlers while the relay waits for its broker', async () => {
    const { system, publishMany, worker, broker, starts } = shop({ shards: 4 });
    await broker.outage(async () => {
      await worker.work({ ...work, sweepMs: 3000, concurrency: 1 });
      await publishMany(40);
      await system.advance(20_000);
      expect(starts).toHaveLength(40);
    });
  });

  it('reads from the log what was published before there was anything to receive it', async () => {
    const { system, publish, relay, worker, starts, published, broken } = shop();
    await relay.work(work);
    await system.advance(100);
    broken.setup = new OrderfoldError('TRANSPORT', 'not yet');
    await worker.work(work);
    await system.advance(10_000);
    broken.setup = null;
    await publish('s', 'a', 'b');
    expect(published).toHaveLength(2);
    await system.advance(3000);
    expect(starts).toEqual(['mail:a.0.1', 'mail:b.0.1']);
  });

  it('needs the log for nothing that comes in one batch, from back to front', async () => {
    const { system, publishMany, begin, starts, calls } = shop({ change: (all) => [...all].reverse() });
    await begin();
    calls.length = 0;
    await publishMany(40, 1);
    await system.advance(1000);
    expect(starts).toEqual(Array.from({ length: 40 }, (_, index) => `mail:e${index}.0.1`));
    expect(calls.filter((call) => call.includes('read'))).toEqual([]);
  });

  it('suspects nothing of a relay that died: it publishes again, and writes nothing down', async () => {
    const { system, publishMany, begin, relay, member, broker, die, witness, published } = shop();
    await begin({ leaseMs: 1000 });
    await broker.outage(async () => {
      await publishMany(20);
      await system.advance(500);
      await die(relay);
    });
    await member('relay2', {}, 'none').work({ ...work, leaseMs: 1000 });
    await system.advance(5000);
    expect(published).toHaveLength(20);
    expect([...witness.parked.keys()].filter((id) => id.startsWith('relay'))).toEqual([]);
  });

  it('R25 stops while the broker is away, with nothing left behind, and another goes on', async () => {
    const { system, publish, relay, worker, member, broker, witness, published, begin } = shop();
    await begin();
    await broker.outage(async () => {
      await publish('s', 'a');
      await system.advance(2000);
      await system.run(relay.bus.close());
      await system.run(worker.bus.close());
      expect([...witness.owners()]).toEqual([]);
    });
    await member('w2').work(work);
    await system.advance(2000);
    expect(published).toHaveLength(1);
    expect(witness.parked.size).toBe(0);
  });

  it('does not touch the broker in a process that only publishes, but to let go of it', async () => {
    const { system, publish, member, calls } = shop();
    const api = member('front');
    await publish('s', 'a');
    await system.run(api.bus.publish({ stream: 's', type: 'Did', data: { name: 'b' } }));
    await system.run(api.bus.close());
    expect(calls).toEqual(['front close']);
  });

  it('relays what was written before any worker ran, from the first process on that had the transport', async () => {
    const { system, publish, starts, published, begin } = shop();
    await publish('s', 'a', 'b');
    await begin();
    await system.advance(1000);
    expect(published.map(({ id }) => id)).toEqual(['s@1', 's@2']);
    expect(starts).toEqual(['mail:a.0.1', 'mail:b.0.1']);
  });

  it('leaves alone what is of another store or of nobody, acks it and tells of each source once', async () => {
    const { system, publish, starts, acked, told, connectRaw, begin } = withRaw();
    await begin();
    await publish('s', 'a');
    await system.advance(100);
    const foreign = (position: number, source: string): Message => ({
      id: `x@${position}`,
      stream: 'x',
      shard: 0,
      type: 'Did',
      body: `{"specversion":"1.0","id":"x@1","source":"${source}","type":"Did","subject":"x","time":"2026-01-01T00:00:00.000Z","streamversion":1,"shard":0,"position":"${position}","schema":1,"datacontenttype":"application/json","data":{"name":"forged"}}`,
    });
    const junk = (body: string): Message => ({ ...foreign(2, ''), body });
    await connectRaw.publish([foreign(2, 'urn:orderfold:other'), foreign(3, 'urn:orderfold:other'), junk('{'), junk('null'), junk('')]);
    await system.advance(100);
    expect(starts).toEqual(['mail:a.0.1']);
    expect(acked).toHaveLength(6);
    expect(told).toEqual(['an event of another store came: urn:orderfold:other', 'the message is no event that orderfold published']);
    await publish('s', 'b');
    await system.advance(100);
    expect(starts).toEqual(['mail:a.0.1', 'mail:b.0.1']);
  });

  it('R17 makes a dead letter of what no broker takes, has its stream wait for other services alone, and redrives it', async () => {
    let isNarrow = true;
    const { system, publish, worker, starts, published, begin } = shop({
      change(all) {
        if (isNarrow && all.some(({ body }) => body.includes('xxx')))
          throw new OrderfoldError('TRANSPORT', 'too large', { retryable: false });
        return all;
      },
    });
    await begin({ sweepMs: 3000 });
    await publish('s', 'a', 'xxx', 'b');
    await publish('t', 'c');
    await system.advance(20_000);
    expect(published.map(({ id }) => id).sort()).toEqual(['s@1', 't@1']);
    expect([...starts].sort()).toEqual(['mail:a.0.1', 'mail:b.0.1', 'mail:c.0.1', 'mail:xxx.0.1']);
    const [letter] = (await worker.bus.deadLetters.list()).deadLetters;
    expect(letter).toMatchObject({ subscription: 'relay', type: 'Did', stream: 's' });
    isNarrow = false;
    await system.run(worker.bus.deadLetters.redrive({ ids: [letter?.id ?? ''] }, operator));
    await system.advance(5000);
    expect(published.filter(({ stream }) => stream === 's').map(({ id }) => id)).toEqual(['s@1', 's@2', 's@3']);
    expect(starts).toHaveLength(4);
  });

  it('R15 R17 holds the later events of a stream behind one that is retried or dead, as without', async () => {
    let broken = true;
    const { system, publish, worker, starts, begin } = shop({
      subscriptions: {
        mail: {
          handle({ data }) {
            if (broken && (data as { name: string }).name === 'b') throw new Error('no');
          },
          retry: RetryPolicy.fixed({ delayMs: 100 }).maxAttempts(2),
        },
        books: { handle: () => {} },
      },
    });
    await begin();
    await publish('s', 'a', 'b', 'c');
    await publish('t', 'd');
    await system.advance(5000);
    expect(starts.filter((start) => start.startsWith('mail'))).toEqual(['mail:a.0.1', 'mail:b.0.1', 'mail:d.0.1', 'mail:b.0.2']);
    broken = false;
    await system.run(worker.bus.deadLetters.redrive({ filter: {} }, operator));
    await system.advance(5000);
    expect(starts.filter((start) => start.startsWith('mail')).slice(4)).toEqual(['mail:b.1.1', 'mail:c.0.1']);
    expect(starts.filter((start) => start.startsWith('books'))).toHaveLength(4);
  });

  it('has a backlog of all shards on its way to the broker at once, however few handlers may run', async () => {
    const broker = queueBroker(QUEUE);
    const sent: number[] = [];
    const connect = (): Transport => ({
      ...broker.connect(),
      publish({ length }) {
        sent.push(length);
        return new Promise(() => {});
      },
    });
    const { system, publishMany, member } = busCluster({}, { shards: 8, connect });
    const relay = member('relay');
    await publishMany(1200, 200);
    await relay.work({ ...work, concurrency: 1 });
    await system.advance(100);
    expect(sent).toHaveLength(8);
    expect(sent.reduce((sum, length) => sum + length)).toBe(1200);
  });

  it('R27 pulls nothing it has no room for', async () => {
    const { system, publishMany, calls, starts, begin } = shop({
      subscriptions: { mail: { handle: (_, process) => process.sleep(1000), concurrency: 1 } },
    });
    await begin({ concurrency: 1 });
    await publishMany(5000);
    await system.advance(20_000);
    expect(starts.length).toBeGreaterThan(10);
    expect(calls.filter((call) => call === 'w pulled mail').length).toBeLessThan(4);
  });

  it('reads from the log what was carried to the owner of a lease before, and gets the rest itself', async () => {
    const { system, publish, worker, member, starts, begin, die } = shop({
      subscriptions: { mail: { handle: (_, process) => (process.name === 'w' ? new Promise(() => {}) : undefined) } },
    });
    await begin({ leaseMs: 1000 });
    await publish('s', 'a', 'b');
    await publish('t', 'c');
    await system.advance(500);
    expect(starts).toEqual(['mail:a.0.1', 'mail:c.0.1']);
    await die(worker);
    await member('w2').work({ ...work, leaseMs: 1000 });
    await system.advance(10_000);
    expect([...starts.slice(2)].sort()).toEqual(['mail:a.0.1', 'mail:b.0.1', 'mail:c.0.1']);
    await publish('s', 'd');
    await system.advance(100);
    expect(starts.at(-1)).toBe('mail:d.0.1');
  });

  it('has every worker receive for the shards it holds, and for no others', async () => {
    const { system, publishMany, member, calls, starts, begin } = shop({ shards: 4 });
    await begin({ leaseMs: 1000 });
    await system.advance(2000);
    const second = member('w2');
    await second.work({ ...work, leaseMs: 1000 });
    await system.advance(5000);
    const last = (name: string) => calls.findLast((call) => call.startsWith(`${name} receive`));
    const shards = ['w', 'w2'].map((name) => last(name)?.split(' ')[3]?.split(',') ?? []);
    expect(shards.map((some) => some.length)).toEqual([2, 2]);
    expect(shards.flat().sort()).toEqual(['0', '1', '2', '3']);
    await publishMany(40);
    await system.advance(1000);
    expect(starts).toHaveLength(40);
    await system.run(second.bus.stop());
    await system.advance(3000);
    expect(last('w')).toBe('w receive mail 0,1,2,3');
  });

  it('relays what a payload is made of, whether anybody can read it or not', async () => {
    const { system, bodies, member, begin } = shop();
    const api = member('raw');
    await system.run(api.bus.open());
    const texts = ['{"cut', '{"__proto__":{"a":1}}', '12345678901234567890', '"\\ud800"', '"\ud800"'];
    const events = texts.map((data) => ({ type: 'Did', schema: 7, data, time: system.now() }));
    await begin();
    await system.run(
      api.store.commit({ owner: 'o', id: '1', units: [{ appends: [{ stream: 's', expected: 'any', events }] }], progress: [] }),
    );
    await system.advance(5000);
    expect(bodies().map(({ data }) => data)).toEqual(texts);
    expect(bodies().every(({ schema }) => schema === 7)).toBe(true);
  });

  it('lets nobody subscribe under the name of the relay', () => {
    const { worker } = shop();
    expect(() => worker.bus.subscribe('relay', { on: { Did: () => {} } })).toThrow(/not 'timers' or 'relay'/);
  });
});

/** The same, with a way to the broker past every bus. */
const withRaw = () => {
  const made = shop();
  return { ...made, connectRaw: made.broker.connect() };
};
