import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Transport, transportSuite } from 'orderfold/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { collected, titlesOf } from '../conformance/collected.ts';
import { blocksOf, shownFile } from '../package/readme.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(path.join(root, 'examples/write-a-transport', file), 'utf8');
const guide = read('README.md');

interface Break {
  readonly does: string;
  readonly file: 'sqlite-transport.ts' | 'log-file.ts';
  readonly from: string;
  readonly to: string;
  /** The case that notices. */
  readonly red: string;
}

/** In the order of the guide's table. */
const BREAKS: readonly Break[] = [
  {
    does: 'acks that go nowhere',
    file: 'sqlite-transport.ts',
    from: 'acks.push([subscription, position]);',
    to: '',
    red: 'takes acks in any order and more than once',
  },
  {
    does: 'an ack on hand-out',
    file: 'sqlite-transport.ts',
    from: 'if (found.length > 0) yield',
    to: 'for (const { position } of found) acks.push([subscription, position]);\nif (found.length > 0) yield',
    red: 'delivers again what was not acked when the loop over it throws',
  },
  {
    does: 'an abort that is ignored',
    file: 'sqlite-transport.ts',
    from: '!signal.aborted && !isClosed',
    to: '!isClosed',
    red: 'ends without an error as soon as the signal aborts: amid a wait, amid a batch, and before the first pull',
  },
  {
    does: 'a pull in no order',
    file: 'log-file.ts',
    from: 'ORDER BY position LIMIT',
    to: 'ORDER BY body DESC LIMIT',
    red: 'delivers the messages of each stream in the order in which they were published',
  },
  {
    does: 'no look at the ids',
    file: 'log-file.ts',
    from: 'JSON.stringify(id)',
    to: 'crypto.randomUUID()',
    red: 'drops a message that is published again under its id',
  },
  {
    does: 'ids as SQLite keeps them',
    file: 'log-file.ts',
    from: 'JSON.stringify(id)',
    to: 'id',
    red: 'keeps streams, ids and types with the oddest names apart',
  },
  {
    does: 'a size in characters',
    file: 'sqlite-transport.ts',
    from: 'Buffer.byteLength(body)',
    to: 'body.length',
    red: 'refuses for good what is larger than maxBodyBytes before anything of that batch is out, and takes the others without it',
  },
  {
    does: 'a locked file taken for a broken one',
    file: 'sqlite-transport.ts',
    from: 'new Set([5, 6, 10, 13])',
    to: 'new Set([10, 13])',
    red: 'R28 fails with what is worth a retry while the broker is away, and goes on afterwards with nothing lost',
  },
  {
    does: 'a close that sends no acks',
    file: 'sqlite-transport.ts',
    from: 'async close() {\n      sendAcks();',
    to: 'async close() {',
    red: 'has told the broker of every ack when it is closed, and leaves the rest to others',
  },
];

/** A folder where `import 'orderfold/testing'` finds this working tree. */
const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'orderfold-transport-')));
mkdirSync(path.join(scratch, 'node_modules'));
symlinkSync(root, path.join(scratch, 'node_modules/orderfold'), 'junction');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

type Make = (options: { readonly path: string }) => Transport;

/** The adapter of the guide, with what `change` makes of its files. */
const adapter = async (change: (source: string, file: string) => string): Promise<Make> => {
  const folder = mkdtempSync(path.join(scratch, 'adapter-'));
  for (const file of ['sqlite-transport.ts', 'log-file.ts']) writeFileSync(path.join(folder, file), change(read(file), file));
  return (await import(pathToFileURL(path.join(folder, 'sqlite-transport.ts')).href)).sqliteTransport;
};

/** What becomes of the one case of this title. */
const outcomeOf = async (title: string, make: Make) => {
  const outcomes = await collected(
    (runner) =>
      transportSuite(runner, 'tried', async () => {
        const file = path.join(mkdtempSync(path.join(scratch, 'log-')), 'log.db');
        const opened: Transport[] = [];
        const another = async () => {
          const transport = make({ path: file });
          opened.push(transport);
          return transport;
        };
        const close = async () => void (await Promise.all(opened.map((one) => one.close())));
        const outage = async (during: () => Promise<void>) => {
          const other = new DatabaseSync(file);
          other.exec('BEGIN IMMEDIATE');
          await during().finally(() => other.close());
        };
        return { transport: await another(), another, restart: () => close().then(another), outage, patienceMs: 2000, close };
      }),
    (name) => name.endsWith(` > ${title}`),
  );
  return { passed: titlesOf(outcomes, 'passed').length, failed: titlesOf(outcomes, 'failed').length };
};

describe('the transport of the guide', () => {
  it.each(BREAKS)('with $does fails the case of which the guide tells, and passes it without', async ({ file, from, to, red }) => {
    const broken = await adapter((source, name) => {
      if (name !== file) return source;
      expect(source.split(from)).toHaveLength(2);
      return source.replace(from, () => to);
    });
    expect(await outcomeOf(red, broken)).toEqual({ passed: 0, failed: 1 });
    const whole = await adapter((source) => source);
    expect(await outcomeOf(red, whole)).toEqual({ passed: 1, failed: 0 });
  });

  it('is broken in the guide in these ways and no others', () => {
    const rows = BREAKS.map(({ does, red }) => `| ${does} | ${red} |`);
    expect(guide).toContain(`| --- | --- |\n${rows.join('\n')}\n\n`);
  });

  it('is shown as it is, with no line left out', () => {
    const parts = blocksOf(guide).filter((block) => shownFile(block) !== undefined);
    for (const block of parts) expect(read(shownFile(block) ?? '')).toContain(block.text);
    const shown = parts.filter((block) => shownFile(block) === 'sqlite-transport.ts').map(({ text }) => text);
    const lines = (text: string) => text.split('\n').filter((line) => line !== '');
    expect(shown.flatMap(lines)).toEqual(lines(read('sqlite-transport.ts')));
  });
});
