import { existsSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'vitest';
import { createSqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';
import { system } from '../../src/system.ts';
import { run } from '../package/process.ts';
import { startChild } from './child.ts';
import { openWorkplace } from './workplace.ts';

const ours = async (file: string, change: (db: DatabaseSync) => void): Promise<void> => {
  const store = createSqliteStore({ path: file }, system);
  await store.open();
  await store.close();
  const db = new DatabaseSync(file);
  change(db);
  db.close();
};

const scribble = async (file: string): Promise<void> => {
  const handle = await open(file, 'r+');
  // All of the first page behind the file's own header, wherever in it the schema lies.
  await handle.write(Buffer.alloc(3996, 0x5a), 0, undefined, 100);
  await handle.close();
};

interface Unusable {
  readonly what: string;
  readonly make: (file: string) => Promise<void>;
  readonly remedy: RegExp;
}

const UNUSABLE: readonly Unusable[] = [
  {
    what: 'is no database',
    make: (file) => writeFile(file, 'Dear diary, '.repeat(1000)),
    remedy: /this is no SQLite file, so name another path/,
  },
  {
    what: 'belongs to another program',
    make: async (file) => {
      const db = new DatabaseSync(file);
      db.exec('CREATE TABLE notes (text)');
      db.close();
    },
    remedy: /is the SQLite file of another program: name another path/,
  },
  {
    what: 'was written by a newer orderfold',
    make: (file) => ours(file, (db) => db.exec('PRAGMA user_version = 99')),
    remedy: /was written by a newer orderfold \(schema 99, this one knows \d+\): upgrade orderfold here/,
  },
  {
    what: 'is damaged',
    make: async (file) => {
      await ours(file, () => undefined);
      await scribble(file);
    },
    remedy: /the file is damaged, so restore it from a backup/,
  },
];

describe('a start that can not succeed', () => {
  it.concurrent.for(UNUSABLE)(
    'ends producer and worker with 1 and says which file and what to do, when it $what',
    { timeout: 30_000 },
    async ({ make, remedy }, { expect, onTestFinished }) => {
      const { database } = await openWorkplace(onTestFinished);
      await make(database);
      for (const file of ['api.mjs', 'worker.mjs']) {
        const child = startChild({ name: file, file: `examples/${file}`, env: { DATABASE_URL: `sqlite:${database}`, PORT: '0' } });
        expect(await child.ended, child.log.join('\n')).toBe(1);
        expect(child.log).toHaveLength(1);
        expect(child.log[0]).toContain(`DATABASE_URL: ${database}`);
        expect(child.log[0]).toMatch(remedy);
      }
    },
  );

  it.concurrent('says on a Node that is too old which one to install', { timeout: 30_000 }, async ({ expect, skip }) => {
    const node = ['/usr/bin/node', '/usr/local/bin/node'].find((found) => existsSync(found));
    const version = node === undefined ? undefined : (await run(['-p', 'process.versions.node'], { cwd: '/', node })).stdout.trim();
    if (node === undefined || version === undefined || Number(version.split('.')[0]) >= 22) return skip('there is no older Node here');
    for (const file of ['api.mjs', 'worker.mjs', 'start.mjs', 'demo.mjs']) {
      const child = startChild({
        name: file,
        file: `examples/${file}`,
        node,
        env: { DATABASE_URL: 'sqlite:/nowhere/orders.db', PORT: '0' },
      });
      expect(await child.ended, child.log.join('\n')).toBe(1);
      expect(child.log[0]).toContain(`This is Node ${version}.`);
      expect(child.log.join('\n')).toMatch(/need Node 22\.18, 24\.11, 26 or newer.*npm rebuild node/s);
      expect(child.log).toHaveLength(2);
    }
  });
});
