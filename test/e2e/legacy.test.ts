/**
 * Replay of the existing producer: no headers, one file spread over all partitions by murmur2, every n from 1 to
 * 40, partitions that run ahead of each other, duplicates.
 */
import { expect, inject, test } from 'vitest';
import { newChain, serveChain } from './chain.ts';
import { legacyMessages, sendLegacy } from './legacy-producer.ts';
import { keptReader } from './kept.ts';
import { problemsOf } from './results.ts';
import { expectedOf, NOMINAL_SLICES, record, type Recording } from './samples.ts';

const PARTITIONS = 4;
/** Prime, so that every n but 1 leaves a shorter last message. */
const SLICES = 41;
const DISORDER = { seed: 7, duplicates: 0.1, filesAhead: 2 };

async function replay(
  version: '3.4.0' | '4.4.0',
  files: readonly { readonly recording: Recording; readonly slicesPerMessage: number }[],
  words: readonly string[],
): Promise<string[]> {
  const chain = await newChain(inject('kafka')[version]);
  const bridge = await serveChain(chain, '--run', 'old', '--processor', 'always', ...words);
  await bridge.processor();
  const reader = await keptReader(chain.brokers, chain.topicOut);
  const messages = files.flatMap(({ recording, slicesPerMessage }) =>
    legacyMessages(recording, slicesPerMessage),
  );
  await sendLegacy(chain.brokers, chain.topicIn, PARTITIONS, messages, DISORDER);
  const results = await reader.first(files.length);
  expect((await bridge.state()).headerless).toBe(true);
  const expected = files.map(({ recording }) => expectedOf(recording));
  return problemsOf(results, expected, 'old');
}

test('every n from 1 to 40, a file each', async () => {
  const files = Array.from({ length: 40 }, (_, k) => ({
    recording: record(100 + k, SLICES),
    slicesPerMessage: k + 1,
  }));
  expect(await replay('3.4.0', files, ['--slices-per-file', String(SLICES)])).toEqual([]);
});

test('a file of nominal length needs no option', async () => {
  const files = [{ recording: record(200, NOMINAL_SLICES), slicesPerMessage: 30 }];
  expect(await replay('4.4.0', files, [])).toEqual([]);
});
