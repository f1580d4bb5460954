import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import type { Runner } from '../../src/testing/conformance/runner.ts';
import { type StoreGaps, storeSuite, writeOlderData } from '../../src/testing/conformance/store-suite.ts';
import { type VirtualSystem, virtualSystem } from '../../src/testing/virtual-system.ts';
import { BROKEN_COMMITS } from './broken-commits.ts';
import { BROKEN_STORES } from './broken-stores.ts';
import { collected, titlesOf } from './collected.ts';

/** A memory store that stands in for a shared and lasting one: the data of all its handles, before and after a restart, are one. */
const suiteOver =
  (make: (system: VirtualSystem) => Store = createMemoryStore, restarted: (store: Store) => Store = (store) => store, gaps?: StoreGaps) =>
  (runner: Runner): void =>
    storeSuite(
      runner,
      'tried',
      async () => {
        const system = virtualSystem();
        const store = make(system);
        const older = async () => {
          const left = make(system);
          await writeOlderData(left);
          return [restarted(left)];
        };
        return { store, system, another: async () => store, reopen: async () => restarted(store), older, close: async () => {} };
      },
      gaps,
    );

describe('the store suite', () => {
  it('passes a store that keeps every promise, in whichever order its cases run, and skips nothing', async () => {
    const outcomes = await collected(suiteOver());
    expect(outcomes.filter(({ result }) => result !== 'passed')).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(130);
  });

  it('R32 shows a declared gap as skipped, under its reason', async () => {
    const gaps = { older: 'it has but one schema' };
    const outcomes = await collected((runner) =>
      storeSuite(
        runner,
        'tried',
        async () => {
          const system = virtualSystem();
          const store = createMemoryStore(system);
          return { store, system, another: async () => store, reopen: async () => store, close: async () => {} };
        },
        gaps,
      ),
    );
    const skipped = titlesOf(outcomes, 'skipped');
    expect(skipped.length).toBe(3);
    for (const title of skipped) expect(title).toMatch(/older schemas > .* \(it has but one schema\)$/);
    expect(titlesOf(outcomes, 'failed')).toEqual([]);
  });

  it('R32 fails a store that declares a gap it has not, and one that has a gap it does not declare', async () => {
    const declared = await collected(suiteOver(undefined, undefined, { reopen: 'no time for it' }));
    expect(declared.filter(({ result }) => result === 'passed')).toEqual([]);
    expect(String(declared.find(({ result }) => result === 'failed')?.error)).toContain('"reopen" is there, yet declared as a gap');
    const missing = await collected((runner) =>
      storeSuite(runner, 'tried', async () => {
        const system = virtualSystem();
        return { store: createMemoryStore(system), system, close: async () => {} };
      }),
    );
    expect(missing.filter(({ result }) => result === 'passed')).toEqual([]);
    expect(String(missing[0]?.error)).toContain('"another" is not there: declare it as a gap, with the reason');
  });

  it.each([...BROKEN_COMMITS, ...BROKEN_STORES])('R32 fails a store that $does', async ({ make, restarted, fails }) => {
    const outcomes = await collected(suiteOver(make, restarted), (title) => fails.some((part) => title.includes(part)));
    expect(titlesOf(outcomes, 'passed')).toEqual([]);
    expect(titlesOf(outcomes, 'failed')).toHaveLength(fails.length);
  });
});
