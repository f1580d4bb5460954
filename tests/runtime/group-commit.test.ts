import { describe, expect, it } from 'vitest';
import { createCommitter } from '../../src/runtime/committer.ts';
import { createNotifier } from '../../src/runtime/notifications.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

const setUp = () => {
  // With turns of the loop as they are: the virtual one has none.
  const system = { ...virtualSystem(), soon: (task: () => void) => void setImmediate(task) };
  const store = createMemoryStore(system, 1);
  const sizes: number[] = [];
  const counting = Object.create(store, {
    commit: {
      value: (batch: Parameters<typeof store.commit>[0]) => {
        sizes.push(batch.units.length);
        return store.commit(batch);
      },
    },
  }) as typeof store;
  const committer = createCommitter(
    counting,
    system,
    createNotifier(() => {}),
    'owner',
  );
  /** Appends one event to a stream of this name. */
  const submit = (stream: string): Promise<void> =>
    new Promise((resolve, reject) => {
      committer.submit({
        decidesOver: null,
        persistent: false,
        prepare: () => ({ appends: [{ stream, expected: 'any', events: [{ type: 'A', schema: 1, data: '{}', time: 0 }] }] }),
        settled: () => resolve(),
        failed: reject,
      });
    });
  const aTurnLater = (): Promise<void> => new Promise((resolve) => system.soon(resolve));
  return { sizes, submit, aTurnLater };
};

describe('a batch of the group commit', () => {
  it('takes one turn more to let in those who were answered together and ask again', async () => {
    const { sizes, submit, aTurnLater } = setUp();
    const atOnce = submit('a').then(() => submit('a'));
    const twoTurnsAfter = submit('b')
      .then(aTurnLater)
      .then(aTurnLater)
      .then(() => submit('b'));
    await Promise.all([atOnce, twoTurnsAfter]);
    expect(sizes).toEqual([2, 2]);
  });

  it('does not wait when the last one answered nobody else', async () => {
    const { sizes, submit, aTurnLater } = setUp();
    await submit('a').then(aTurnLater);
    const next = submit('a');
    await Promise.all([next, aTurnLater().then(() => submit('b'))]);
    expect(sizes).toEqual([1, 1, 1]);
  });
});
