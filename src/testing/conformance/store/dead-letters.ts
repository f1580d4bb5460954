import assert from 'node:assert/strict';
import type { Arbitrary } from 'fast-check';
import type { ParkedDelivery } from '../../../core/records.ts';
import type { CauseGroup, ParkedFilter, Store } from '../../../core/store.ts';
import type { FastCheck } from '../../arbitraries.ts';
import { loadFastCheck } from '../../fast-check.ts';
import { absent, change, delivery, mustCommit, recordOf, type StoreCase } from './subject.ts';

const SUBSCRIPTIONS = ['mail', 'stock'] as const;
const TYPES = ['OrderPlaced', "x' OR 1=1;--"] as const;
const CAUSES = ['timeout', null, 'é'] as const;

const FILTERED = ['subscription', 'type', 'stream', 'cause'] as const;

const matches = (letter: ParkedDelivery, filter: ParkedFilter): boolean =>
  FILTERED.every((name) => filter[name] === undefined || filter[name] === letter[name]) &&
  (letter.deadAt ?? 0) >= (filter.diedFrom ?? 0) &&
  (letter.deadAt ?? 0) < (filter.diedBefore ?? Infinity);

/** Filters over what `bury` buries, alone and together; `start` is the time of the first death. */
const filtersFrom = (fc: FastCheck, start: number): Arbitrary<ParkedFilter> => {
  const pick = <T>(values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
  const time = fc.option(
    fc.integer({ min: -2, max: 32 }).map((ms) => start + ms),
    { nil: undefined },
  );
  return fc.record({
    subscription: pick(SUBSCRIPTIONS),
    type: pick(TYPES),
    stream: pick(['s0', 's3', 'none']),
    cause: pick(['timeout', 'é', 'none']),
    diedFrom: time,
    diedBefore: time,
  });
};

/** Of letters in the order of `dead`. */
const groupsOf = (letters: readonly ParkedDelivery[]): readonly CauseGroup[] => {
  const byCause = new Map<string, ParkedDelivery[]>();
  for (const letter of letters) byCause.set(letter.cause ?? '', [...(byCause.get(letter.cause ?? '') ?? []), letter]);
  return [...byCause].map(([cause, all]) => ({
    cause,
    letters: all.length,
    firstDeadAt: all.at(-1)?.deadAt ?? 0,
    lastDeadAt: all[0]?.deadAt ?? 0,
    latest: all[0]?.id ?? '',
  }));
};

/** Thirty dead letters of all combinations, one a millisecond, and some that are not dead. */
const bury = async (store: Store, advance: (ms: number) => Promise<void>): Promise<void> => {
  for (let i = 0; i < 30; i += 1) {
    const more = {
      subscription: SUBSCRIPTIONS[i % 2] ?? 'mail',
      type: TYPES[(i >> 1) % 2] ?? '',
      cause: CAUSES[i % 3] ?? null,
      state: 'dead' as const,
    };
    await mustCommit(store, [{ park: [absent(delivery(store, `s${i % 5}`, i + 1, more)), absent(delivery(store, `s${i % 5}`, i + 100))] }]);
    await advance(1);
  }
};

const allPages = async (store: Store, filter: ParkedFilter, limit: number): Promise<readonly ParkedDelivery[]> => {
  const found: ParkedDelivery[] = [];
  for (let cursor: string | null = null, pages = 0; pages === 0 || cursor !== null; pages += 1) {
    const page: Awaited<ReturnType<Store['dead']>> = await store.dead(filter, limit, cursor);
    assert.ok(page.rows.length === limit || page.nextCursor === null, 'a page in the middle is not full');
    found.push(...page.rows);
    cursor = page.nextCursor;
  }
  return found;
};

export const deadLetterCases = (test: StoreCase): void => {
  test('dates a death by its own clock, anew after each redrive, and keeps the date while it lies dead', async ({ store, system }) => {
    await mustCommit(store, [{ park: [absent(delivery(store, 'a', 1, { state: 'dead' })), absent(delivery(store, 'b', 1))] }]);
    const first = system.now();
    assert.equal((await recordOf(store, 'mail:a@1')).deadAt, first);
    assert.equal((await recordOf(store, 'mail:b@1')).deadAt, null);
    await system.advance(5);
    await change(store, 'mail:a@1', { detail: '{"edited":true}' });
    assert.equal((await recordOf(store, 'mail:a@1')).deadAt, first);
    await change(store, 'mail:a@1', { state: 'scheduled' });
    await system.advance(5);
    await change(store, 'mail:a@1', { state: 'dead' });
    assert.equal((await recordOf(store, 'mail:a@1')).deadAt, first + 10);
  });

  test('lists dead letters, the latest to die first, in pages that neither skip nor repeat', async ({ store, system }) => {
    await bury(store, system.advance);
    for (const limit of [1, 7, 30, 100]) {
      const versions = (await allPages(store, {}, limit)).map(({ version }) => version);
      assert.deepEqual(
        versions,
        Array.from({ length: 30 }, (_, i) => 30 - i),
      );
    }
    assert.deepEqual(await store.dead({ subscription: 'nobody' }, 10, null), { rows: [], nextCursor: null });
  });

  test('pages through letters that died in the same moment', async ({ store }) => {
    await mustCommit(
      store,
      Array.from({ length: 25 }, (_, i) => ({ park: [absent(delivery(store, `s${i}`, 1, { state: 'dead' }))] })),
    );
    const ids = (await allPages(store, {}, 4)).map(({ id }) => id);
    assert.equal(new Set(ids).size, 25);
    assert.equal(ids.length, 25);
  });

  test('filters dead letters by subscription, type, stream, cause and age, alone and together', async ({ store, system }) => {
    const start = system.now();
    await bury(store, system.advance);
    const all = await allPages(store, {}, 100);
    const fc = await loadFastCheck();
    await fc.assert(
      fc.asyncProperty(filtersFrom(fc, start), fc.integer({ min: 1, max: 9 }), async (filter, limit) => {
        const expected = all.filter((letter) => matches(letter, filter));
        assert.deepEqual(await allPages(store, filter, limit), expected);
      }),
      { numRuns: 100 },
    );
  });

  test('takes the first moment of an age in, and leaves the last out', async ({ store, system }) => {
    const start = system.now();
    await bury(store, system.advance);
    const versions = async (filter: ParkedFilter) => (await allPages(store, filter, 2)).map(({ version }) => version);
    assert.deepEqual(await versions({ diedFrom: start + 4, diedBefore: start + 7 }), [7, 6, 5]);
    assert.deepEqual(await versions({ diedBefore: start + 2 }), [2, 1]);
    assert.deepEqual(await versions({ diedFrom: start + 28 }), [30, 29]);
    assert.deepEqual(await versions({ diedFrom: start + 7, diedBefore: start + 7 }), []);
    assert.deepEqual(await versions({ diedFrom: start + 30 }), []);
    assert.deepEqual(await versions({ diedBefore: start }), []);
  });

  test('groups dead letters by cause, the most first, under any filter', async ({ store, system }) => {
    const start = system.now();
    assert.deepEqual(await store.causes({}), []);
    await bury(store, system.advance);
    const groups = await store.causes({});
    assert.deepEqual(
      groups.map(({ cause, letters }) => [cause, letters]),
      [
        ['', 10],
        ['timeout', 10],
        ['é', 10],
      ],
    );
    const all = await allPages(store, {}, 100);
    const sorted = (causes: readonly CauseGroup[]) => [...causes].sort((a, b) => (a.cause < b.cause ? -1 : 1));
    const fc = await loadFastCheck();
    await fc.assert(
      fc.asyncProperty(filtersFrom(fc, start), async (filter) => {
        const found = await store.causes(filter);
        assert.deepEqual(sorted(found), sorted(groupsOf(all.filter((letter) => matches(letter, filter)))));
        const letters = found.map((group) => group.letters);
        assert.deepEqual(
          letters,
          [...letters].sort((a, b) => b - a),
        );
      }),
      { numRuns: 60 },
    );
    await change(store, groups[1]?.latest ?? '', { state: 'scheduled' });
    assert.deepEqual(await store.causes({ cause: 'timeout' }), groupsOf(await allPages(store, { cause: 'timeout' }, 100)));
    assert.equal((await store.causes({ cause: 'timeout' }))[0]?.letters, 9);
  });

  test('names the letter at the top of the list as the latest of its cause, also among those of one moment', async ({ store }) => {
    const dead = (stream: string) => absent(delivery(store, stream, 1, { state: 'dead', cause: 'same' }));
    await mustCommit(store, [{ park: ['b', 'd', 'a', 'c'].map(dead) }]);
    const { rows } = await store.dead({}, 1, null);
    assert.equal((await store.causes({}))[0]?.latest, rows[0]?.id);
  });

  test('skips none when letters of an earlier page are redriven meanwhile', async ({ store, system }) => {
    await bury(store, system.advance);
    const first = await store.dead({}, 10, null);
    for (const { id } of first.rows) await change(store, id, { state: 'scheduled' });
    const second = await store.dead({}, 10, first.nextCursor);
    assert.deepEqual(
      second.rows.map(({ version }) => version),
      [20, 19, 18, 17, 16, 15, 14, 13, 12, 11],
    );
    await mustCommit(store, [{ park: [absent(delivery(store, 'new', 1, { state: 'dead' }))] }]);
    const third = await store.dead({}, 10, second.nextCursor);
    assert.deepEqual(
      third.rows.map(({ version }) => version),
      [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
    );
  });
};
