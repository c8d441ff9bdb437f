/**
 * The partition that Kafka's Java client, and kafka-python, choose for a key: 32-bit MurmurHash2 (Appleby) with the
 * seed of `org.apache.kafka.common.utils.Utils.murmur2`, made positive, modulo the number of partitions.
 */

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

export function murmur2(data: Uint8Array): number {
  const { length } = data;
  const view = new DataView(data.buffer, data.byteOffset, length);
  let hash = SEED ^ length;
  const whole = length & ~3;
  for (let at = 0; at < whole; at += 4) {
    let k = Math.imul(view.getInt32(at, true), M);
    k = Math.imul(k ^ (k >>> R), M);
    hash = Math.imul(hash, M) ^ k;
  }
  for (let rest = length & 3; rest > 0; rest--) {
    hash ^= view.getUint8(whole + rest - 1) << (8 * (rest - 1));
    if (rest === 1) hash = Math.imul(hash, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

export const partitionOfKey = (key: Uint8Array, partitions: number): number =>
  (murmur2(key) & 0x7fffffff) % partitions;
