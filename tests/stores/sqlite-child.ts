import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Append } from '../../src/core/store.ts';
import { createSqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';
import { system } from '../../src/system.ts';

/** What another process does with the file; the first argument says which, the second names the file. */
const [role, path = '', name = '', howMany = '0', version] = process.argv.slice(2);

const one = (stream: string): Append => ({ stream, expected: 'any', events: [{ type: 'Happened', schema: 1, data: '{}', time: 0 }] });

const say = (line: string) => process.stdout.write(`${line}\n`);

const roles: Record<string, () => Promise<void>> = {
  /** Once it is told to, commits batches of eight pairs until it is killed or has done enough, and says so after each. */
  async commit() {
    const store = createSqliteStore({ path }, system);
    await store.open();
    say('open');
    await once(process.stdin, 'data');
    process.stdin.destroy();
    for (let i = 0; i < Number(howMany); i += 1) {
      const units = Array.from({ length: 8 }, (_, unit) => ({
        appends: [one(`${name} left ${i} ${unit}`), one(`${name} right ${i} ${unit}`)],
      }));
      await store.commit({ owner: name, id: String(i), units, progress: [] });
      say(`committed ${i}`);
      if (i % 4 === 0) await new Promise(setImmediate);
    }
    await store.close();
  },
  /** Has the file open until it is killed. */
  async open() {
    const store = createSqliteStore({ path }, system, version);
    await store.open();
    say('open');
    await sleep(60_000);
  },
  /** Holds the write lock for so many milliseconds. */
  async lock() {
    const db = new DatabaseSync(path);
    db.exec('BEGIN IMMEDIATE');
    say('locked');
    await sleep(Number(howMany));
    db.exec('COMMIT');
    say('unlocked');
    db.close();
  },
};

await roles[role ?? '']?.();
