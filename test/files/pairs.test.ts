import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PairFollower } from '../../bridge/files/follow.ts';
import { DiskFolder, requireFolder } from '../../bridge/files/disk-folder.ts';
import {
  FileProblem,
  type HalfState,
  judge,
  pairFileName,
  parseFileName,
} from '../../bridge/protocol/pairs.ts';
import { messagesOf, PairReader, readMessages, remainderOf, slicesOf } from '../../bridge/files/reader.ts';
import { FULL_FILE_BYTES, Settling } from '../../bridge/files/settling.ts';
import { writePair } from '../../bridge/files/writer.ts';
import { sampleBytes, sampleOf, type TestFolder, testFolder } from './folder.ts';

const BINS = 256;
let folder: TestFolder;
beforeEach(async () => {
  folder = await testFolder();
});
afterEach(() => folder.remove());

const half = (bytes: number, modifiedMs = 0): HalfState => ({ bytes, modifiedMs });

test('names', () => {
  expect(pairFileName('i', 42)).toBe('duck_i_00042.dat');
  expect(parseFileName('duck_q_99999.dat')).toEqual({ channel: 'q', file: 99_999 });
  for (const wrong of [
    'duck_i_042.dat',
    'duck_i_000042.dat',
    'duck_x_00042.dat',
    'duck_i_00042.dat.part',
    '.duck_i_00042.dat',
  ]) {
    expect(parseFileName(wrong), wrong).toBeNull();
  }
});

test('the number of slices is derived from the file, and what is left over is known', () => {
  const pair = (samples: number) => ({ folder: new DiskFolder(''), file: 0, samples, modifiedMs: 0 });
  for (const [samples, slices, rest] of [
    [8193 * 1024, 2731, 0],
    [8192 * 1024, 2730, 2048],
    [3072, 1, 0],
    [6143, 1, 3071],
  ] as const) {
    expect([slicesOf(pair(samples), 3072), remainderOf(pair(samples), 3072)]).toEqual([slices, rest]);
  }
  expect([messagesOf(2731, 40), messagesOf(2720, 40), messagesOf(1, 40)]).toEqual([69, 68, 1]);
});

test.for([
  ['orphan', half(4096), null],
  ['orphan', null, half(4096)],
  ['empty', half(0), half(0)],
  ['empty', half(4096), half(0)],
  ['mid-sample', half(4097), half(4097)],
  ['mid-sample', half(4096), half(4095)],
  ['unequal', half(4096), half(4100)],
  ['too-short', half(BINS * 4 - 4), half(BINS * 4 - 4)],
] as const)('a pair is %s: %j, %j', ([code, i, q]) => {
  const problem = judge(7, i, q, BINS);
  expect(problem).toMatchObject({ code, message: expect.stringMatching(/^duck_[iq]_00007\.dat: ./) });
});

test('a whole pair has no problem', () => {
  expect(judge(7, half(4096), half(4096), BINS)).toBeNull();
  expect(judge(7, half(BINS * 4), half(BINS * 4), BINS)).toBeNull();
});

test('a file is finished when it has not changed for the settling time: full ones after a second', () => {
  const day = 86_400_000;
  const full = half(FULL_FILE_BYTES, 5 * day);
  const short = half(4096, 5 * day);
  const settling = (): Settling => new Settling(10_000);
  // By age, at the first look.
  expect(settling().look(full, full, 0, 5 * day + 999)).toBe(false);
  expect(settling().look(full, full, 0, 5 * day + 1000)).toBe(true);
  expect(settling().look(short, short, 0, 5 * day + 9999)).toBe(false);
  expect(settling().look(short, short, 0, 5 * day + 10_000)).toBe(true);
  // By watching, where the clock of a network share is ahead of ours.
  const watched = settling();
  expect(watched.look(short, short, 0, 0)).toBe(false);
  expect(watched.look(short, short, 9999, 9999)).toBe(false);
  expect(watched.look(half(8192, 5 * day), short, 10_000, 10_000)).toBe(false);
  expect(watched.look(half(8192, 5 * day), short, 19_999, 19_999)).toBe(false);
  expect(watched.look(half(8192, 5 * day), short, 20_000, 20_000)).toBe(true);
  // A half that is missing has no age: it may still come.
  const orphan = settling();
  expect(orphan.look(full, null, 0, 6 * day)).toBe(false);
  expect(orphan.look(full, null, 10_000, 6 * day)).toBe(true);
  // Unequal halves are not a full pair.
  expect(settling().look(full, half(FULL_FILE_BYTES + 4, 5 * day), 0, 5 * day + 5000)).toBe(false);
});

async function followed(
  options: { readonly follow?: boolean; readonly from?: number; readonly to?: number } = {},
) {
  const problems: FileProblem[] = [];
  const follower = new PairFollower({
    folder: new DiskFolder(folder.path),
    bins: BINS,
    from: 0,
    follow: false,
    settleMs: 150,
    pollMs: 20,
    problem: (problem) => problems.push(problem),
    ...options,
  });
  const files: number[] = [];
  for await (const { file } of follower.pairs(new AbortController().signal)) files.push(file);
  return { files, problems: problems.map(({ code, file }) => `${code} ${file}`) };
}

test('once through: pairs in rising order, and every problem by name', async () => {
  for (const file of [12, 3, 99_999, 0]) await folder.pair(file, 1000);
  await folder.half('i', 4, sampleBytes(4, 1000, 1));
  await folder.half('i', 5, Buffer.alloc(0));
  await folder.half('q', 5, Buffer.alloc(0));
  await mkdir(join(folder.path, 'duck_i_00006.dat'));
  await folder.half('q', 6, sampleBytes(6, 1000, 1));
  await rename(join(folder.path, 'duck_i_00012.dat'), join(folder.path, 'duck_i_012.dat'));
  const { files, problems } = await followed();
  expect(files).toEqual([0, 3, 99_999]);
  expect(problems).toEqual([
    'misnamed duck_i_012.dat',
    'orphan duck_i_00004.dat',
    'empty duck_i_00005.dat',
    'unreadable duck_i_00006.dat',
    'orphan duck_q_00012.dat',
  ]);
});

test('from and to bound what is looked at', async () => {
  for (const file of [1, 2, 3, 4]) await folder.pair(file, 1000);
  await folder.half('i', 0, Buffer.alloc(3));
  await folder.half('i', 5, Buffer.alloc(3));
  expect(await followed({ from: 2, to: 3 })).toEqual({ files: [2, 3], problems: [] });
});

test('once through: a file that keeps growing is passed over after a while, and said to be growing', async () => {
  await folder.pair(0, 1000);
  await folder.pair(2, 1000);
  await folder.pair(1, 300, 0);
  const stop = new AbortController();
  // Waited for at the end: a write that is still under way must not meet a folder that is gone.
  const writer = (async () => {
    for (let samples = 301; !stop.signal.aborted; samples++) {
      await folder.pair(1, samples, 0);
      await sleep(30);
    }
  })();
  try {
    expect(await followed()).toEqual({ files: [0, 2], problems: ['growing duck_{i,q}_00001.dat'] });
  } finally {
    stop.abort();
    await writer;
  }
});

test('following: all I files first, as rsync copies them, is no reason to give up on any', async () => {
  for (const file of [0, 1, 2]) await folder.half('i', file, sampleBytes(file, 1000, 1));
  const problems: string[] = [];
  const stop = new AbortController();
  const follower = new PairFollower({
    folder: new DiskFolder(folder.path),
    bins: BINS,
    from: 0,
    follow: true,
    settleMs: 50,
    pollMs: 20,
    problem: ({ code, file }) => problems.push(`${code} ${file}`),
  });
  const files: number[] = [];
  const done = (async () => {
    for await (const { file } of follower.pairs(stop.signal)) {
      files.push(file);
      if (file === 2) stop.abort();
    }
  })();
  const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200));
  await wait();
  for (const file of [0, 1, 2]) {
    await folder.half('q', file, sampleBytes(file, 1000, -1), 0);
    await wait();
  }
  await done;
  expect(files).toEqual([0, 1, 2]);
  expect(problems).not.toContain('late duck_{i,q}_00000.dat');
});

test('a folder that is not there is named', async () => {
  await requireFolder(folder.path);
  await expect(requireFolder('/not/there')).rejects.toThrow('/not/there: cannot be read (ENOENT)');
});

test('a folder that cannot be read is an error when it is not followed', async () => {
  await folder.remove();
  await expect(followed()).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a message is all I, then all Q, of its slices', async () => {
  await folder.pair(3, 5 * BINS + 7);
  const modifiedMs = await folder.modifiedMs(3);
  const pair = { folder: new DiskFolder(folder.path), file: 3, samples: 5 * BINS + 7, modifiedMs };
  const seen: [number, number, number][] = [];
  for await (const { index, first, slices, value } of readMessages(pair, BINS, 2)) {
    seen.push([index, first, slices]);
    const samples = new Float32Array(value.buffer, value.byteOffset, value.length / 4);
    const count = slices * BINS;
    expect(samples.length).toBe(2 * count);
    for (let k = 0; k < count; k++) {
      expect(samples[k]).toBe(sampleOf(3, first * BINS + k));
      expect(samples[count + k]).toBe(-sampleOf(3, first * BINS + k));
    }
  }
  expect(seen).toEqual([
    [0, 0, 2],
    [1, 2, 2],
    [2, 4, 1],
  ]);
  const rest: number[] = [];
  for await (const { index } of readMessages(pair, BINS, 2, 1)) rest.push(index);
  expect(rest).toEqual([1, 2]);
  const none: number[] = [];
  for await (const { index } of readMessages(pair, BINS, 2, 3)) none.push(index);
  expect(none).toEqual([]);
});

test.each([1, 7, 479, 480, 481])(
  'messages of %d slices are read several at once and come one by one',
  async (n) => {
    // Two and a half times what is read at once.
    const slices = 1200;
    await folder.pair(4, slices * BINS + 5);
    const modifiedMs = await folder.modifiedMs(4);
    const pair = { folder: new DiskFolder(folder.path), file: 4, samples: slices * BINS + 5, modifiedMs };
    const halves: [Buffer[], Buffer[]] = [[], []];
    let next = 1;
    for await (const { index, first, slices: count, value } of readMessages(pair, BINS, n, 1)) {
      expect([index, first]).toEqual([next, next * n]);
      expect(count).toBe(Math.min(n, slices - first));
      next++;
      halves[0].push(value.subarray(0, value.length / 2));
      halves[1].push(value.subarray(value.length / 2));
    }
    expect(next).toBe(Math.ceil(slices / n));
    const left = (slices - n) * BINS;
    for (const [k, sign] of [
      [0, 1],
      [1, -1],
    ] as const) {
      const wanted = sampleBytes(4, slices * BINS, sign).subarray((slices * BINS - left) * 4);
      expect(Buffer.concat(halves[k]).equals(wanted)).toBe(true);
    }
  },
);

test('a file that changes while it is read is noticed: shorter, or written to', async () => {
  await folder.pair(1, 10 * BINS);
  const pair = {
    folder: new DiskFolder(folder.path),
    file: 1,
    samples: 10 * BINS,
    modifiedMs: await folder.modifiedMs(1),
  };
  const readAll = async (after: () => Promise<void>): Promise<number> => {
    let messages = 0;
    for await (const message of readMessages(pair, BINS, 2)) {
      if (message.index === 0) await after();
      messages++;
    }
    return messages;
  };
  const cut = readAll(() => folder.half('q', 1, sampleBytes(1, 3 * BINS, -1)));
  await expect(cut).rejects.toMatchObject({ code: 'changed', file: 'duck_q_00001.dat' });
  await folder.pair(1, 10 * BINS);
  const touched = readAll(() => folder.pair(1, 10 * BINS, 0));
  await expect(touched).rejects.toMatchObject({ code: 'changed' });
});

test('a pair that went away is unreadable, by name', async () => {
  await folder.half('i', 2, sampleBytes(2, 1000, 1));
  const opening = PairReader.open(
    { folder: new DiskFolder(folder.path), file: 2, samples: 1000, modifiedMs: 0 },
    BINS,
  );
  await expect(opening).rejects.toBeInstanceOf(FileProblem);
  await expect(opening).rejects.toMatchObject({ code: 'unreadable', file: 'duck_q_00002.dat' });
});

test('a pair is written whole or not at all', async () => {
  const modifiedMs = Date.UTC(2026, 10, 23);
  let left = 600_000;
  const source = {
    get left() {
      return left;
    },
    writeTo: (i: Float32Array, q: Float32Array) => {
      i.fill(left);
      q.fill(-left);
      left -= i.length;
    },
  };
  await writePair(folder.path, 8, source, modifiedMs);
  const { halves } = await new DiskFolder(folder.path).list();
  expect([...halves]).toEqual([[8, { i: true, q: true }]]);
  expect(await folder.modifiedMs(8)).toBe(modifiedMs);
  const broken = {
    left: 600_000,
    writeTo: () => {
      throw new Error('no signal');
    },
  };
  await expect(writePair(folder.path, 9, broken, modifiedMs)).rejects.toThrow('no signal');
  expect([...(await new DiskFolder(folder.path).list()).halves.keys()]).toEqual([8]);
});
