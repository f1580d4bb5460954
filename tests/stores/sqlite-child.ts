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
  /** Once it is told to, commits so many megabytes. */
  async fill() {
    const store = createSqliteStore({ path }, system);
    await store.open();
    say('open');
    await once(process.stdin, 'data');
    process.stdin.destroy();
    const data = JSON.stringify('x'.repeat(2 ** 16));
    for (let i = 0; i < Number(howMany); i += 1) {
      const units = Array.from({ length: 16 }, (_, unit) => ({
        appends: [{ stream: `${name} ${unit}`, expected: 'any' as const, events: [{ type: 'Happened', schema: 1, data, time: 0 }] }],
      }));
      await store.commit({ owner: name, id: String(i), units, progress: [] });
    }
    say('filled');
    await store.close();
  },
  /** Reads the ends of all shards over and over until it is killed. */
  async follow() {
    const store = createSqliteStore({ path }, system);
    await store.open();
    say('open');
    for (;;) {
      for (const [shard, head] of (await store.heads()).entries()) await store.read(shard, Math.max(0, head - 8), 8);
      await new Promise(setImmediate);
    }
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
