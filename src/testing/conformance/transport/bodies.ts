import assert from 'node:assert/strict';
import { bodiesOf, firstArrivals, message, opened, puller, type TransportCase } from './subject.ts';

const LARGE_BYTES = 10 * 1024 * 1024;

const BODIES = [
  ['NUL', '{"a":"b\0c"}'],
  ['escaped half of a surrogate pair', '{"a":"\\ud800"}'],
  ['text that reads backwards', '{"a":"\u202egnirts \u2066"}'],
  ['__proto__', '{"__proto__":{"isAdmin":true}}'],
  ['all planes', 'aé€😀\u{10FFFF}\ufeff\ufffd'],
  ['line ends and quotes', '\r\n\n"\\\'`\u2028'],
  ['no JSON at all', '{"cut'],
  ['nothing', ''],
] as const;

/** Texts that end up in names of queues, subjects and keys. */
const ODD_NAMES = [
  '__proto__',
  'a.b',
  'a.b.*',
  'a.>',
  '#',
  'a/b',
  ' ',
  "it's %_\\",
  'a\0b',
  'half \ud83d',
  'half \ud83e',
  '😀',
  'x'.repeat(10_000),
];

export const bodyCases = (test: TransportCase): void => {
  for (const [what, body] of BODIES) {
    test(`delivers the exact text of a body: ${what}`, async (subject) => {
      const transport = await opened(subject.transport);
      await transport.publish([message('a', 1, body), message('a', 2)]);
      assert.deepEqual(firstArrivals(await puller(subject).until([body, 'a at 2'])), [body, 'a at 2']);
    });
  }

  test('carries a body as large as it says it does, and of 10 MB if it can', async (subject) => {
    const transport = await opened(subject.transport);
    const bytes = Math.min(LARGE_BYTES, transport.capabilities.maxBodyBytes);
    assert.ok(bytes >= 64 * 1024, `a transport has to carry at least 64 KiB, this one says ${bytes} bytes`);
    const body = `${'😀'.repeat(Math.floor(bytes / 4) - 1)}${'x'.repeat((bytes % 4) + 4)}`;
    await transport.publish([message('a', 1), message('a', 2, body), message('a', 3)]);
    const came = firstArrivals(await puller(subject).until(['a at 1', body, 'a at 3']));
    assert.ok(came.length === 3 && came[1] === body, 'the body came otherwise than it was sent');
  });

  test('keeps streams, ids and types with the oddest names apart', async (subject) => {
    const transport = await opened(subject.transport);
    const sent = [1, 2, 3].flatMap((version) =>
      ODD_NAMES.map((name, index) => ({ ...message(name, version, `${index} at ${version}`), type: name })),
    );
    await transport.publish(sent);
    const came = firstArrivals(await puller(subject).until(bodiesOf(sent)));
    for (const index of ODD_NAMES.keys()) {
      assert.deepEqual(
        came.filter((body) => body.startsWith(`${index} at`)),
        [1, 2, 3].map((version) => `${index} at ${version}`),
      );
    }
  });
};
