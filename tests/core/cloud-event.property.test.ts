import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cloudEventText, readCloudEvent } from '../../src/core/cloud-event.ts';
import type { StoredEvent } from '../../src/core/records.ts';

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(',"data":', '"', '\\', '\0', '\ufeff', '__proto__', 'a"},"data":{'));
const any = fc.oneof(
  text,
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc.json().map((json) => ` ${json}\n`),
  fc.constantFrom('"\ud800"', '', '{"cut', '}'),
);
const count = fc.oneof(fc.nat(10), fc.maxSafeNat());
const event: fc.Arbitrary<StoredEvent> = fc.record(
  {
    stream: text,
    version: count,
    shard: fc.nat(1023),
    position: count,
    type: text,
    schema: count,
    time: fc.integer({ min: 0, max: Date.UTC(9999, 0, 1) }),
    data: any,
    cause: text,
    traceparent: fc.constant('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
  },
  { requiredKeys: ['stream', 'version', 'shard', 'position', 'type', 'schema', 'time', 'data'] },
);

describe('an event as a CloudEvent', () => {
  it('comes back exactly as it was stored, whatever is in it', () => {
    fc.assert(
      fc.property(event, text, (stored, source) => {
        expect(readCloudEvent(cloudEventText(stored, source))).toEqual({ source, event: stored });
      }),
      { numRuns: 2000 },
    );
  });

  it('is JSON that every consumer reads, with the payload as JSON wherever it is, and well-formed text', () => {
    fc.assert(
      fc.property(event, (stored) => {
        const body = cloudEventText(stored, 'urn:orderfold:1');
        expect(body).not.toMatch(/\p{Surrogate}/u);
        const { data, ...attributes } = JSON.parse(body);
        expect(attributes).toMatchObject({
          specversion: '1.0',
          id: `${stored.stream}@${stored.version}`,
          source: 'urn:orderfold:1',
          type: stored.type,
          subject: stored.stream,
          streamversion: stored.version,
          position: String(stored.position),
        });
        expect(Date.parse(attributes.time)).toBe(stored.time);
        // Names of attributes are lower-case letters and digits, and values no lists or objects.
        for (const [name, value] of Object.entries(attributes)) {
          expect(name).toMatch(/^[a-z0-9]{1,20}$/);
          expect(['string', 'number']).toContain(typeof value);
        }
        if (attributes.datacontenttype === 'text/plain') expect(data).toBe(stored.data);
        else expect(data).toEqual(JSON.parse(stored.data));
      }),
      { numRuns: 1000 },
    );
  });

  it('is not taken from anything else', () => {
    const whole = cloudEventText({ stream: 's', version: 1, shard: 0, position: 1, type: 'T', schema: 1, time: 1, data: '{}' }, 'urn:x');
    const { specversion: _, ...without } = JSON.parse(whole);
    const broken = [
      '',
      'null',
      '[]',
      '{}',
      'x'.repeat(1000),
      whole.slice(0, -1),
      whole.slice(1),
      JSON.stringify(without),
      whole.replace('"streamversion":1', '"streamversion":"1"'),
      whole.replace('"shard":0', '"shard":-1'),
      whole.replace('"position":"1"', '"position":"1.5"'),
      whole.replace('"schema":1', '"schema":null'),
      whole.replace(/"time":"[^"]*"/, '"time":"soon"'),
      whole.replace('"subject":"s"', '"subject":7'),
      whole.replace('"specversion":"1.0"', '"specversion":"0.3"'),
      whole.replace('"id":', '"cause":{},"id":'),
    ];
    for (const body of broken)
      expect(() => readCloudEvent(body), body).toThrow(expect.objectContaining({ code: 'UNDECODABLE', retryable: false }));
  });
});
