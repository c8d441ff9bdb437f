/**
 * What `analyze` writes, read by the readers of others: NumPy, astropy and the sigmf package, bit for bit. Where there
 * is no Python, test/protocol/exports.test.ts has parsers of the formats of its own.
 */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../../scripts/machine.mjs';
import { venvPython } from '../venv.ts';
import { run, succeed } from './haloscope.ts';
import { keptFolder } from './kept.ts';
import { BINS, record, writePair } from './samples.ts';

const VENV = {
  name: 'readers-venv',
  packages: ['numpy', 'astropy', 'sigmf'],
  modules: ['numpy', 'astropy.table', 'sigmf'],
};

type Columns = Readonly<Record<'freq_Hz' | 'power' | 'std' | 'count', readonly number[]>>;

interface Channel {
  readonly rate: number;
  readonly captures: readonly Readonly<Record<string, unknown>>[];
  readonly type: string;
  readonly samples: number;
  readonly first: readonly number[];
  readonly last: number;
}

interface Read {
  readonly npz: Columns;
  readonly npz_types: unknown;
  readonly npz_meta: Readonly<Record<string, unknown>>;
  readonly ecsv: Columns;
  readonly ecsv_units: unknown;
  readonly ecsv_meta: Readonly<Record<string, unknown>>;
  readonly csv: Columns;
  readonly i: Channel;
  readonly q: Channel;
}

const SLICES = 100;
const FORMATS = ['--csv', '--ecsv', '--npz', '--json'];

test('NumPy, astropy and sigmf read back every bit', { timeout: 300_000 }, async () => {
  const python = await venvPython(VENV);
  if (python === undefined) {
    process.stderr.write('no python3 in PATH: only the parsers of our own have read the exports\n');
    return;
  }
  const folder = await keptFolder();
  const recording = record(42, SLICES);
  await writePair(folder, recording);
  const out = join(folder, 'out');
  const words = [...FORMATS, '--sigmf', '--window', 'hann', '--run', 'run404', '--settle', '0'];
  await succeed('analyze', folder, ...words, '--out', out);
  const stem = join(out, 'haloscope_run404_run');
  const sidecars = ['i', 'q'].map((channel) => join(folder, `duck_${channel}_00042.sigmf-meta`));
  const script = join(repository, 'test', 'e2e', 'read_exports.py');
  const text = execFileSync(python, [script, stem, ...sidecars], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const read = JSON.parse(text) as Read;
  const json = JSON.parse(await readFile(`${stem}.json`, 'utf8')) as Columns & Record<string, unknown>;

  for (const table of [read.npz, read.ecsv, read.csv]) {
    for (const column of ['freq_Hz', 'power', 'std'] as const) expect(table[column]).toEqual(json[column]);
    expect(table.count).toEqual(Array.from({ length: BINS }, () => SLICES));
  }
  expect(read.npz_types).toEqual({ freq_Hz: 'float64', power: 'float64', std: 'float64', count: 'int64' });
  expect(read.ecsv_units).toEqual({ freq_Hz: 'Hz', power: 'V2 / Hz', std: 'V2 / Hz', count: 'None' });
  const { freq_Hz: _f, power: _p, std: _s, count: _c, ...provenance } = json;
  expect(read.npz_meta).toEqual(provenance);
  expect(read.ecsv_meta).toEqual(provenance);
  expect(provenance).toMatchObject({
    run: 'run404',
    slices: SLICES,
    lo_Hz: 10.353e9,
    sample_rate_Hz: 2e6,
    window: 'hann',
    enbw_bins: 1.5,
    rbw_Hz: (1.5 * 2e6) / BINS,
    missing: '',
  });
  for (const channel of ['i', 'q'] as const) {
    const samples = recording[channel];
    expect(read[channel]).toEqual({
      rate: 2e6,
      captures: [
        { 'core:sample_start': 0, 'core:frequency': 10.353e9, 'core:datetime': provenance['first_utc'] },
      ],
      type: 'float32',
      samples: samples.length,
      first: Array.from(samples.slice(0, 5)),
      last: samples.at(-1),
    });
  }
});

test('the sidecars of a pair tell a later analysis what nobody has to say again', async () => {
  const folder = await keptFolder();
  await writePair(folder, record(42, SLICES));
  const first = ['--sample-rate', '1e6', '--lo', '7e9', '--sigmf', '--json', '--settle', '0'];
  const told = await succeed('analyze', folder, ...first);
  const again = await run('analyze', folder, '--json', '--settle', '0');
  expect(again.stderr).not.toContain('warn');
  expect(again.status).toBe(0);
  expect(again.stdout).toBe(told.stdout);
  expect(JSON.parse(again.stdout)).toMatchObject({ sample_rate_Hz: 1e6, lo_Hz: 7e9 });
});
