import { right } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import type { CloudEvent } from '../../src/core/cloud-event.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { createCluster } from '../../src/testing/simulation/cluster.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

type Events = { ParcelSent: { readonly trackingId: string } };

const message = (id: string, more: Partial<CloudEvent> = {}): CloudEvent => ({
  specversion: '1.0',
  id,
  source: '/shipping',
  type: 'com.example.sent',
  subject: 'o-1',
  data: { trackingId: `T-${id}` },
  ...more,
});

const shop = () => {
  const system = virtualSystem();
  const store = createMemoryStore(system, 4);
  const cluster = createCluster(system, store);
  const member = (name: string, options?: Parameters<typeof cluster.process>[1]) => {
    const process = cluster.process(name, options);
    const bus = createEventBus<Events>(process.system, { store: process.store });
    const inbox = bus.inbox('shipping', {
      on: {
        'com.example.sent': ({ subject = '', data }) => ({ stream: subject, type: 'ParcelSent', data: data as Events['ParcelSent'] }),
        'com.example.odd': () => ({ stream: '', type: 'ParcelSent', data: { trackingId: '' } }),
        'com.example.first': ({ subject = '' }) => ({ stream: subject, type: 'ParcelSent', data: { trackingId: '' }, expected: 'none' }),
      },
    });
    return { process, bus, take: (given: string | CloudEvent) => system.run(inbox.take(given)) };
  };
  return { system, cluster, member };
};

describe('an inbox', () => {
  it('makes an event of a message, durable when it says so, and knows what it came of', async () => {
    const { system, member } = shop();
    const { bus, take } = member('a');
    expect(await take(message('m1'))).toBe(true);
    expect(await take(JSON.stringify(message('m2')))).toBe(true);
    const events = await system.run(bus.events('o-1'));
    expect(events.map(({ type, data, cause }) => [type, data, cause])).toEqual([
      ['ParcelSent', { trackingId: 'T-m1' }, 'm1'],
      ['ParcelSent', { trackingId: 'T-m2' }, 'm2'],
    ]);
  });

  it('goes on with the trace of a message, and with none of what is no trace', async () => {
    const { system, member } = shop();
    const { bus, take } = member('a');
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await take(message('m1', { traceparent }));
    await take(message('m2', { traceparent: '00-0' }));
    expect((await system.run(bus.events('o-1'))).map((event) => event.traceparent)).toEqual([traceparent, undefined]);
  });

  it('takes a message once, however often it comes, at once and to several processes', async () => {
    const { system, member } = shop();
    const [one, other] = [member('a'), member('b')];
    const all = Array.from({ length: 20 }, (_, index) => [one, other][index % 2]?.take(message(`m${index % 4}`)));
    expect(new Set(await Promise.all(all))).toEqual(new Set([true]));
    expect(await one.take(message('m0', { data: { trackingId: 'otherwise' } }))).toBe(true);
    expect((await system.run(one.bus.events('o-1'))).map(({ cause }) => cause).sort()).toEqual(['m0', 'm1', 'm2', 'm3']);
  });

  it('tells messages of one id apart by their source, and inboxes by their name', async () => {
    const { system, member } = shop();
    const { bus, take } = member('a');
    await take(message('m1'));
    await take(message('m1', { source: '/other' }));
    await take(message('1', { source: '/a/m' }));
    await take(message('m/1', { source: '/a' }));
    const second = bus.inbox('returns', {
      on: { 'com.example.sent': () => ({ stream: 'o-1', type: 'ParcelSent', data: { trackingId: '' } }) },
    });
    await system.run(second.take(message('m1')));
    expect(await system.run(bus.events('o-1'))).toHaveLength(5);
  });

  it.each([1, 2, 3, 4])('takes it once though the reply of the %i. commit is lost, or its process dies there', async (nth) => {
    for (const kind of ['rejectAfter', 'rejectBefore', 'crashAfter', 'crashBefore'] as const) {
      const { system, member } = shop();
      const { process, take } = member('a', { faults: [{ of: 'commit', nth, kind }], died: () => {} });
      for (let index = 0; index < 5 && process.alive; index += 1)
        await Promise.race([take(message(`m${index}`)).catch(() => {}), system.advance(5000)]);
      const again = member('b');
      for (let index = 0; index < 5; index += 1) expect(await again.take(message(`m${index}`))).toBe(true);
      const causes = (await system.run(again.bus.events('o-1'))).map(({ cause }) => cause);
      expect(causes.sort()).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
    }
  });

  it('is not kept from a message by a client who has guessed how it is remembered', async () => {
    const { system, member } = shop();
    const { bus, take } = member('a');
    const key = 'inbox/shipping/%2Fshipping/m1';
    const data = { trackingId: 'forged' };
    const claim = { key: { key, fingerprint: '', stream: 'other' } };
    await system.run(bus.execute('other', () => right([{ type: 'ParcelSent', data }]), claim));
    expect(await take(message('m1'))).toBe(true);
    expect(await system.run(bus.events('o-1'))).toHaveLength(1);
  });

  it('says false of what nothing wants, whatever its type is called', async () => {
    const { member } = shop();
    const { take } = member('a');
    for (const type of ['com.example.lost', '__proto__', 'constructor', 'toString'])
      expect(await take(message('m1', { type }))).toBe(false);
  });

  it('refuses for good what is no CloudEvent', async () => {
    const { member } = shop();
    const { take } = member('a');
    const { id: _, ...without } = message('m1');
    const odd = [
      '',
      '{',
      'null',
      '7',
      '[]',
      { ...message('m1'), id: 7 },
      without,
      message(''),
      message('m1', { source: '' }),
      message('x'.repeat(1001)),
      message('\ud800'),
    ];
    for (const one of [...odd, { ...message('m1'), specversion: '0.3' }, null, undefined])
      await expect(take(one as never)).rejects.toMatchObject({ code: 'UNDECODABLE', retryable: false });
  });

  it('refuses an event that can be none, and one that is expected elsewhere, and forgets the message', async () => {
    const { system, member } = shop();
    const { bus, take } = member('a');
    await expect(take(message('m1', { type: 'com.example.odd' }))).rejects.toMatchObject({ code: 'CONFIG' });
    expect(await take(message('m2', { type: 'com.example.first' }))).toBe(true);
    await expect(take(message('m3', { type: 'com.example.first' }))).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
    expect(await take(message('m3'))).toBe(true);
    expect(await system.run(bus.events('o-1'))).toHaveLength(2);
  });

  it('is checked when it is made', () => {
    const { member } = shop();
    const { bus } = member('a');
    expect(() => bus.inbox('', { on: {} })).toThrow(/expected a subscription's name/);
    expect(() => bus.inbox('shipping', {} as never)).toThrow(/inbox\('shipping'\): expected on to be an object of functions by type/);
  });
});
