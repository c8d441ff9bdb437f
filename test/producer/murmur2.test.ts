import { expect, test } from 'vitest';
import { murmur2, partitionOfKey } from '../../bridge/producer/murmur2.ts';

test('is the hash of Kafka', () => {
  // From UtilsTest.testMurmur2 of Apache Kafka.
  for (const [text, hash] of [
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ] as const) {
    expect(murmur2(Buffer.from(text)), text).toBe(hash);
  }
});

test('chooses a partition from 0 to n − 1 for every key', () => {
  const counts = Array.from({ length: 4 }, () => 0);
  for (let message = 0; message < 4000; message++) {
    const partition = partitionOfKey(Buffer.of(0, 7, message >> 8, message & 255), 4);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  expect(counts).toHaveLength(4);
  for (const count of counts) expect(count).toBeGreaterThan(800);
});
