import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { isOpen, type ParkedState } from '../../src/core/records.ts';
import { SHARD_HASH } from '../../src/core/shard.ts';
import { hasWalResetFault } from '../../src/stores/sqlite/node-sqlite.ts';
import { APPLICATION_ID, MIGRATIONS } from '../../src/stores/sqlite/schema.ts';
import { createSqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';
import { system } from '../../src/system.ts';
import { append, mustCommit } from '../../src/testing/conformance/store/subject.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { openStore, rawDatabase, startChild, temporaryFile } from './sqlite-files.ts';

/** The fault `open` is refused with. */
const refusal = async (path: string, more?: Parameters<typeof openStore>[1]) => {
  const error: unknown = await openStore(path, more).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'OrderfoldError', code: 'CONFIG', retryable: false });
  return (error as Error).message;
};

describe('opening a SQLite file', () => {
  it('makes the file and its folders, and finds everything again', async () => {
    const path = join(dirname(await temporaryFile()), 'a', "b's %20", 'orders.db');
    const store = await openStore(path, { shards: 3 });
    expect(store.shards).toBe(3);
    await store.open();
    await mustCommit(store, [{ appends: [append('a', 'none', 2)] }]);
    await store.close();
    const again = await openStore(path);
    expect(again.shards).toBe(3);
    expect(await again.events('a', 0, 10)).toHaveLength(2);
  });

  it('is watched like any other after a watch that came too early was refused', async () => {
    const path = await temporaryFile();
    const other = await openStore(path);
    const store = createSqliteStore({ path }, system);
    expect(() => store.watch(() => {})).toThrow(/closed, or was never opened/);
    await store.open();
    const heard = new Promise<void>((resolve) => void store.watch(resolve));
    await mustCommit(other, [{ appends: [append('a', 'none')] }]);
    await heard;
    await store.close();
  });

  it('takes an empty file for a new one', async () => {
    const path = await temporaryFile();
    await writeFile(path, '');
    expect((await openStore(path)).shards).toBe(16);
  });

  it('refuses another number of shards than the file was created with', async () => {
    const path = await temporaryFile();
    await (await openStore(path, { shards: 4 })).close();
    expect(await refusal(path, { shards: 5 })).toBe(
      `${path} was created with 4 shards, which never changes: leave \`shards\` out or set it to 4`,
    );
    expect((await openStore(path, { shards: 4 })).shards).toBe(4);
  });

  it('refuses a file whose streams are spread by another hash', async () => {
    const path = await temporaryFile();
    await (await openStore(path)).close();
    rawDatabase(path).exec("UPDATE meta SET hash = 'other'");
    expect(await refusal(path)).toContain(`other, this orderfold by ${SHARD_HASH}`);
  });

  it('refuses the file of a newer orderfold, says what to do, and leaves it as it was', async () => {
    const path = await temporaryFile();
    await (await openStore(path)).close();
    const db = rawDatabase(path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    const before = await readFile(path);
    expect(await refusal(path)).toBe(`${path} was written by a newer orderfold (schema 99, this one knows 3): upgrade orderfold here`);
    expect(await readFile(path)).toEqual(before);
  });

  it('brings a file of the first schema up to date and keeps its rows, with those closed before dated now', async () => {
    const path = await temporaryFile();
    const db = rawDatabase(path);
    db.exec('PRAGMA journal_mode = WAL');
    db.exec(MIGRATIONS[0]?.(0) ?? '');
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1; INSERT INTO meta VALUES (4, '${SHARD_HASH}', 0);`);
    db.exec("INSERT INTO subscriptions VALUES ('mail', 1, 1, 7)");
    for (let shard = 0; shard < 4; shard += 1)
      db.exec(`INSERT INTO checkpoints (subscription, shard, low, done, start_mark) VALUES ('mail', ${shard}, 5, '[[7,8]]', 9)`);
    const states: readonly ParkedState[] = ['scheduled', 'dead', 'done', 'discarded', 'superseded'];
    const columns =
      'id, kind, subscription, shard, stream, version, position, type, state, due_at, attempts, generation, started_at, lost_starts, holds, cause, dead_at, detail, revision, in_way, runs';
    for (const [index, state] of states.entries()) {
      const deadAt = state === 'dead' ? 40 : 'NULL';
      db.exec(
        `INSERT INTO parked (${columns}) VALUES ('mail:${state}@1', 'delivery', 'mail', 0, '${state}', 1, ${index}, 'T', '${state}', 3, 2, 1, NULL, 0, 1, 'c', ${deadAt}, '{"kept":1}', 6, ${isOpen(state) ? 1 : 0}, ${state === 'scheduled' ? 1 : 0})`,
      );
    }
    db.close();

    const clock = virtualSystem();
    const store = await openStore(path, { system: clock });
    const openedAt = clock.now();
    expect(store.shards).toBe(4);
    for (const state of states) {
      const kept = { state, detail: '{"kept":1}', revision: 6, attempts: 2, closedAt: isOpen(state) ? null : openedAt };
      expect((await store.parked(`mail:${state}@1`))?.parked).toMatchObject(kept);
    }
    expect(await store.causes({})).toEqual([{ cause: 'c', letters: 1, firstDeadAt: 40, lastDeadAt: 40, latest: 'mail:dead@1' }]);
    expect((await store.counts()).subscriptions).toMatchObject({ mail: { scheduled: 1, dead: 1, retries: 7 } });
    await clock.advance(1000);
    expect(await store.prune(1000, 10)).toBe(0);
    expect(await store.prune(999, 10)).toBe(3);
    const put = { collection: 'mail', key: 'k', value: 'v', expect: 'absent' } as const;
    await mustCommit(store, [{ documents: [put], pause: [{ of: 'stream', name: 's', by: 'b', reason: 'r' }] }]);
    await store.close();
    const again = await openStore(path, { system: clock });
    expect(await again.documents('mail', ['k'])).toEqual([{ key: 'k', value: 'v', revision: 1 }]);
    expect(await again.parkedOf('done', 'all')).toEqual([]);
    expect(await again.parkedOf('dead', 'all')).toHaveLength(1);
  });

  it("refuses another program's SQLite file and leaves it as it was", async () => {
    const path = await temporaryFile();
    const db = rawDatabase(path);
    db.exec('CREATE TABLE notes (text)');
    db.close();
    const before = await readFile(path);
    expect(await refusal(path)).toBe(`${path} is the SQLite file of another program: name another path`);
    expect(await readFile(path)).toEqual(before);
  });

  it('refuses what is no SQLite file, and one that is damaged', async () => {
    const text = await temporaryFile('notes.txt');
    await writeFile(text, 'Dear diary, '.repeat(1000));
    expect(await refusal(text)).toMatch(/notes\.txt: .*; this is no SQLite file, so name another path/);
    expect(await readFile(text, 'utf8')).toBe('Dear diary, '.repeat(1000));

    const path = await temporaryFile();
    await (await openStore(path)).close();
    const bytes = await readFile(path);
    await writeFile(path, bytes.fill(0x5a, 100, 4000));
    expect(await refusal(path)).toMatch(/orders\.db: .*; the file is damaged, so restore it/);
  });

  it('refuses a file it may not write, a folder, and a path below a file', async () => {
    const path = await temporaryFile();
    await (await openStore(path)).close();
    expect(await refusal(`file:${path}?mode=ro`)).toContain('give this user the right to write the file and its folder');
    expect(await refusal(dirname(path))).toContain('make sure that its folder can be made or exists');
    expect(await refusal(join(path, 'orders.db'))).toContain('make sure that its folder can be made or exists');
  });

  it('refuses a place that has no write-ahead log, such as memory', async () => {
    expect(await refusal(':memory:')).toContain('use memoryStore');
  });

  it('refuses options it does not know or that are out of range, by name', () => {
    const make = (options: object) => () => createSqliteStore(options as { path: string }, system);
    expect(make({})).toThrow(/sqliteStore: expected path to be a text/);
    expect(make({ path: 'a', shards: 0 })).toThrow(/expected shards to be a whole number of at least 1/);
    expect(make({ path: 'a', shard: 3 })).toThrow(/expected only the options path, shards, got "shard"/);
  });

  it('says which Node to install where node:sqlite is missing', async () => {
    const spy = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    try {
      expect(await refusal(await temporaryFile())).toBe(
        `sqliteStore needs node:sqlite, which ${process.version} does not have: install Node 22.23.3, 24.21, 26.10 or later`,
      );
    } finally {
      spy.mockRestore();
    }
  });

  it('answers CLOSED before it was opened and after it was closed', async () => {
    const store = createSqliteStore({ path: await temporaryFile() }, system);
    await expect(store.heads()).rejects.toMatchObject({ code: 'CLOSED' });
    await store.open();
    await store.close();
    await expect(store.heads()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(store.open()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('opens later what could not be opened at first', async () => {
    const path = await temporaryFile();
    await writeFile(path, 'Dear diary, '.repeat(1000));
    const store = createSqliteStore({ path }, system);
    await expect(store.open()).rejects.toMatchObject({ code: 'CONFIG' });
    await writeFile(path, '');
    await store.open();
    await store.close();
  });
});

describe('a SQLite whose write-ahead log is not safe for two', () => {
  it('is one of 3.7.0 to 3.51.2, but for the branches that got the fix', () => {
    for (const version of ['3.7.0', '3.44.5', '3.46.1', '3.50.4', '3.50.6', '3.51.0', '3.51.2'])
      expect(hasWalResetFault(version), version).toBe(true);
    for (const version of ['3.44.6', '3.50.7', '3.51.3', '3.51.10', '3.52.0', '3.53.4', '3.100.0', '4.0.0'])
      expect(hasWalResetFault(version), version).toBe(false);
    expect(hasWalResetFault(process.versions.sqlite ?? '')).toBe(false);
  });

  it.each([
    ['3.51.2', '3.51.2'],
    ['3.51.2', undefined],
  ])('refuses a second process (SQLite %s beside %s), and lets the next one in after a crash of the first', async (mine, theirs) => {
    const path = await temporaryFile();
    const first = startChild('open', path, '', '0', ...(theirs === undefined ? [] : [theirs]));
    await first.line('open');
    const clock = virtualSystem();
    const refused = clock.run(refusal(path, { system: clock, version: mine }));
    expect(await refused).toContain(`${path} is open elsewhere, and SQLite 3.51.2 (process.versions.sqlite, Node ${process.version})`);
    expect(await refused).toContain('install Node 22.23.3, 24.21, 26.10 or later for all of them');
    first.process.kill('SIGKILL');
    await first.ended;
    const store = await openStore(path, { version: mine });
    await mustCommit(store, [{ appends: [append('a', 'none')] }]);
    expect(await store.events('a', 0, 10)).toHaveLength(1);
  });
});
