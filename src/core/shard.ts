/** Name of the hash below; a store writes it down at creation and refuses to open with another. */
export const SHARD_HASH = 'fnv1a32-utf16-fmix';

/**
 * The shard a stream lives in: 32-bit FNV-1a over the UTF-16 code units (low byte, then high byte) with MurmurHash3's
 * final mix, modulo `shards`. The same in every store and process.
 * @see http://www.isthe.com/chongo/tech/comp/fnv/
 */
export const shardOf = (stream: string, shards: number): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < stream.length; i += 1) {
    const unit = stream.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % shards;
};
