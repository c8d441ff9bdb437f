import { expect, test } from 'vitest';
import type { ByteSource } from '../../bridge/protocol/source.ts';
import { type Catalogue, makeCatalogue } from '../../web/offline/catalogue.ts';
import { bytesOf, interleave, memorySource, noise, pairSources, sigmfText, textSource } from './sources.ts';

const BINS = 256;
const SAMPLES = 3 * BINS + 7;

const catalogueOf = (found: readonly ByteSource[], named: readonly ByteSource[] = []): Promise<Catalogue> =>
  makeCatalogue(found, named, BINS);

const paths = ({ recordings }: Catalogue): string[] => recordings.map(({ path }) => path);
const codes = ({ problems }: Catalogue): string[] => problems.map(({ file, code }) => `${file}: ${code}`);

const data = (path: string, samples = SAMPLES): ByteSource =>
  memorySource(path, bytesOf(interleave(noise(9, samples))));

test('pairs of nested folders, in the order of folders and numbers', async () => {
  const catalogue = await catalogueOf([
    ...pairSources('run1/b', 7, noise(1, SAMPLES)),
    ...pairSources('run1', 10, noise(2, SAMPLES)),
    ...pairSources('run1', 9, noise(3, SAMPLES)),
    textSource('run1/notes.txt', 'cold'),
  ]);
  expect(paths(catalogue)).toEqual([
    'run1/duck_{i,q}_00009.dat',
    'run1/duck_{i,q}_00010.dat',
    'run1/b/duck_{i,q}_00007.dat',
  ]);
  expect(catalogue.recordings[0]).toMatchObject({
    file: 9,
    bytes: 8 * SAMPLES,
    stretches: [{ from: 0, samples: SAMPLES }],
  });
  expect(codes(catalogue)).toEqual([]);
  expect(catalogue.ignored).toBe(1);
});

test('what is wrong has a name and does not stop the rest', async () => {
  const [i = data(''), q = data('')] = pairSources('run1', 1, noise(1, SAMPLES));
  const half = (name: string, bytes: number): ByteSource =>
    memorySource(`run1/${name}`, new Uint8Array(bytes));
  const catalogue = await catalogueOf([
    i,
    q,
    half('duck_i_00002.dat', 4096),
    half('duck_i_00003.dat', 4097),
    half('duck_q_00003.dat', 4097),
    half('duck_i_00004.dat', 0),
    half('duck_q_00004.dat', 4096),
    half('duck_i_00005.dat', 4096),
    half('duck_q_00005.dat', 2048),
    half('duck_i_00006.dat', 64),
    half('duck_q_00006.dat', 64),
    half('duck_i_7.dat', 4096),
  ]);
  expect(paths(catalogue)).toEqual(['run1/duck_{i,q}_00001.dat']);
  expect(codes(catalogue)).toEqual([
    'run1/duck_i_00002.dat: orphan',
    'run1/duck_i_00003.dat: mid-sample',
    'run1/duck_i_00004.dat: empty',
    'run1/duck_i_00005.dat: unequal',
    'run1/duck_i_00006.dat: too-short',
    'run1/duck_i_7.dat: misnamed',
  ]);
  expect(catalogue.problems[0]?.message).toBe(
    'run1/duck_i_00002.dat: duck_q_00002.dat is not there; a spectrum needs both',
  );
});

test('a copy under another folder is not counted twice; another run with the same numbers is', async () => {
  const catalogue = await catalogueOf([
    ...pairSources('a', 5, noise(1, SAMPLES)),
    ...pairSources('backup', 5, noise(1, SAMPLES)),
    ...pairSources('c', 5, noise(2, SAMPLES)),
  ]);
  expect(paths(catalogue)).toEqual(['a/duck_{i,q}_00005.dat', 'c/duck_{i,q}_00005.dat']);
  expect(codes(catalogue)).toEqual(['backup/duck_{i,q}_00005.dat: duplicate']);
});

test('a file that is named and lies in a named folder is one file', async () => {
  const sources = pairSources('a', 5, noise(1, SAMPLES));
  const catalogue = await catalogueOf(sources, sources);
  expect(catalogue.recordings).toHaveLength(1);
  expect(codes(catalogue)).toEqual([]);
});

test('SigMF: rate, frequency, time and captures are those of the sidecar', async () => {
  const captures = [
    { 'core:sample_start': 0, 'core:frequency': 5e9, 'core:datetime': '2026-01-02T03:04:05.678Z' },
    { 'core:sample_start': 300, 'core:frequency': 5e9 },
  ];
  const catalogue = await catalogueOf([
    textSource('x/one.sigmf-meta', sigmfText({}, captures)),
    data('x/one.sigmf-data'),
    textSource('x/two.sigmf-meta', sigmfText({ 'core:dataset': 'samples.bin', 'core:datatype': 'ci16_le' })),
    memorySource('x/samples.bin', new Uint8Array(4 * SAMPLES)),
  ]);
  expect(codes(catalogue)).toEqual([]);
  expect(catalogue.recordings).toMatchObject([
    {
      path: 'x/one.sigmf-data',
      kind: 'interleaved',
      type: 'cf32',
      file: null,
      sampleRateHz: 1e6,
      loHz: 5e9,
      startMs: Date.parse('2026-01-02T03:04:05.678Z'),
      stretches: [
        { from: 0, samples: 300 },
        { from: 300, samples: SAMPLES - 300 },
      ],
    },
    { path: 'x/samples.bin', type: 'ci16', stretches: [{ from: 0, samples: SAMPLES }] },
  ]);
  expect(catalogue.ignored).toBe(0);
});

test.for([
  ['no JSON', '{', 'expected JSON'],
  ['another type', sigmfText({ 'core:datatype': 'cf64_be' }), 'expected cf32_le or ci16_le, found cf64_be'],
  ['no type', JSON.stringify({ global: {}, captures: [] }), 'global.core:datatype'],
  ['two channels', sigmfText({ 'core:num_channels': 2 }), 'expected 1, found 2'],
  ['no samples', sigmfText({ 'core:metadata_only': true }), 'no samples'],
  ['a rate of 0', sigmfText({ 'core:sample_rate': 0 }), 'global.core:sample_rate'],
  ['headers', sigmfText({}, [{ 'core:sample_start': 0, 'core:header_bytes': 4 }]), 'core:header_bytes'],
  [
    'two frequencies',
    sigmfText({}, [
      { 'core:sample_start': 0, 'core:frequency': 1 },
      { 'core:sample_start': 9, 'core:frequency': 2 },
    ]),
    'different core:frequency',
  ],
  [
    'captures backwards',
    sigmfText({}, [{ 'core:sample_start': 9 }, { 'core:sample_start': 9 }]),
    'rising core:sample_start',
  ],
  [
    'a time that is none',
    sigmfText({}, [{ 'core:sample_start': 0, 'core:datetime': 'noon' }]),
    'core:datetime',
  ],
] as const)('SigMF metadata are refused: %s', async ([, text, reason]) => {
  const catalogue = await catalogueOf([textSource('x.sigmf-meta', text), data('x.sigmf-data')]);
  expect(catalogue.recordings).toEqual([]);
  expect(codes(catalogue)).toEqual(['x.sigmf-meta: unsupported']);
  expect(catalogue.problems[0]?.message).toContain(reason);
});

test('SigMF halves, and data that end before their captures', async () => {
  const late = sigmfText({}, [{ 'core:sample_start': 0 }, { 'core:sample_start': SAMPLES }]);
  const catalogue = await catalogueOf([
    textSource('a.sigmf-meta', sigmfText()),
    data('b.sigmf-data'),
    textSource('c.sigmf-meta', late),
    data('c.sigmf-data'),
    textSource('d.sigmf-meta', sigmfText()),
    memorySource('d.sigmf-data', new Uint8Array(8 * SAMPLES + 3)),
  ]);
  expect(codes(catalogue)).toEqual([
    'a.sigmf-meta: orphan',
    'b.sigmf-data: orphan',
    'c.sigmf-data: unequal',
    'd.sigmf-data: mid-sample',
  ]);
});

test('raw files by their suffix', async () => {
  const catalogue = await catalogueOf([
    data('a.cf32'),
    data('b.FC32'),
    memorySource('c.cs16', new Uint8Array(4 * SAMPLES)),
    memorySource('d.sc16', new Uint8Array(4 * SAMPLES)),
    memorySource('e.cs16', new Uint8Array(4 * SAMPLES + 2)),
    memorySource('f.cf32', new Uint8Array(0)),
    data('g.cf32', BINS - 1),
  ]);
  expect(catalogue.recordings).toMatchObject([
    { path: 'a.cf32', type: 'cf32', sampleRateHz: null, loHz: null },
    { path: 'b.FC32', type: 'cf32' },
    { path: 'c.cs16', type: 'ci16', stretches: [{ from: 0, samples: SAMPLES }] },
    { path: 'd.sc16', type: 'ci16' },
  ]);
  expect(codes(catalogue)).toEqual(['e.cs16: mid-sample', 'f.cf32: empty', 'g.cf32: too-short']);
});

test('files that do not say their form are read as somebody says, and never half a pair or data of a sidecar', async () => {
  const files = [
    data('x/a.bin'),
    data('x/b.RAW'),
    data('x/duck_i_00005.dat'),
    data('x/notes.txt'),
    memorySource('x/samples.iq', new Uint8Array(4 * SAMPLES)),
    textSource('x/c.sigmf-meta', sigmfText({ 'core:dataset': 'samples.iq', 'core:datatype': 'ci16_le' })),
  ];
  const untold = await makeCatalogue(files, [], BINS);
  expect(paths(untold)).toEqual(['x/samples.iq']);
  expect(untold.ignored).toBe(3);
  const told = await makeCatalogue(files, [], BINS, 'cf32');
  expect(told.recordings).toMatchObject([
    { path: 'x/a.bin', type: 'cf32' },
    { path: 'x/b.RAW', type: 'cf32' },
    { path: 'x/samples.iq', type: 'ci16' },
  ]);
  expect(codes(told)).toEqual(['x/duck_i_00005.dat: orphan']);
  expect(told.ignored).toBe(1);
});

test('saved results count only where somebody names them', async () => {
  const csv = textSource('x/out.csv', '');
  expect(await catalogueOf([csv])).toMatchObject({ saved: [], ignored: 1 });
  expect(await catalogueOf([], [csv])).toMatchObject({ saved: [csv], ignored: 0 });
  const catalogue = await catalogueOf([], [textSource('x/notes.txt', '')]);
  expect(codes(catalogue)).toEqual(['x/notes.txt: unsupported']);
});

/** The sidecar of one half. */
const sidecar = (channel: 'i' | 'q', global: Readonly<Record<string, unknown>> = {}): ByteSource =>
  textSource(
    `r/duck_${channel}_00005.sigmf-meta`,
    sigmfText({ 'core:datatype': 'rf32_le', 'core:dataset': `duck_${channel}_00005.dat`, ...global }),
  );

test('sidecars of a pair, or of one half, say what the pair is', async () => {
  const pair = pairSources('r', 5, noise(1, SAMPLES));
  for (const sidecars of [[sidecar('i'), sidecar('q')], [sidecar('q')]]) {
    const catalogue = await catalogueOf([...sidecars, ...pair]);
    expect(codes(catalogue)).toEqual([]);
    expect(catalogue.recordings).toMatchObject([
      {
        kind: 'pair',
        file: 5,
        sampleRateHz: 1e6,
        loHz: 5e9,
        startMs: Date.parse('2026-01-02T03:04:05.678Z'),
      },
    ]);
  }
});

test('sidecars of halves that cannot be followed are named, and the pair is read without them', async () => {
  const pair = pairSources('r', 5, noise(1, SAMPLES));
  const cases: readonly (readonly [readonly ByteSource[], string])[] = [
    [[sidecar('i'), sidecar('q', { 'core:sample_rate': 3e6 })], 'r/duck_q_00005.sigmf-meta: unsupported'],
    [[sidecar('i', { 'core:dataset': 'duck_i_00006.dat' })], 'r/duck_i_00005.sigmf-meta: orphan'],
    [[sidecar('i', { 'core:dataset': 'x.dat' })], 'r/duck_i_00005.sigmf-meta: unsupported'],
  ];
  for (const [sidecars, problem] of cases) {
    const catalogue = await catalogueOf([...sidecars, ...pair]);
    expect(codes(catalogue)).toEqual([problem]);
    expect(paths(catalogue)).toEqual(['r/duck_{i,q}_00005.dat']);
  }
});
