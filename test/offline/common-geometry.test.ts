import { expect, test } from 'vitest';
import { FileProblem } from '../../bridge/protocol/pairs.ts';
import { axisDifference, commonGeometry } from '../../web/offline/common-geometry.ts';
import { missingText } from '../../web/offline/missing.ts';
import type { Recording } from '../../web/offline/recording.ts';
import { memorySource } from './sources.ts';

const DEFAULTS = { bins: 256, sampleRateHz: 2e6, loHz: 10e9 };
const SILENT = { bins: 256, sampleRateHz: null, loHz: null };

const recording = (
  path: string,
  file: number | null = null,
  sampleRateHz: number | null = null,
  loHz: number | null = null,
): Recording => ({
  kind: 'interleaved',
  type: 'cf32',
  source: memorySource(path, new Uint8Array(0)),
  path,
  file,
  bytes: 0,
  stretches: [],
  sampleRateHz,
  loHz,
  startMs: null,
  modifiedMs: 0,
  checksums: [],
});

test('a person is believed before the first recording, and that before the defaults', () => {
  const one = [recording('a', null, 1e6, 5e9)];
  expect(commonGeometry([recording('a')], SILENT, DEFAULTS).geometry).toEqual(DEFAULTS);
  expect(commonGeometry(one, SILENT, DEFAULTS).geometry).toEqual({ bins: 256, sampleRateHz: 1e6, loHz: 5e9 });
  const said = { ...SILENT, loHz: 7e9 };
  expect(commonGeometry(one, said, DEFAULTS).geometry).toEqual({ bins: 256, sampleRateHz: 1e6, loHz: 7e9 });
});

test('recordings on another axis than the first are left out, each with its reason', () => {
  const all = [
    recording('a', null, 1e6, 5e9),
    recording('b', null, 2e6, 5e9),
    recording('c', null, 1e6, 6e9),
    recording('d', null, 1e6, 5e9 + 1e-4),
  ];
  const { recordings, problems } = commonGeometry(all, SILENT, DEFAULTS);
  expect(recordings.map(({ path }) => path)).toEqual(['a', 'd']);
  expect(problems.map(({ code, message }) => [code, message])).toEqual([
    ['other-geometry', 'b: sampled at 2000000 Hz, but the others at 1000000 Hz; analyse it by itself'],
    [
      'other-geometry',
      'c: its frequency is 6000000000 Hz, but that of the others 5000000000 Hz; analyse it by itself',
    ],
  ]);
  expect(axisDifference({ ...DEFAULTS, bins: 512 }, DEFAULTS)).toBe('512 bins, but the others have 256');
  // Whoever says what all of them are has them all.
  const said = { bins: 256, sampleRateHz: 3e6, loHz: 1e9 };
  expect(commonGeometry(all, said, DEFAULTS).recordings).toHaveLength(4);
});

test('what is missing: numbers by folder, in ranges, and other files with their problem', () => {
  const all = [1, 2, 5, 9].map((file) => recording(`r/duck_{i,q}_0000${file}.dat`, file));
  const others = [recording('s/duck_{i,q}_00003.dat', 3), recording('x.cf32'), recording('y.cf32')];
  const used = new Set([...all.slice(0, 2), ...all.slice(3), ...others.slice(0, 2)]);
  const problems = [
    new FileProblem('orphan', 'r/duck_i_00012.dat', 'alone'),
    new FileProblem('changed', 'r/duck_q_00005.dat', 'changed'),
    new FileProblem('unsupported', 'z.sigmf-meta', 'no JSON'),
    new FileProblem('duplicate', 'copy/duck_{i,q}_00001.dat', 'a copy'),
  ];
  expect(missingText([...all, ...others], used, problems)).toBe(
    'r: 3-8, 10-12 of 1-12; y.cf32 (not read); z.sigmf-meta (unsupported)',
  );
  expect(missingText(all, new Set(all.slice(0, 2)), [])).toBe('r: 3-9 of 1-9');
  expect(missingText(all.slice(0, 2), new Set(all), [])).toBe('');
});
