import { expect, it } from 'vitest';
import { SHARD_HASH, shardOf } from '../../src/core/shard.ts';

/** 2^32 shards show the whole hash. */
const hashOf = (stream: string) => shardOf(stream, 2 ** 32);

it('a stream stays in the shard where stored logs have it, under the name of the hash that they were made with', () => {
  expect(SHARD_HASH).toBe('fnv1a32-utf16-fmix');
  expect(['', 'a', 'order-1', 'order-2', 'Bücher', '🧾', 'x'.repeat(300)].map(hashOf)).toEqual([
    2_872_998_923, 2_448_022_055, 3_121_117_179, 4_101_488_954, 3_501_426_007, 1_368_134_315, 1_193_176_717,
  ]);
  expect([shardOf('order-1', 16), shardOf('order-2', 16), shardOf('order-2', 1)]).toEqual([11, 10, 0]);
});

it('streams with numbered names spread over all shards evenly', () => {
  const perShard = new Array<number>(16).fill(0);
  for (let n = 0; n < 16_000; n += 1) {
    const shard = shardOf(`order-${n}`, 16);
    perShard[shard] = (perShard[shard] ?? 0) + 1;
  }
  expect(perShard).toHaveLength(16);
  expect(Math.min(...perShard)).toBeGreaterThan(850);
  expect(Math.max(...perShard)).toBeLessThan(1_150);
});
