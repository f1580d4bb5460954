import { appendFileSync, watch, writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createChanges } from '../../src/stores/sqlite/changes.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { temporaryFile } from './sqlite-files.ts';

describe('what other connections commit', () => {
  it('is noticed within 5 ms of being visible, however long after the write a slow disk makes it so', async () => {
    const path = await temporaryFile();
    writeFileSync(`${path}-wal`, '');
    const system = virtualSystem();
    let version = 1;
    let heard = 0;
    const changes = createChanges(path, system, () => version);
    changes.watch(() => {
      heard += 1;
    });
    await system.advance(1000);
    const told = new Promise<void>((resolve) => {
      const own = watch(`${path}-wal`, () => {
        own.close();
        resolve();
      });
    });
    appendFileSync(`${path}-wal`, 'x');
    await told;
    await turn();
    await system.advance(60);
    expect(heard).toBe(0);
    version = 2;
    await system.advance(5);
    expect(heard).toBe(1);
    changes.close();
  });
});
