import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { FolderInput, type FolderInputOptions } from '../../bridge/log/embedded/folder-input.ts';
import { sampleBytes, testFolder } from '../files/folder.ts';
import { inputContract, Recorder, until } from './contract.ts';

const BINS = 256;
const geometry = { bins: BINS, sampleRateHz: 2e6, loHz: 10.353e9 };
const SLICES_PER_MESSAGE = 4;
/** Six messages, the last of one slice, and a remainder of 10 samples. */
const SAMPLES = 21 * BINS + 10;
const MESSAGES = 6;
const FILES = [3, 4, 5, 70_001];

const options = (folder: string): FolderInputOptions => ({
  folder,
  geometry,
  run: 'run404',
  from: 'earliest',
  problem: () => {},
  slicesPerMessage: SLICES_PER_MESSAGE,
  settleMs: 300,
  pollMs: 50,
});

/** Key and CRC-32 of every message, made without any code of the reader. */
function expectedContent(): Map<string, string> {
  const content = new Map<string, string>();
  for (const file of FILES) {
    const i = sampleBytes(file, SAMPLES, 1);
    const q = sampleBytes(file, SAMPLES, -1);
    for (let message = 0; message < MESSAGES; message++) {
      const from = message * SLICES_PER_MESSAGE * BINS * 4;
      const to = Math.min(from + SLICES_PER_MESSAGE * BINS * 4, 21 * BINS * 4);
      const key = Buffer.of((file >> 8) & 255, file & 255, 0, message).toString('hex');
      const value = Buffer.concat([i.subarray(from, to), q.subarray(from, to)]);
      content.set(`0/${file * 65536 + message}`, `${key} ${crc32(value)}`);
    }
  }
  return content;
}

inputContract('folder', async () => {
  const folder = await testFolder();
  for (const file of FILES) await folder.pair(file, SAMPLES);
  return {
    create: (from) => new FolderInput({ ...options(folder.path), from }),
    records: FILES.length * MESSAGES,
    ends: true,
    content: expectedContent(),
    append: async () => {
      await folder.pair(70_002, SAMPLES, 0);
      return MESSAGES;
    },
    close: () => folder.remove(),
  };
});

test('reports what is wrong by name, goes on, and tells a late pair instead of skipping it silently', async () => {
  const folder = await testFolder();
  await folder.pair(1, SAMPLES);
  await folder.half('i', 2, sampleBytes(2, SAMPLES, 1));
  await folder.pair(4, SAMPLES);
  const problems: string[] = [];
  const recorder = new Recorder();
  const input = new FolderInput({ ...options(folder.path), problem: (_, reason) => problems.push(reason) });
  await input.start(recorder);
  try {
    await until('files 1 and 4 are read', () => recorder.seen.length === 2 * MESSAGES);
    expect(problems).toEqual(['duck_i_00002.dat: duck_q_00002.dat is not there; a spectrum needs both']);
    await folder.half('q', 2, sampleBytes(2, SAMPLES, -1));
    await folder.pair(3, SAMPLES);
    await until('both are told', () => problems.length === 3);
    expect(problems.slice(1).toSorted()).toEqual([
      'duck_{i,q}_00002.dat: is whole now, but file 4 has been used already; it is not used any more',
      'duck_{i,q}_00003.dat: is whole now, but file 4 has been used already; it is not used any more',
    ]);
    await folder.pair(5, SAMPLES);
    await until('file 5 is read', () => recorder.seen.length === 3 * MESSAGES);
    expect(
      recorder.seen.map(({ headers }) => headers['hs-file']).filter((f, k, all) => f !== all[k - 1]),
    ).toEqual(['1', '4', '5']);
  } finally {
    await input.stop();
    await folder.remove();
  }
});

test('a folder that is not there is trouble, and is well when it comes', async () => {
  const folder = await testFolder();
  const path = folder.path;
  await folder.remove();
  const recorder = new Recorder();
  const input = new FolderInput(options(path));
  await input.start(recorder);
  try {
    await until('it is told', () => recorder.troubles.length > 0);
    expect(recorder.troubles[0]).toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('ENOENT'),
    });
    const { mkdir } = await import('node:fs/promises');
    await mkdir(path, { recursive: true });
    await until('it is well', () => recorder.troubles.at(-1) === null);
  } finally {
    await input.stop();
    await folder.remove();
  }
});
