/** Names: of files and folders, of runs, and what a page's address says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, expect } from 'vitest';
import { DiskFolder } from '../../bridge/files/disk-folder.ts';
import { pairFileName, parseFileName } from '../../bridge/protocol/pairs.ts';
import {
  givenRunName,
  isGivenRunName,
  isRunName,
  MAX_RUN_NAME_LENGTH,
  nextRunName,
} from '../../bridge/protocol/run-name.ts';
import { queryText, readView, writeView } from '../../web/ui/model/view.ts';
import { fuzz } from './fuzz.ts';

const DIGITS = '0123456789';

/** Half a pair by the letter of the format, without a regular expression. */
function halfOf(name: string): { channel: string; file: number } | null {
  const channel = name[5] ?? '';
  const digits = name.slice(7, 12);
  const isHalf =
    name.length === 16 &&
    name.startsWith('duck_') &&
    (channel === 'i' || channel === 'q') &&
    name[6] === '_' &&
    Array.from(digits).every((digit) => DIGITS.includes(digit)) &&
    name.endsWith('.dat');
  return isHalf ? { channel, file: Number.parseInt(digits, 10) } : null;
}

const fileName = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('i', 'q', 'I', 'x', ''),
      fc.oneof(fc.stringMatching(/^\d{1,7}$/), fc.string()),
      fc.constantFrom('.dat', '.DAT', '.dat\n', '', '.dat~'),
    )
    .map(([channel, number, end]) => `duck_${channel}_${number}${end}`),
  fc
    .tuple(fc.constantFrom('i' as const, 'q' as const), fc.nat(99_999))
    .map(([channel, file]) => pairFileName(channel, file)),
  fc.constantFrom(
    'duck_i_٠٠٠٠١.dat',
    'duck_i_00001.dat\u0000',
    '../duck_i_00001.dat',
    'duck_i_1e004.dat',
    'duck_i_+0001.dat',
  ),
  fc.string({ unit: 'binary' }),
);

fuzz('file names', fileName, (name) => {
  expect(parseFileName(name)).toEqual(halfOf(name));
});

const scratch = mkdtempSync(join(tmpdir(), 'haloscope-fuzz-names-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** What a file system takes as a name. */
const storable = fileName.filter(
  (name) =>
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !name.includes('/') &&
    !name.includes('\0') &&
    Buffer.byteLength(name) <= 255 &&
    !/\p{Cs}/u.test(name),
);

fuzz('folders', fc.uniqueArray(storable, { maxLength: 12 }), async (names) => {
  const folder = mkdtempSync(join(scratch, 'f-'));
  for (const name of names) writeFileSync(join(folder, name), '');
  const { halves, misnamed } = await new DiskFolder(folder).list();
  const expected = new Map<number, { i: boolean; q: boolean }>();
  for (const name of names) {
    const half = halfOf(name);
    if (half === null) continue;
    const known = expected.get(half.file) ?? { i: false, q: false };
    expected.set(half.file, { ...known, [half.channel]: true });
  }
  expect(new Map([...halves].map(([file, half]) => [file, { ...half }]))).toEqual(expected);
  for (const name of misnamed) expect([names.includes(name), halfOf(name)]).toEqual([true, null]);
  rmSync(folder, { recursive: true });
});

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-';
const runName = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9._-]{1,66}(~\d{1,7})?$/),
  fc.stringMatching(/^\.{1,3}(~\d{1,2})?$/),
  fc.stringMatching(/^[a-z]{63,66}(~\d{1,7})?$/),
  fc.constantFrom('__proto__', 'constructor', 'a~2\n', 'a~02', 'a~1', 'a~2~3', '~2', 'ａ', 'é', '%2e'),
  fc.string({ unit: 'binary' }),
);

fuzz('run names', runName, (name) => {
  const [given = '', ...suffixes] = name.split('~');
  const isGiven =
    given.length >= 1 &&
    given.length <= 64 &&
    Array.from(given).every((letter) => LETTERS.includes(letter)) &&
    Array.from(given).some((letter) => letter !== '.');
  const [suffix] = suffixes;
  const isSuffix =
    suffix !== undefined &&
    /^\d+$/.test(suffix) &&
    String(Number(suffix)) === suffix &&
    Number(suffix) >= 2 &&
    Number(suffix) <= 999_999;
  expect(isGivenRunName(name)).toBe(isGiven && suffixes.length === 0);
  expect(isRunName(name)).toBe(isGiven && (suffixes.length === 0 || (suffixes.length === 1 && isSuffix)));
  if (!isRunName(name)) return;
  expect(name.length).toBeLessThanOrEqual(MAX_RUN_NAME_LENGTH);
  expect(givenRunName(name)).toBe(given);
  expect(givenRunName(nextRunName(name))).toBe(given);
  // It stands in URLs and file names as it is.
  expect(
    decodeURIComponent(
      new URL(`http://x/api/runs/${encodeURIComponent(name)}/spectrum.csv`).pathname.split('/')[3] ?? '',
    ),
  ).toBe(name);
});

const VIEW_KEYS = ['x', 'y', 'traces', 'band', 'unit', 'scale', 'height', 'theme', 'kiosk', 'other'];
const viewText = fc.oneof(
  fc.tuple(fc.double(), fc.double()).map(([a, b]) => `${a}..${b}`),
  fc
    .tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: -1e6, max: 1e6 }))
    .map(([a, b]) => `${a}..${b}`),
  fc.constantFrom(
    'latest',
    'run,progress',
    'run,run',
    '',
    'error',
    'std',
    'db',
    'linear',
    'per-hertz',
    'full',
    'dark',
    'light',
    '1..',
    '..',
    '1..2..3',
    '0x10..0x20',
    ' 1 .. 2 ',
    '1e999..2',
    '1.00000001..1.00000002',
  ),
  fc.string({ unit: 'binary' }),
);

fuzz(
  'views in the address',
  fc.array(fc.tuple(fc.constantFrom(...VIEW_KEYS), viewText), { maxLength: 6 }),
  (pairs) => {
    const query = new URLSearchParams(pairs);
    const view = readView(query);
    for (const range of [view.x, view.y])
      if (range !== null) expect(Number.isFinite(range.min) && range.min < range.max).toBe(true);
    const written = queryText(writeView(view, query));
    const again = new URLSearchParams(written);
    // A link shows the same picture, to the digits that it carries, and is stable from then on.
    const shown = readView(again);
    const { x, y, ...rest } = view;
    expect(shown).toMatchObject(rest);
    expect(shown.traces).toEqual(view.traces);
    for (const [range, back] of [
      [x, shown.x],
      [y, shown.y],
    ] as const) {
      expect(back === null).toBe(range === null);
      if (range === null || back === null) continue;
      const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.abs(a);
      expect(close(range.min, back.min) && close(range.max, back.max)).toBe(true);
    }
    expect(queryText(writeView(shown, again))).toBe(written);
    // What is not the view's stays.
    expect(again.getAll('other')).toEqual(query.getAll('other'));
  },
);
